import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RecordingView } from '../../server/rooms/views.ts';
import { LONG_TESTS } from '../long-tests.ts';
import { FRAME_MS, type SeenFrame } from '../recording/movies.ts';
import { Parley } from './clients/parley.ts';
import { eventually, pause } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { PICTURES } from './clients/video/coded-source.ts';
import { counterOf, type Movie, readMovie, seenLaterMs, startsMs } from './clients/video/movie.ts';
import { PATTERN_MS } from './clients/video/tone-stream.ts';
import type { VideoCaller } from './clients/video/video-caller.ts';
import { colourNumberOf, idIn, videoCaller, voiceOf } from './clients/video/video-party.ts';
import { codesInFile, FULL, LEFT_OF_TWO, type Places, RIGHT_OF_TWO, shows } from './clients/video/what-is-seen.ts';

const ROOM = 'filmed';
const ANNE = colourNumberOf('anne');
const BERT = colourNumberOf('bert');
const BOTH: Places = { [ANNE]: LEFT_OF_TWO, [BERT]: RIGHT_OF_TWO };
/** The issue's. */
const IN_STEP_MS = 40;
const SHOWN_WITHIN_MS = 10_000;

describe.runIf(peersPresent('ffmpeg'))('a room with video is recorded', () => {
  let parley: Parley;
  let callers: VideoCaller[];
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'parley-filmed-'));
    callers = [];
  });
  afterEach(async () => {
    await Promise.all(callers.map((caller) => caller.stop()));
    await parley?.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  async function filmed(env: Record<string, string> = {}): Promise<void> {
    parley = await Parley.start({ video: true, env: { PARLEY_AUDIO_MIXERS: '1', ...env } });
    await parley.api.createRoom({ name: ROOM, recordingAnnounced: false });
    for (const name of ['anne', 'bert'] as const) {
      const caller = await videoCaller(parley, name);
      callers.push(caller);
      await caller.dial(parley.sipUri(ROOM));
    }
    await bothSeen();
    // Pictures are brought in step with the sound as sender reports tell of both.
    await pause(2_000);
  }

  const bothSeen = (): Promise<unknown> =>
    callers[0]!.receiving.seen('both', (picture) => shows(picture, BOTH), SHOWN_WITHIN_MS);

  const directory = (id: string): string => join(parley.dataDir, 'recordings', id);

  async function recorded(id: string, format: 'mp4' | 'webm' | 'mkv' = 'mp4'): Promise<Movie> {
    const path = join(folder, `${id}.${format}`);
    writeFileSync(path, await parley.api.recordingFile(id, format));
    return readMovie(path);
  }

  async function begun(): Promise<RecordingView> {
    const { id } = await parley.api.startRecording(ROOM);
    return eventually(
      'the picture is recorded',
      async () => (await parley.api.recordings(ROOM)).find((recording) => recording.id === id)!,
      ({ video }) => video,
    );
  }

  test('and shows and says the same thing at the same moment, in each format', { timeout: 120_000 }, async () => {
    await filmed();
    const { id } = await begun();
    await pause(8_000);
    const ended = await parley.api.stopRecording(ROOM, id);
    expect(ended).toMatchObject({ state: 'stopped', video: true, videoError: null, error: null });
    for (const format of ['mp4', 'mkv', 'webm'] as const) {
      const movie = await recorded(id, format);
      const clean = movie.frames.filter((frame) => shows(frame, BOTH));
      expect(clean.length, format).toBeGreaterThan(0.95 * movie.frames.length);
      expect(movie.frames.length, format).toBeGreaterThan(150);
      expect(Math.abs(movie.sound.length / 8 - ended.durationMs!)).toBeLessThan(100);
      expectInStep(movie, `${format}, both`);
    }
    const poster = codesInFile(await parley.api.recordingFile(id, 'poster'));
    expect(shows({ codes: poster }, BOTH), JSON.stringify(poster)).toBe(true);
    expect((await parley.api.recordingFile(id, 'sheet')).subarray(0, 2)).toEqual(Buffer.of(0xff, 0xd8));
  });

  test('without what is in a pause, in picture and sound alike', { timeout: 120_000 }, async () => {
    await filmed();
    const { id } = await begun();
    await pause(5_000);
    await parley.api.pauseRecording(ROOM, id, true);
    await pause(3_330);
    await parley.api.pauseRecording(ROOM, id, false);
    await pause(5_000);
    const { durationMs } = await parley.api.stopRecording(ROOM, id);
    const movie = await recorded(id);
    const cut = jumpIn(movie.frames, ANNE);
    const [last, next] = [movie.frames[cut - 1]!, movie.frames[cut]!];
    const leftOut = FRAME_MS * picturesBetween(last, next, ANNE) - (next.ms - last.ms);
    console.log(
      `${leftOut} ms are left out of the picture; it stands ${next.ms - last.ms} ms; ${durationMs} ms in all`,
    );
    expect(leftOut).toBeGreaterThan(3_200);
    expect(leftOut).toBeLessThan(3_900);
    expect(next.ms - last.ms).toBeLessThan(500);
    const until = (ms: number) => movie.sound.subarray(0, Math.floor(8 * ms));
    expectInStep({ frames: movie.frames.slice(0, cut), sound: until(last.ms) }, 'before the pause');
    const after = { frames: movie.frames.slice(cut), sound: movie.sound.slice().fill(0, 0, Math.floor(8 * next.ms)) };
    expectInStep(after, 'after it');
  });

  test('also when the video mixer is killed: the sound has no gap, and the picture goes on in step', {
    timeout: 120_000,
  }, async () => {
    await filmed({ PARLEY_RECORDING_KEY: 'ab'.repeat(32) });
    const { id } = await begun();
    await pause(5_000);
    const [pid] = parley.videoMixerPids();
    process.kill(pid!, 'SIGKILL');
    const killedAt = performance.now();
    await eventually(
      'a second part of the picture',
      () => readdirSync(directory(id)).includes('video-2.mkv.sealed'),
      (isThere) => isThere,
    );
    console.log(`the picture is recorded again after ${(performance.now() - killedAt).toFixed(0)} ms`);
    await bothSeen();
    await pause(8_000);
    const ended = await parley.api.stopRecording(ROOM, id);
    expect(ended).toMatchObject({ state: 'stopped', video: true, videoError: null, encrypted: true });
    const movie = await recorded(id);
    expect(readdirSync(directory(id)).filter((name) => !name.endsWith('.sealed'))).toEqual(['recording.json']);
    const entry = JSON.parse(readFileSync(join(directory(id), 'recording.json'), 'utf8'));
    expect(entry.videoParts.map(({ number }: { number: number }) => number)).toEqual([1, 2]);
    expect(entry.parts).toHaveLength(1);
    const backMs = entry.videoParts[1].startMs;
    expect(longestSilenceMs(movie.sound)).toBeLessThan(100);
    // Nothing of it is left out or moved, but for what jitter buffers do.
    const starts = startsMs(movie.sound, voiceOf('anne'));
    for (const [index, ms] of starts.slice(1).entries()) {
      expect(Math.abs(ms - starts[index]! - PATTERN_MS)).toBeLessThan(IN_STEP_MS);
    }
    const cut = movie.frames.findIndex(({ ms }) => ms >= backMs);
    expectInStep({ ...movie, frames: movie.frames.slice(0, cut) }, 'before the kill');
    // The new mixer learns first how late the sound is.
    const settled = movie.frames.filter(({ ms }) => ms > backMs + 5_000);
    expect(settled.length).toBeGreaterThan(50);
    expectInStep({ ...movie, frames: settled }, 'after it');
  });

  test.runIf(LONG_TESTS)(
    'also when the server is killed: what there is of it is finished at the next start',
    {
      timeout: 120_000,
    },
    async () => {
      await filmed();
      const { id } = await begun();
      await pause(5_000);
      await parley.crash();
      await parley.startAgain();
      const [found] = await parley.api.recordings(ROOM);
      expect(found).toMatchObject({ id, state: 'stopped', video: true });
      const movie = await recorded(id);
      expect(movie.frames.at(-1)!.ms).toBeGreaterThan(found!.durationMs! - 1_500);
      expectInStep(movie, 'after a kill of the server');
    },
  );

  test('without who may not be recorded', { timeout: 120_000 }, async () => {
    await filmed();
    await parley.api.updateParticipant(ROOM, await idIn(parley, ROOM, 'bert'), { recorded: false });
    const { id } = await begun();
    await pause(5_000);
    const seen = callers[0]!.receiving.pictures.slice(-50).filter((picture) => shows(picture, BOTH));
    expect(seen.length).toBeGreaterThan(45);
    await parley.api.stopRecording(ROOM, id);
    const movie = await recorded(id);
    expect(movie.frames.filter(({ codes }) => codes.some(({ sender }) => sender === BERT))).toEqual([]);
    const alone = movie.frames.filter((frame) => shows(frame, { [ANNE]: FULL }));
    expect(alone.length).toBeGreaterThan(0.95 * movie.frames.length);
    expect(startsMs(movie.sound, voiceOf('bert'))).toEqual([]);
    expect(startsMs(movie.sound, voiceOf('anne')).length).toBeGreaterThan(1);
  });

  test.runIf(LONG_TESTS)(
    'from when somebody has video, and not where the room does not want it',
    { timeout: 120_000 },
    async () => {
      parley = await Parley.start({ video: true, env: { PARLEY_AUDIO_MIXERS: '1' } });
      await parley.api.createRoom({ name: ROOM, recordingAnnounced: false });
      callers.push(await videoCaller(parley, 'anne', { video: null }));
      await callers[0]!.dial(parley.sipUri(ROOM));
      const { id } = await parley.api.startRecording(ROOM);
      await pause(3_000);
      callers.push(await videoCaller(parley, 'bert'));
      await callers[1]!.dial(parley.sipUri(ROOM));
      await pause(4_000);
      const ended = await parley.api.stopRecording(ROOM, id);
      const movie = await recorded(id);
      const first = movie.frames.findIndex(({ codes }) => codes.length > 0);
      expect(movie.frames[first]!.ms).toBeGreaterThan(3_000);
      expect(Math.abs(movie.sound.length / 8 - ended.durationMs!)).toBeLessThan(100);

      await parley.api.updateRoom(ROOM, { recordVideo: false });
      const without = await parley.api.startRecording(ROOM);
      await pause(1_000);
      expect(await parley.api.stopRecording(ROOM, without.id)).toMatchObject({ video: false });
      expect(readdirSync(directory(without.id)).filter((name) => name.startsWith('video'))).toEqual([]);
      const text = parley.api.recordingFile(without.id, 'poster');
      await expect(text).rejects.toThrow('there is no picture in what was captured');
    },
  );
});

/** Senders begin anew when they have sent all that they have. */
function picturesBetween(one: SeenFrame, other: SeenFrame, who: number): number {
  return (counterOf(other, who) - counterOf(one, who) + PICTURES) % PICTURES;
}

/** Where somebody's pictures go on that had stopped. */
function jumpIn(frames: readonly SeenFrame[], who: number): number {
  return frames.findIndex((frame, at) => at > 0 && picturesBetween(frames[at - 1]!, frame, who) > 20);
}

function longestSilenceMs(sound: Float32Array): number {
  let loudAt = 0;
  let longest = 0;
  for (const [at, sample] of sound.entries()) {
    if (Math.abs(sample) < 0.02) continue;
    longest = Math.max(longest, at - loudAt);
    loudAt = at;
  }
  return Math.max(longest, sound.length - loudAt) / 8;
}

/** Each sender's pictures are seen when the tone is heard that they sent with them. */
function expectInStep(movie: Movie, what: string): void {
  for (const name of ['anne', 'bert'] as const) {
    const { least, median, most } = seenLaterMs(movie, { voice: voiceOf(name), sender: colourNumberOf(name) });
    const figures = `${what}: ${name} is seen ${least.toFixed(0)} … ${median.toFixed(0)} … ${most.toFixed(0)} ms later than heard`;
    console.log(figures);
    expect(Math.abs(median), figures).toBeLessThanOrEqual(IN_STEP_MS);
  }
}
