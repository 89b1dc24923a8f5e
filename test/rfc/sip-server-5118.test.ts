import { networkInterfaces } from 'node:os';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { finals, headersOf, type Loopback, overTcp, overUdp, RunningServer } from './running-server.ts';
import { RFC_5118, tortureMessage } from './torture-cases.ts';

/** A host without IPv6 cannot have the half that is over IPv6. */
const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

describe.each<Loopback>(hasIpv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1'])('RFC 5118 at %s', (address) => {
  let server: RunningServer;

  beforeAll(async () => {
    server = await RunningServer.start(address);
  });

  afterAll(() => server?.stop());

  afterEach(async () => {
    expect(await server.quiet()).toEqual({ calls: 0, transactions: 0 });
    expect(server.crashes).toEqual([]);
    server.calls.length = 0;
  });

  describe.each([
    ['UDP', overUdp],
    ['TCP', overTcp],
  ] as const)('over %s', (_transport, send) => {
    it.each(RFC_5118)('§$section $title ($name): $expected.status', async ({ name, expected }) => {
      const { responses, optionsStatus } = await send(server, tortureMessage(5118, name));
      expect(finals(responses)).toEqual([expected.status]);
      expect(optionsStatus).toBe(200);
    });

    async function answerTo(name: string): Promise<string> {
      const { responses } = await send(server, tortureMessage(5118, name));
      return responses.at(-1) ?? '';
    }

    it('§4.5: what the sender says in received is not believed; the address is the one that the packet had', async () => {
      for (const name of ['via-received-param-with-delim', 'via-received-param-no-delim']) {
        const [via] = headersOf(await answerTo(name), 'Via');
        expect(via).toMatch(/^SIP\/2\.0\/UDP \[2001:db8::9:1\];.*received=(127\.\d|::1(;|$))/);
        expect(via).not.toMatch(/9:255/);
      }
    });

    it('§4.7: of several addresses in Via, the lower ones come back as they were', async () => {
      expect(headersOf(await answerTo('mult-ip-in-header'), 'Via').slice(1)).toEqual([
        'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKjhja8781hjuaij65144',
        'SIP/2.0/TCP [2001:db8::9:255];branch=z9hG4bK451jj;received=192.0.2.200',
      ]);
    });

    it('§4.8: IPv4 for the audio and IPv6 for the video: the audio is taken where it can be reached', async () => {
      const answer = await answerTo('mult-ip-in-sdp');
      expect(server.calls[0]?.offer).toContain('c=IN IP6 2001:db8::1');
      // Over IPv6, where the audio comes from is seen by what comes (`withoutAddress` of the SDP).
      expect(answer).toMatch(/\r\nm=audio 20000 RTP\/AVP 0\r\n/);
      expect(answer).toMatch(/\r\nm=video 0 RTP\/AVP 107\r\n/);
    });

    it('§4.6, §4.9: the addresses in the SDP are understood: the codec is what is refused', async () => {
      // Nobody here has G.726 or that video.
      const warning = { '127.0.0.1': `305 127.0.0.1 ${WRONG_CODEC}`, '::1': `305 [::1] ${WRONG_CODEC}` };
      for (const name of ['ipv6-in-sdp', 'ipv4-mapped-ipv6']) {
        expect(headersOf(await answerTo(name), 'Warning')).toEqual([warning[address]]);
      }
    });
  });
});

const WRONG_CODEC = '"Incompatible media format"';
