import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RecordingView } from '../../server/rooms/views.ts';
import { tickTimes } from '../bench/tick-times.ts';
import { decodedSound } from '../kill/decoded-file.ts';
import { LONG_TESTS } from '../long-tests.ts';
import { hearsSpeech } from './clients/heard-speech.ts';
import { Parley } from './clients/parley.ts';
import { eventually, pause } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { TestDisk } from './clients/test-disk.ts';
import { ToneCaller } from './clients/tone-caller.ts';
import { heardLevelDbfs, toneLevelDbfs, type Voice } from './clients/tone-levels.ts';

const ROOM = 'disks';
const ANNE: Voice = { name: 'anne', frequencyHz: 425, levelDbfs: -12 };
const BERT: Voice = { name: 'bert', frequencyHz: 1_010, levelDbfs: -12 };
const TONES_HZ = [ANNE.frequencyHz, BERT.frequencyHz];
const BEFORE_MS = 6_000;
/** Where other programs share the machine, so much comes and goes; a tick that waits for a disk takes seconds. */
const TICK_MAY_GROW_MS = 50;
const LONGEST_GAP_MS = 500;
/** A mixer holds ten seconds for a disk, and what it gathers for a write. */
const SURVIVED_STALL_MS = 9_000;
const FATAL_STALL_MS = 13_000;
const PATIENT = 60_000;

describe.runIf(peersPresent('ffmpeg') && TestDisk.permitted())('a recording on a bad disk', () => {
  let parley: Parley;
  let anne: ToneCaller;
  let bert: ToneCaller;
  let disk: TestDisk | null;

  beforeEach(async () => {
    disk = null;
    const env = { PARLEY_AUDIO_MIXERS: '1', PARLEY_RECORDING_MIN_FREE_MB: '0', PARLEY_RECORDING_FORMATS: '' };
    parley = await Parley.start({ env });
    await parley.api.createRoom({ name: ROOM });
    anne = await ToneCaller.start({ voice: ANNE, serverPort: parley.sipPort });
    bert = await ToneCaller.start({ voice: BERT, serverPort: parley.sipPort });
    await anne.dial(parley.sipUri(ROOM));
    await bert.dial(parley.sipUri(ROOM));
    await pause(1_000);
  }, PATIENT);

  afterEach(async () => {
    disk?.thaw();
    await Promise.all([anne?.stop(), bert?.stop()]);
    // A server that ends badly must not keep the disk mounted.
    await parley?.program.stop('SIGTERM', 5_000);
    disk?.end();
    await parley?.kill();
  }, PATIENT);

  const recordings = () => join(parley.dataDir, 'recordings');

  /** Ticks of the conference, while nothing is wrong. */
  async function ticksWhile(act: () => Promise<void>): Promise<number> {
    const before = await parley.metrics();
    const startedMs = performance.now();
    await act();
    return tickTimes(before, await parley.metrics(), (performance.now() - startedMs) / 1_000).p999;
  }

  function expectConferenceToGoOn(fromMs: number, toMs: number): void {
    for (const [listener, voice] of [
      [anne, BERT],
      [bert, ANNE],
    ] as const) {
      const times = listener.media.arrivalTimesMs().filter((ms) => ms >= fromMs && ms <= toMs);
      const gaps = times.slice(1).map((ms, index) => ms - times[index]!);
      expect(Math.max(...gaps), `the longest gap that ${listener.voice.name} hears`).toBeLessThan(LONGEST_GAP_MS);
      for (let ms = fromMs; ms + 1_000 < toMs; ms += 1_000) {
        const level = heardLevelDbfs(listener.hearing(), voice.frequencyHz, ms, ms + 1_000);
        expect(level, `${voice.name} for ${listener.voice.name} at ${(ms - fromMs).toFixed(0)} ms`).toBeGreaterThan(
          -25,
        );
      }
    }
  }

  /** Settled when it is told; of the room's events. Nobody may wait any more for one that is never told. */
  function failure(id: string): Promise<RecordingView> {
    const told = failureTold(id);
    told.catch(() => undefined);
    return told;
  }

  async function failureTold(id: string): Promise<RecordingView> {
    const abort = new AbortController();
    try {
      for await (const event of parley.api.events(ROOM, abort.signal)) {
        if (event.type !== 'recording-changed') continue;
        const { recording } = event.data as { recording: RecordingView };
        if (recording.id === id && recording.state === 'failed') return recording;
      }
      throw new Error('the events ended');
    } finally {
      abort.abort();
    }
  }

  async function expectToPlay(id: string, atLeastMs: number): Promise<void> {
    const { durationMs } = (await parley.api.recordings(ROOM)).find((recording) => recording.id === id)!;
    expect(durationMs).toBeGreaterThan(atLeastMs);
    const path = join(parley.dataDir, `${id}.wav`);
    writeFileSync(path, await parley.api.recordingFile(id, 'wav'));
    const samples = await decodedSound(path);
    expect(Math.abs(samples.length / 8 - durationMs!)).toBeLessThan(0.2);
    const half = 4_000;
    // Not the very end, of which half of the last half second may have been lost; nor the prompts, which are above it.
    for (let at = half; at + 2 * half < samples.length; at += half) {
      for (const { frequencyHz, name } of [ANNE, BERT]) {
        const level = toneLevelDbfs({ samples, sampleRateHz: 8_000 }, frequencyHz, at, at + half);
        expect(level, `${name} at ${at / 8} ms`).toBeGreaterThan(-25);
      }
    }
  }

  test(
    'that fills up fails, aloud and with an event; the conference goes on, and what was captured plays',
    async () => {
      disk = TestDisk.small(recordings(), 1_024);
      writeFileSync(join(recordings(), 'ballast'), Buffer.alloc(860 << 10));
      const usual = await ticksWhile(() => pause(BEFORE_MS));
      const startMs = performance.now();
      const { id } = await parley.api.startRecording(ROOM, { tracks: true });
      const failed = failure(id);
      await hearsSpeech(bert, TONES_HZ, startMs);
      let failedMs = 0;
      const full = await ticksWhile(async () => {
        expect((await failed).error).toBe('the disk is full');
        failedMs = performance.now();
        await hearsSpeech(bert, TONES_HZ, failedMs - 500);
        await pause(1_000);
      });
      console.log(
        `full disk: failed after ${(failedMs - startMs).toFixed(0)} ms; tick p99.9 ${usual.toFixed(1)} → ${full.toFixed(1)} ms`,
      );
      expect(full).toBeLessThan(usual + TICK_MAY_GROW_MS);
      expectConferenceToGoOn(startMs, performance.now() - 200);
      expect(await parley.api.room(ROOM)).toMatchObject({ recording: 'off' });
      rmSync(join(recordings(), 'ballast'));
      await expectToPlay(id, failedMs - startMs - 2_000);
    },
    PATIENT,
  );

  test.runIf(LONG_TESTS)(
    'that stalls for less than ten seconds loses nothing',
    async () => {
      disk = TestDisk.stalling(recordings());
      const usual = await ticksWhile(() => pause(BEFORE_MS));
      const { id } = await parley.api.startRecording(ROOM, { tracks: true, announced: false });
      const startMs = performance.now();
      await pause(2_000);
      const stalled = await ticksWhile(async () => {
        disk!.freeze();
        await pause(SURVIVED_STALL_MS);
        disk!.thaw();
      });
      await pause(2_000);
      const ended = await parley.api.stopRecording(ROOM, id);
      const tookMs = performance.now() - startMs;
      console.log(`stall of ${SURVIVED_STALL_MS} ms: tick p99.9 ${usual.toFixed(1)} → ${stalled.toFixed(1)} ms`);
      expect(ended).toMatchObject({ state: 'stopped', error: null });
      expect(Math.abs(ended.durationMs! - tookMs)).toBeLessThan(500);
      expect(stalled).toBeLessThan(usual + TICK_MAY_GROW_MS);
      expectConferenceToGoOn(startMs, performance.now() - 200);
      await expectToPlay(id, tookMs - 500);
    },
    PATIENT,
  );

  test(
    'that stalls for longer fails, aloud and with an event; what was captured before plays',
    async () => {
      disk = TestDisk.stalling(recordings());
      const usual = await ticksWhile(() => pause(BEFORE_MS));
      const { id } = await parley.api.startRecording(ROOM, { tracks: true });
      const startMs = performance.now();
      const failed = failure(id);
      await hearsSpeech(bert, TONES_HZ, startMs - 500);
      const stallMs = performance.now();
      let failedMs = 0;
      const stalled = await ticksWhile(async () => {
        disk!.freeze();
        const thawed = pause(FATAL_STALL_MS).then(() => disk!.thaw());
        expect((await failed).error).toContain('too slow');
        failedMs = performance.now();
        await hearsSpeech(bert, TONES_HZ, failedMs - 500);
        await thawed;
      });
      const times = `told after ${(failedMs - stallMs).toFixed(0)} ms`;
      console.log(`stall of ${FATAL_STALL_MS} ms: ${times}; tick p99.9 ${usual.toFixed(1)} → ${stalled.toFixed(1)} ms`);
      expect(stalled).toBeLessThan(usual + TICK_MAY_GROW_MS);
      expectConferenceToGoOn(startMs, performance.now() - 200);
      await eventually(
        'it is written down',
        async () => (await parley.api.recordings(ROOM)).find((recording) => recording.id === id)!.durationMs,
        (durationMs) => durationMs !== null,
      );
      await expectToPlay(id, stallMs - startMs - 1_000);
    },
    PATIENT,
  );
});
