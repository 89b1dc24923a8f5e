import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BaresipClient } from './clients/baresip-client.ts';
import type { Hearing } from './clients/hearing.ts';
import { Parley } from './clients/parley.ts';
import { eventually, pause } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { heardLevelDbfs, toneLevelDbfs, type Voice } from './clients/tone-levels.ts';
import { readWav } from './clients/wav-file.ts';

const ROOM = 'keys';
const MODERATOR: Voice = { name: 'mod', frequencyHz: 425, levelDbfs: -12 };
const GUEST: Voice = { name: 'guest', frequencyHz: 1_010, levelDbfs: -12 };

/** The usual ones, but fewer of them: the whole menu takes half a minute to say. */
const KEYS = { everybody: { '*#': 'count', '*0': 'menu' }, moderators: { '*3': 'record' } } as const;

/** Prompts are spoken at about −20 dBFS, the noise under the mix is at −65. */
const SPEECH_DBFS = -40;
const QUIET_DBFS = -55;

/** Loudness between two times, dBFS. */
function loudness(phone: BaresipClient, fromMs: number, toMs: number): number {
  return loudnessIn(phone.hearing(), fromMs, toMs);
}

function loudnessIn({ pcm, sampleAt }: Hearing, fromMs: number, toMs: number): number {
  const samples = pcm.samples.subarray(sampleAt(fromMs), sampleAt(toMs));
  return 10 * Math.log10(samples.reduce((sum, sample) => sum + sample * sample, 1e-12) / samples.length);
}

const LOOK_EVERY_MS = 1_000;
const STEP_MS = 100;

/** When what the phone hears from then on begins, and when it ends: 2 s of silence are no pause between words. */
async function sounds(phone: BaresipClient, sinceMs: number): Promise<[fromMs: number, toMs: number]> {
  let fromMs: number | null = null;
  let lastMs = sinceMs;
  for (let atMs = sinceMs; ; ) {
    await pause(Math.max(0, atMs + LOOK_EVERY_MS + phone.playoutDelayMs - performance.now()));
    // Reading all that it has heard takes a while: it is done once a second.
    const hearing = phone.hearing();
    for (const untilMs = atMs + LOOK_EVERY_MS; atMs < untilMs; atMs += STEP_MS) {
      if (loudnessIn(hearing, atMs, atMs + STEP_MS) > SPEECH_DBFS) {
        fromMs ??= atMs;
        lastMs = atMs + STEP_MS;
      } else if (fromMs !== null && atMs - lastMs >= 2_000) return [fromMs, lastMs];
      if (fromMs === null && atMs - sinceMs >= 10_000) throw new Error('it heard nothing');
    }
  }
}

describe.runIf(peersPresent('baresip', 'ffmpeg'))('keys of real phones', () => {
  let parley: Parley;
  let moderator: BaresipClient;
  let guest: BaresipClient;
  let moderatorTalks = true;

  const toggleModerator = async (): Promise<void> => {
    await moderator.toggleMute();
    moderatorTalks = !moderatorTalks;
  };

  const phones = () => [moderator, guest];
  const bothAreQuiet = () =>
    eventually(
      'both hear nothing',
      async () => phones().map((phone) => loudness(phone, performance.now() - 800, performance.now() - 100)),
      (levels) => levels.every((level) => level < QUIET_DBFS),
      20_000,
    );

  beforeAll(async () => {
    parley = await Parley.start({ env: { PARLEY_AUDIO_MIXERS: '1' } });
    moderator = await BaresipClient.start({ voice: MODERATOR, codec: 'opus', autoAnswer: true, toneSeconds: 180 });
    guest = await BaresipClient.start({ voice: GUEST, codec: 'PCMU', toneSeconds: 180 });
    await parley.api.createRoom({ name: ROOM, keys: KEYS });
    await parley.api.addParticipant(ROOM, { uri: moderator.sipUri, role: 'moderator' });
    await moderator.established(10_000);
    await guest.dial(parley.sipUri(ROOM));
    await toggleModerator();
    await guest.toggleMute();
    await bothAreQuiet();
  }, 120_000);

  afterAll(async () => {
    await Promise.all([moderator?.stop(), guest?.stop()]);
    await parley?.stop();
  });

  test('*# says how many are there, to who asked alone', async () => {
    const sinceMs = performance.now();
    await moderator.sendKeys('*#');
    const [fromMs, toMs] = await sounds(moderator, sinceMs);
    expect(toMs - fromMs).toBeGreaterThan(500);
    expect(fromMs - sinceMs).toBeLessThan(3_000);
    expect(loudness(guest, sinceMs, toMs)).toBeLessThan(QUIET_DBFS);
  }, 60_000);

  test('*0 says the menu, to who asked alone: a longer one to moderators', async () => {
    const lengths: number[] = [];
    for (const phone of phones()) {
      const other = phone === moderator ? guest : moderator;
      const sinceMs = performance.now();
      await phone.sendKeys('*0');
      const [fromMs, toMs] = await sounds(phone, sinceMs);
      expect(loudness(other, sinceMs, toMs)).toBeLessThan(QUIET_DBFS);
      lengths.push(toMs - fromMs);
    }
    const [ofModerator, ofGuest] = lengths as [number, number];
    expect(ofGuest).toBeGreaterThan(3_000);
    expect(ofModerator).toBeGreaterThan(ofGuest + 1_000);
  }, 60_000);

  test('*3 of a guest does nothing but say so', async () => {
    const sinceMs = performance.now();
    await guest.sendKeys('*3');
    await sounds(guest, sinceMs);
    expect((await parley.api.room(ROOM)).recordings).toEqual([]);
  }, 60_000);

  test('*3 starts and stops a recording that has the tone, and all are told', async () => {
    // An attempt that failed may have left it running, or the moderator talking.
    for (const { id, state } of (await parley.api.room(ROOM)).recordings) {
      if (state === 'recording') await parley.api.stopRecording(ROOM, id);
    }
    if (moderatorTalks) await toggleModerator();
    await bothAreQuiet();
    const startMs = performance.now();
    await moderator.sendKeys('*3');
    const heard = await Promise.all(phones().map((phone) => sounds(phone, startMs)));
    for (const [fromMs, toMs] of heard) expect(toMs - fromMs).toBeGreaterThan(500);
    const running = (await parley.api.room(ROOM)).recordings.find(({ state }) => state === 'recording');
    expect(running).toMatchObject({ state: 'recording', room: ROOM });

    await toggleModerator();
    await pause(2_500);
    const nowMs = performance.now();
    expect(heardLevelDbfs(guest.hearing(), MODERATOR.frequencyHz, nowMs - 1_000, nowMs - 200)).toBeGreaterThan(-20);
    await toggleModerator();
    await bothAreQuiet();

    const stopMs = performance.now();
    await moderator.sendKeys('*3');
    const stopped = await eventually(
      'it has stopped',
      async () => (await parley.api.room(ROOM)).recordings.find(({ id }) => id === running!.id),
      (recording) => recording?.state === 'stopped',
    );
    for (const phone of phones()) await sounds(phone, stopMs);
    expect(stopped?.durationMs).toBeGreaterThan(4_000);
    const pcm = readWav(await parley.api.recordingFile(running!.id, 'wav'));
    const half = pcm.sampleRateHz / 2;
    const levels = Array.from({ length: Math.floor(pcm.samples.length / half) }, (_, index) =>
      toneLevelDbfs(pcm, MODERATOR.frequencyHz, index * half, (index + 1) * half),
    );
    const loud = levels.filter((level) => Math.abs(level - MODERATOR.levelDbfs) < 3);
    expect(loud.length, `levels of the tone each half second: ${levels.map(Math.round).join(' ')}`).toBeGreaterThan(2);
    // What was said before is in it as well, and no tone.
    expect(Math.min(...levels)).toBeLessThan(-35);
  }, 60_000);
});
