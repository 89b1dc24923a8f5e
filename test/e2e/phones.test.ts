import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { BaresipClient } from './clients/baresip-client.ts';
import { encodeG711 } from './clients/g711-reference.ts';
import { LinphoneClient } from './clients/linphone-client.ts';
import { Parley } from './clients/parley.ts';
import { eventually, pause } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { RtpEndpoint } from './clients/rtp-endpoint.ts';
import { SippClient } from './clients/sipp-client.ts';
import { ToneCaller } from './clients/tone-caller.ts';
import { assertWhoHearsWhom, heardLevelDbfs } from './clients/tone-levels.ts';
import type { VoiceClient } from './clients/voice-client.ts';
import { sine } from './clients/wav-file.ts';

const PHONE = { name: 'phone', frequencyHz: 425, levelDbfs: -12 };
const OTHER = { name: 'other', frequencyHz: 1_010, levelDbfs: -12 };
const ROOM = 'phones';
/** Linphone looks for an address that is not loopback. */
const HOST_HAS_IPV6 = Object.values(networkInterfaces())
  .flat()
  .some((one) => one?.family === 'IPv6' && !one.internal);

let parley: Parley;
let other: ToneCaller;
let phone: VoiceClient | undefined;

beforeAll(async () => {
  parley = await Parley.start({ env: { PARLEY_LOG_LEVEL: 'debug' } });
});

afterAll(() => parley?.stop());

afterEach(async () => {
  await phone?.stop();
  await other?.stop();
  phone = undefined;
  await parley.api.deleteRoom(ROOM).catch(() => {});
});

async function otherJoins(): Promise<void> {
  other = await ToneCaller.start({ voice: OTHER, serverPort: parley.sipPort });
  await other.dial(parley.sipUri(ROOM));
}

async function assertTheyHearEachOther(): Promise<void> {
  await pause(2_000);
  const toMs = performance.now() - 300;
  const listeners = [phone!, other].map((client) => ({ name: client.voice.name, hearing: client.hearing() }));
  assertWhoHearsWhom({ voices: [PHONE, OTHER], listeners, fromMs: toMs - 800, toMs });
}

/** Nobody hears who holds, not even the music that linphone then sends, and who holds hears nobody; then all is back. */
async function assertHoldAndResume(client: BaresipClient | LinphoneClient): Promise<void> {
  await client.dial(parley.sipUri(ROOM));
  await pause(500);
  const stateOfPhone = async (): Promise<string | undefined> =>
    (await parley.api.participants(ROOM)).find(({ uri }) => uri.includes(`${PHONE.name}@`))?.state;
  await client.hold();
  await eventually('the phone is on hold', stateOfPhone, (state) => state === 'on-hold');
  await pause(1_000);
  const heldTo = performance.now();
  for (const [listener, voice] of [
    [other, PHONE],
    [client, OTHER],
  ] as const) {
    const levelDbfs = heardLevelDbfs(listener.hearing(), voice.frequencyHz, heldTo - 700, heldTo);
    expect(levelDbfs, `${voice.name} heard by ${listener.voice.name}`).toBeLessThan(voice.levelDbfs - 40);
  }
  await client.resume();
  await eventually('the phone is connected', stateOfPhone, (state) => state === 'connected');
  await pause(1_500);
  const toMs = performance.now() - 200;
  const back = heardLevelDbfs(other.hearing(), PHONE.frequencyHz, toMs - 700, toMs);
  expect(Math.abs(back - PHONE.levelDbfs)).toBeLessThanOrEqual(3);
}

/** How often the server's log says that this key was pressed. */
/** The log does not say which: they may be of a PIN. */
function keysTold(): number {
  return parley.logLines().filter((line) => line.includes('"msg":"key"')).length;
}

/** `*5` raises the hand of the one who sends it; what was told twice would be another sequence, or lower it again. */
async function expectHandRaised(before: number): Promise<void> {
  await eventually('both keys are told', keysTold, (count) => count >= before + 2);
  await pause(500);
  expect(keysTold()).toBe(before + 2);
  const { participants } = await parley.api.room(ROOM);
  expect(participants.filter(({ hand }) => hand)).toHaveLength(1);
}

describe.runIf(peersPresent('baresip'))('baresip', () => {
  test.each([
    ['PCMU', 'udp'],
    ['PCMA', 'udp'],
    ['G722', 'udp'],
    ['opus', 'udp'],
    ['opus', 'tcp'],
  ] as const)('talks and listens with %s over %s', async (codec, transport) => {
    await otherJoins();
    phone = await BaresipClient.start({ voice: PHONE, codec, transport });
    await phone.dial(parley.sipUri(ROOM));
    await assertTheyHearEachOther();
    const participants = await parley.api.participants(ROOM);
    expect(participants.map(({ audio }) => audio?.codec)).toContain(codec);
    await phone.hangUp();
    await eventually(
      'only the other is left',
      () => parley.api.participants(ROOM),
      (all) => all.length === 1,
    );
  });

  test('holds and resumes', async () => {
    await otherJoins();
    const baresip = await BaresipClient.start({ voice: PHONE, codec: 'opus' });
    phone = baresip;
    await assertHoldAndResume(baresip);
  });

  test('keys pressed on it are told once', async () => {
    await otherJoins();
    const baresip = await BaresipClient.start({ voice: PHONE, codec: 'opus' });
    phone = baresip;
    await baresip.dial(parley.sipUri(ROOM));
    await pause(500);
    const before = keysTold();
    await baresip.sendKeys('*5');
    await expectHandRaised(before);
  });
});

describe.runIf(peersPresent('linphonec'))('linphone', () => {
  test.each([
    ['PCMU (8000)', 'udp'],
    ['PCMA (8000)', 'udp'],
    ['G722 (8000)', 'udp'],
    ['opus (48000)', 'udp'],
    ['G722 (8000)', 'tcp'],
  ] as const)('talks and listens with %s over %s', async (codec, transport) => {
    await otherJoins();
    phone = await LinphoneClient.start({ voice: PHONE, codec, transport });
    await phone.dial(parley.sipUri(ROOM));
    await assertTheyHearEachOther();
    await phone.hangUp();
  });

  test.runIf(HOST_HAS_IPV6)('talks, listens, holds and resumes when it offers an IPv6 address over IPv4', async () => {
    await otherJoins();
    const linphone = await LinphoneClient.start({ voice: PHONE, codec: 'PCMU (8000)', ipv6: true });
    phone = linphone;
    await assertHoldAndResume(linphone);
    await assertTheyHearEachOther();
  });

  test('holds and resumes', async () => {
    await otherJoins();
    const linphone = await LinphoneClient.start({ voice: PHONE, codec: 'PCMA (8000)' });
    phone = linphone;
    await assertHoldAndResume(linphone);
  });

  test('a key pressed on it is told once', async () => {
    await otherJoins();
    const linphone = await LinphoneClient.start({ voice: PHONE, codec: 'PCMU (8000)' });
    phone = linphone;
    await linphone.dial(parley.sipUri(ROOM));
    await pause(500);
    const before = keysTold();
    await linphone.sendKeys('7');
    await eventually('the key is told', keysTold, (count) => count > before);
    await pause(500);
    expect(keysTold()).toBe(before + 1);
  });
});

describe.runIf(peersPresent('sipp'))('SIPp', () => {
  test.each(['udp', 'tcp'] as const)('is heard over %s when it plays a tone', async (transport) => {
    await otherJoins();
    const folder = mkdtempSync(join(tmpdir(), 'parley-tone-'));
    writeFileSync(
      join(folder, 'tone.al'),
      encodeG711('PCMA', sine(PHONE.frequencyHz, PHONE.levelDbfs, 1, 8_000).samples),
    );
    const sipp = await SippClient.start({
      scenario: 'send-tone',
      room: ROOM,
      serverPort: parley.sipPort,
      transport,
      folder,
    });
    await pause(2_500);
    const toMs = performance.now() - 200;
    const level = heardLevelDbfs(other.hearing(), PHONE.frequencyHz, toMs - 1_000, toMs);
    expect(Math.abs(level - PHONE.levelDbfs), `heard at ${level} dBFS`).toBeLessThanOrEqual(3);
    await parley.api.deleteRoom(ROOM);
    const result = await sipp.finished(15_000);
    rmSync(folder, { recursive: true });
    expect(result.exitCode, result.report).toBe(0);
  });

  test('calls without an offer, and answers ours in the ACK', async () => {
    await otherJoins();
    const media = await RtpEndpoint.open(PHONE, 'PCMA');
    const sipp = await SippClient.start({
      scenario: 'late-offer',
      room: ROOM,
      serverPort: parley.sipPort,
      keys: { tone_port: media.port },
    });
    await media.sendToWhoSends(15_000);
    await pause(1_500);
    const toMs = performance.now() - 200;
    const listeners = [
      { name: PHONE.name, hearing: media.hearing() },
      { name: OTHER.name, hearing: other.hearing() },
    ];
    assertWhoHearsWhom({ voices: [PHONE, OTHER], listeners, fromMs: toMs - 800, toMs });
    await parley.api.deleteRoom(ROOM);
    const result = await sipp.finished(15_000);
    media.close();
    expect(result.exitCode, result.report).toBe(0);
  });
});
