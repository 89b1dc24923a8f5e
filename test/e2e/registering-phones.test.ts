import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { BaresipClient } from './clients/baresip-client.ts';
import { LOOPBACK } from './clients/free-ports.ts';
import { LinphoneClient } from './clients/linphone-client.ts';
import { Parley } from './clients/parley.ts';
import { eventually, pause } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { assertWhoHearsWhom } from './clients/tone-levels.ts';
import type { VoiceClient } from './clients/voice-client.ts';

const ALICE = { name: 'alice', frequencyHz: 425, levelDbfs: -12 };
const BOB = { name: 'bob', frequencyHz: 1_010, levelDbfs: -12 };
const PASSWORD = 'wonderland';

describe.runIf(peersPresent('baresip', 'linphonec'))('baresip and linphone', () => {
  let parley: Parley;
  let phones: VoiceClient[] = [];

  beforeAll(async () => {
    // Nobody gets in who has not signed in.
    parley = await Parley.start({
      env: { PARLEY_ADHOC_ROOMS: 'users', PARLEY_SRTP: 'optional', PARLEY_AUDIO_MIXERS: '1' },
    });
    for (const user of ['alice', 'bob']) await parley.api.putUser(user, PASSWORD);
  });

  afterAll(() => parley?.stop());

  afterEach(async () => {
    for (const phone of phones) await phone.stop();
    phones = [];
  });

  async function assertRegistered(user: string, transport: string): Promise<void> {
    await eventually(
      `${user} is registered over ${transport}`,
      () => parley.api.registrations(user),
      (all) => all.some((registration) => registration.transport === transport),
    );
  }

  test.each(['udp', 'tcp', 'tls'] as const)(
    'register with digest over %s, call, and hear each other; over TLS with SRTP',
    async (transport) => {
      const secured = transport === 'tls';
      const loggedBefore = parley.logLines().length;
      const serverPort = secured ? parley.sipsPort : parley.sipPort;
      const uri = `sip:room-over-${transport}@${LOOPBACK}:${serverPort}`;
      const baresip = await BaresipClient.start({
        voice: ALICE,
        codec: 'opus',
        transport,
        account: { user: 'alice', password: PASSWORD, serverPort },
        ...(secured ? { srtp: 'mandatory' } : {}),
      });
      phones.push(baresip);
      const linphone = await LinphoneClient.start({
        voice: BOB,
        codec: 'PCMA (8000)',
        transport,
        account: { user: 'bob', password: PASSWORD, serverPort },
        ...(secured ? { srtp: 'AES_CM_128_HMAC_SHA1_80', trusts: join(parley.dataDir, 'tls-certificate.pem') } : {}),
      });
      phones.push(linphone);
      await assertRegistered('alice', transport);
      await linphone.registered(10_000);
      await assertRegistered('bob', transport);
      await baresip.dial(uri);
      await linphone.dial(uri);
      await pause(2_000);
      const toMs = performance.now() - 300;
      const listeners = phones.map((client) => ({ name: client.voice.name, hearing: client.hearing() }));
      assertWhoHearsWhom({ voices: [ALICE, BOB], listeners, fromMs: toMs - 800, toMs });
      const started = parley
        .logLines()
        .slice(loggedBefore)
        .filter((line) => line.includes('call started') && line.includes(`-${transport}`));
      expect(started).toHaveLength(2);
      for (const line of started) {
        expect((JSON.parse(line) as { srtp: string | null }).srtp !== null, line).toBe(secured);
      }
      await linphone.hangUp();
      await parley.api.deleteRoom(`room-over-${transport}`);
      await baresip.ended(15_000);
    },
  );
});
