import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { BaresipClient } from './clients/baresip-client.ts';
import { Kamailio } from './clients/kamailio.ts';
import { Parley } from './clients/parley.ts';
import { eventually, pause } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { RtpEndpoint } from './clients/rtp-endpoint.ts';
import { SipCaller } from './clients/sip-caller.ts';
import { SippClient } from './clients/sipp-client.ts';
import { ToneCaller } from './clients/tone-caller.ts';
import { assertWhoHearsWhom, heardLevelDbfs } from './clients/tone-levels.ts';

const PHONE = { name: 'phone', frequencyHz: 425, levelDbfs: -12 };
const OTHER = { name: 'other', frequencyHz: 1_010, levelDbfs: -12 };
const ROOM = 'behind-a-proxy';

/** What the phones and the proxy speak, and what the proxy and the server do. */
const WAYS = [
  ['udp', 'udp'],
  ['udp', 'tcp'],
  ['tcp', 'udp'],
  ['tcp', 'tcp'],
] as const;

describe.runIf(peersPresent('kamailio'))('through Kamailio, which records its route', () => {
  let parley: Parley;
  let proxies: Record<'udp' | 'tcp', Kamailio>;
  const stopAfterwards: { stop(): Promise<unknown> }[] = [];

  beforeAll(async () => {
    parley = await Parley.start({ env: { PARLEY_AUDIO_MIXERS: '1' } });
    const [udp, tcp] = await Promise.all(
      (['udp', 'tcp'] as const).map((serverTransport) =>
        Kamailio.start({ serverPort: parley.sipPort, serverTransport }),
      ),
    );
    proxies = { udp: udp!, tcp: tcp! };
  });

  afterAll(async () => {
    await Promise.all(Object.values(proxies ?? {}).map((proxy) => proxy.stop()));
    await parley?.stop();
  });

  afterEach(async () => {
    for (const program of stopAfterwards.splice(0)) await program.stop();
    await parley.api.deleteRoom(ROOM).catch(() => {});
  });

  function remember<Program extends { stop(): Promise<unknown> }>(program: Program): Program {
    stopAfterwards.push(program);
    return program;
  }

  const states = async (): Promise<string[]> => (await parley.api.participants(ROOM)).map(({ state }) => state);

  describe.runIf(peersPresent('baresip'))('baresip', () => {
    test.each(WAYS)('over %s, and %s behind: talks, holds, resumes, and is hung up on', async (transport, behind) => {
      const other = remember(await ToneCaller.start({ voice: OTHER, serverPort: parley.sipPort }));
      await other.dial(parley.sipUri(ROOM));
      const phone = remember(await BaresipClient.start({ voice: PHONE, codec: 'PCMU', transport }));
      await phone.dial(proxies[behind].sipUri(ROOM));
      await pause(2_000);
      const listeners = [phone, other].map((client) => ({ name: client.voice.name, hearing: client.hearing() }));
      const toMs = performance.now() - 300;
      assertWhoHearsWhom({ voices: [PHONE, OTHER], listeners, fromMs: toMs - 800, toMs });
      await phone.hold();
      await eventually('on hold', states, (all) => all.includes('on-hold'));
      await phone.resume();
      await eventually('connected', states, (all) => all.length === 2 && !all.includes('on-hold'));
      await pause(1_000);
      const backMs = performance.now() - 200;
      const back = heardLevelDbfs(other.hearing(), PHONE.frequencyHz, backMs - 500, backMs);
      expect(Math.abs(back - PHONE.levelDbfs)).toBeLessThanOrEqual(3);
      await parley.api.deleteRoom(ROOM);
      await phone.ended(15_000);
    });

    test('hangs up itself', async () => {
      const phone = remember(await BaresipClient.start({ voice: PHONE, codec: 'PCMU' }));
      await phone.dial(proxies.udp.sipUri(ROOM));
      await eventually('connected', states, (all) => all.length === 1 && all[0] === 'connected');
      await phone.hangUp();
      await eventually(
        'the room is gone',
        () => parley.api.room(ROOM).catch(() => null),
        (room) => room === null,
      );
    });
  });

  describe.runIf(peersPresent('sipp'))('SIPp', () => {
    test.each(WAYS)('over %s, and %s behind: INVITE, re-INVITE and BYE', async (transport, behind) => {
      const scenario = 'call-through-proxy';
      const keys = { tone_port: 9 };
      const serverPort = proxies[behind].port;
      const load = { calls: 20, callsPerSecond: 40, pauseMs: 100 };
      const sipp = await SippClient.start({ scenario, room: ROOM, serverPort, transport, keys, ...load });
      const result = await sipp.finished(20_000);
      expect(result.exitCode, result.report).toBe(0);
      expect(result.successful).toBe(20);
    });
  });

  test('CANCEL ends a call that was not answered yet', async () => {
    const caller = await SipCaller.open({ serverPort: proxies.udp.port });
    const media = await RtpEndpoint.open(PHONE, 'PCMU');
    const [mixer] = parley.mixerPids();
    // Without the mixer there is no answer to the offer.
    process.kill(mixer!, 'SIGSTOP');
    try {
      const call = caller.call(proxies.udp.sipUri(ROOM));
      const answer = call.invite(media.sdp());
      await eventually(
        'the call has come',
        () => parley.api.room(ROOM).catch(() => null),
        (room) => room !== null,
      );
      expect((await call.cancel()).status).toBe(200);
      const { status } = await answer;
      expect(status).toBe(487);
    } finally {
      process.kill(mixer!, 'SIGCONT');
      media.close();
      caller.close();
    }
    await eventually(
      'nobody is there any more',
      () => parley.api.room(ROOM).catch(() => null),
      (room) => room === null,
    );
  });
});
