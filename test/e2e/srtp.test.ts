import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BaresipClient } from './clients/baresip-client.ts';
import { LinphoneClient } from './clients/linphone-client.ts';
import { Parley } from './clients/parley.ts';
import { pause } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { SipCaller } from './clients/sip-caller.ts';
import { ToneCaller } from './clients/tone-caller.ts';
import { assertWhoHearsWhom, heardLevelDbfs } from './clients/tone-levels.ts';
import type { VoiceClient } from './clients/voice-client.ts';

const SECURED = { name: 'secured', frequencyHz: 425, levelDbfs: -12 };
const PLAIN = { name: 'plain', frequencyHz: 1_010, levelDbfs: -12 };
const ROOM = 'srtp';

let stopAll: (() => Promise<void>)[] = [];

async function stopWhatWasStarted(): Promise<void> {
  for (const stop of stopAll.reverse()) await stop();
  stopAll = [];
}

function startParley(srtp: 'off' | 'optional' | 'required'): Promise<Parley> {
  return Parley.start({ env: { PARLEY_SRTP: srtp, PARLEY_AUDIO_MIXERS: '1' } });
}

async function started<Client extends VoiceClient>(starting: Promise<Client>): Promise<Client> {
  const client = await starting;
  stopAll.push(() => client.stop());
  return client;
}

async function assertTheyHearEachOther(clients: VoiceClient[]): Promise<void> {
  await pause(2_000);
  const toMs = performance.now() - 300;
  const listeners = clients.map((client) => ({ name: client.voice.name, hearing: client.hearing() }));
  assertWhoHearsWhom({ voices: clients.map(({ voice }) => voice), listeners, fromMs: toMs - 800, toMs });
}

describe('phones that secure their media, and one that does not, hear each other', () => {
  let parley: Parley;
  let plain: ToneCaller;

  beforeAll(async () => {
    parley = await startParley('optional');
  });

  afterAll(() => parley?.stop());

  beforeEach(async () => {
    plain = await started(ToneCaller.start({ voice: PLAIN, serverPort: parley.sipPort }));
    await plain.dial(parley.sipUri(ROOM));
  });

  afterEach(stopWhatWasStarted);

  test.runIf(peersPresent('baresip')).each(['optional', 'mandatory'] as const)(
    'baresip with %s SRTP, after a hold and after a mixer died too',
    async (srtp) => {
      const secured = await started(BaresipClient.start({ voice: SECURED, codec: 'opus', srtp }));
      await secured.dial(parley.sipUri(ROOM));
      await assertTheyHearEachOther([secured, plain]);
      expect(secured.output).toMatch(/SRTP is Enabled/);
      await secured.hold();
      await pause(500);
      await secured.resume();
      await pause(1_500);
      const toMs = performance.now() - 200;
      expect(heardLevelDbfs(plain.hearing(), SECURED.frequencyHz, toMs - 700, toMs)).toBeGreaterThan(
        SECURED.levelDbfs - 3,
      );
      process.kill(parley.mixerPids()[0]!, 'SIGKILL');
      await pause(2_000);
      const backMs = performance.now() - 200;
      expect(heardLevelDbfs(plain.hearing(), SECURED.frequencyHz, backMs - 700, backMs)).toBeGreaterThan(
        SECURED.levelDbfs - 3,
      );
      expect(secured.output).not.toMatch(/failed to decrypt/);
    },
  );

  // The AEAD suites it does not have.
  test
    .runIf(peersPresent('linphonec'))
    .each(['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32', 'AES_256_CM_HMAC_SHA1_80', 'AES_256_CM_HMAC_SHA1_32'])(
    'Linphone with %s',
    async (suite) => {
      const secured = await started(LinphoneClient.start({ voice: SECURED, codec: 'PCMU (8000)', srtp: suite }));
      await secured.dial(parley.sipUri(ROOM));
      await assertTheyHearEachOther([secured, plain]);
      expect(parley.program.output).toContain(`"srtp":"${suite}"`);
    },
  );
});

describe('policy', () => {
  afterEach(stopWhatWasStarted);

  const KEY = 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp1CnVubGVz';

  async function statusOf(parley: Parley, profile: string, ...attributes: string[]): Promise<string> {
    const caller = await SipCaller.open({ serverPort: parley.sipPort, user: 'caller' });
    stopAll.push(async () => caller.close());
    const call = caller.call(parley.sipUri(ROOM));
    const offer = [
      'v=0',
      'o=- 1 1 IN IP4 127.0.0.1',
      's=-',
      'c=IN IP4 127.0.0.1',
      't=0 0',
      `m=audio 40000 ${profile} 0`,
      ...attributes,
      '',
    ].join('\r\n');
    const answer = await call.invite(offer);
    if (answer.status === 200) await call.bye();
    return `${answer.status} ${/^m=audio \d+ (\S+)/m.exec(answer.body)?.[1] ?? ''}${answer.body.includes('a=crypto') ? ' with keys' : ''}`;
  }

  test.each([
    ['off', ['200 RTP/AVP', '200 RTP/AVP', '488 ']],
    ['optional', ['200 RTP/AVP', '200 RTP/AVP with keys', '200 RTP/SAVP with keys']],
    ['required', ['488 ', '200 RTP/AVP with keys', '200 RTP/SAVP with keys']],
  ] as const)('%s', async (srtp, expected) => {
    const parley = await startParley(srtp);
    stopAll.push(() => parley.stop());
    expect([
      await statusOf(parley, 'RTP/AVP'),
      await statusOf(parley, 'RTP/AVP', KEY),
      await statusOf(parley, 'RTP/SAVP', KEY),
    ]).toEqual(expected);
    expect(parley.program.output).not.toMatch(/inline|WVNfX19z/);
  });
});
