import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type PeerCertificate } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { createSelfSigned } from '../../server/certificate/self-signed.ts';
import type { ApiProblem } from './clients/api-client.ts';
import { BaresipClient } from './clients/baresip-client.ts';
import { LOOPBACK } from './clients/free-ports.ts';
import { LinphoneClient } from './clients/linphone-client.ts';
import { Parley } from './clients/parley.ts';
import { eventually, pause } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { ToneCaller } from './clients/tone-caller.ts';
import { assertWhoHearsWhom } from './clients/tone-levels.ts';
import type { VoiceClient } from './clients/voice-client.ts';

const SECURED = { name: 'secured', frequencyHz: 425, levelDbfs: -12 };
const OTHER = { name: 'other', frequencyHz: 1_010, levelDbfs: -12 };
const ROOM = 'secure';

let stopAll: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const stop of stopAll.reverse()) await stop();
  stopAll = [];
});

async function started<Started extends { stop(): Promise<unknown> }>(starting: Promise<Started>): Promise<Started> {
  const program = await starting;
  stopAll.push(() => program.stop());
  return program;
}

async function otherJoins(parley: Parley): Promise<ToneCaller> {
  const other = await started(ToneCaller.start({ voice: OTHER, serverPort: parley.sipPort }));
  await other.dial(parley.sipUri(ROOM));
  return other;
}

async function assertTheyHearEachOther(clients: VoiceClient[]): Promise<void> {
  await pause(2_000);
  const toMs = performance.now() - 300;
  const listeners = clients.map((client) => ({ name: client.voice.name, hearing: client.hearing() }));
  assertWhoHearsWhom({ voices: clients.map(({ voice }) => voice), listeners, fromMs: toMs - 800, toMs });
}

/** What a new connection is shown. */
function certificateAt(port: number): Promise<PeerCertificate> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: LOOPBACK, port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate());
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

describe.runIf(peersPresent('linphonec'))('linphone over TLS', () => {
  test('trusts the certificate that was made, and talks and listens', async () => {
    const parley = await started(Parley.start({ env: { PARLEY_AUDIO_MIXERS: '1' } }));
    const other = await otherJoins(parley);
    const trusts = join(parley.dataDir, 'tls-certificate.pem');
    const phone = LinphoneClient.start({ voice: SECURED, codec: 'PCMA (8000)', transport: 'tls', trusts });
    await (await started(phone)).dial(`sip:${ROOM}@${LOOPBACK}:${parley.sipsPort}`);
    await assertTheyHearEachOther([await phone, other]);
    await (await phone).hangUp();
    await eventually(
      'only the other is left',
      () => parley.api.participants(ROOM),
      (all) => all.length === 1,
    );
  });

  test('that trusts only somebody else does not get in', async () => {
    const parley = await started(Parley.start({ env: { PARLEY_AUDIO_MIXERS: '1' } }));
    const folder = mkdtempSync(join(tmpdir(), 'parley-certificate-'));
    const trusts = join(folder, 'other.pem');
    writeFileSync(trusts, (await createSelfSigned([LOOPBACK], new Date())).certificate);
    const phone = LinphoneClient.start({ voice: SECURED, codec: 'PCMA (8000)', transport: 'tls', trusts });
    const dialled = (await started(phone)).dial(`sip:${ROOM}@${LOOPBACK}:${parley.sipsPort}`, 10_000);
    await expect(dialled).rejects.toThrow();
    expect(await parley.api.room(ROOM).catch(({ status }: ApiProblem) => status)).toBe(404);
    rmSync(folder, { recursive: true });
  });
});

describe.runIf(peersPresent('baresip'))('baresip over TLS', () => {
  test('goes on while the certificate is replaced, and the server hangs up over the same connection', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'parley-certificate-'));
    const files = { certificate: join(folder, 'fullchain.pem'), key: join(folder, 'privkey.pem') };
    const issue = async (name: string): Promise<void> => {
      const pair = await createSelfSigned([name, LOOPBACK], new Date());
      writeFileSync(files.certificate, pair.certificate);
      writeFileSync(files.key, pair.key);
    };
    await issue('first.example.com');
    const env = { PARLEY_AUDIO_MIXERS: '1', PARLEY_TLS_CERTIFICATE: files.certificate, PARLEY_TLS_KEY: files.key };
    const parley = await started(Parley.start({ env }));
    const other = await otherJoins(parley);
    const phone = await started(BaresipClient.start({ voice: SECURED, codec: 'PCMA', transport: 'tls' }));
    await phone.dial(`sip:${ROOM}@${LOOPBACK}:${parley.sipsPort}`);
    expect((await certificateAt(parley.sipsPort)).subject.CN).toBe('first.example.com');
    await issue('second.example.com');
    const deadlineMs = performance.now() + 14_000;
    while ((await certificateAt(parley.sipsPort)).subject.CN !== 'second.example.com') {
      expect(performance.now(), 'the new certificate is not taken up').toBeLessThan(deadlineMs);
      await pause(250);
    }
    await assertTheyHearEachOther([phone, other]);
    await parley.api.deleteRoom(ROOM);
    await phone.ended(15_000);
    rmSync(folder, { recursive: true });
  }, 60_000);
});

describe.runIf(peersPresent('baresip'))('IPv6', () => {
  test.each(['udp', 'tcp', 'tls'] as const)(
    'baresip on ::1 over %s and a caller on 127.0.0.1 hear each other',
    async (transport) => {
      const env = { PARLEY_BIND: '::', PARLEY_PUBLIC_ADDRESS: `${LOOPBACK},::1`, PARLEY_AUDIO_MIXERS: '1' };
      const parley = await started(Parley.start({ env }));
      const other = await otherJoins(parley);
      const phone = await started(BaresipClient.start({ voice: SECURED, codec: 'opus', transport, address: '::1' }));
      const port = transport === 'tls' ? parley.sipsPort : parley.sipPort;
      await phone.dial(`sip:${ROOM}@[::1]:${port}`);
      await assertTheyHearEachOther([phone, other]);
      await parley.api.deleteRoom(ROOM);
      await phone.ended(15_000);
    },
  );
});
