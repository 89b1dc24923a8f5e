import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sealStream } from '../../sealed/sealer.ts';
import { findFfmpeg } from '../../server/recordings/finishing/ffmpeg-binary.ts';
import { type FinishedFile, Finishing } from '../../server/recordings/finishing/finishing.ts';
import type { FinishedSource } from '../../server/recordings/finishing/source.ts';
import { firstLively, posterCandidates, sheetFrames } from '../../server/recordings/finishing/stills.ts';
import type { RecordingFormat } from '../../server/rooms/views.ts';
import { peersPresent } from '../e2e/clients/peer-programs.ts';
import { codesInFile } from '../e2e/clients/video/what-is-seen.ts';
import { bursts, onsetsMs, writeCapture } from './captures.ts';
import { encodedUnits, FRAME_MS, offStepMs, seenIn, type Unit, writeVideo } from './movies.ts';
import { play } from './tone.ts';

const system = await findFfmpeg(process.env['PATH'] ?? '');
const packaged = await findFfmpeg('');
const KEY = createHash('sha256').update('a key').digest();
/** Time stamps of captures are whole milliseconds, and those of files near enough. */
const ROUNDING_MS = 2;
const OPUS_DELAY_MS = 6.5;
const SENDER = 3;

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'parley-movies-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const path = (name: string): string => join(directory, name);

function source(durationMs: number, videoStartsMs: readonly number[], more: Partial<FinishedSource> = {}) {
  return {
    ...{ id: 'a', room: 'demo', directory, parts: [{ number: 1, startMs: 0 }], durationMs },
    videoParts: videoStartsMs.map((startMs, index) => ({ number: index + 1, startMs })),
    ...{ startedAt: '2026-01-02T03:04:05.000Z', sealed: false },
    ...more,
  };
}

async function made(from: FinishedSource, format: RecordingFormat, ffmpeg: string | null = system) {
  const finishing = new Finishing({
    ...{ log: { warn: () => undefined }, key: KEY, changed: () => undefined, findFfmpeg: async () => ffmpeg },
  });
  const file: FinishedFile = await finishing.file(from, format, false);
  if (!file.ok) throw new Error(file.reason);
  expect(readdirSync(directory).filter((name) => name.endsWith('.part'))).toEqual([]);
  return file;
}

const sound = (durationMs: number) =>
  writeCapture(path('mix-1.mka'), 'opus', [{ fromMs: 0, toMs: durationMs }], bursts(440));
/** Taken at the moments that their counters tell, from this one on. */
const units = (firstCounter: number, count: number, more = {}): Unit[] =>
  encodedUnits({ sender: SENDER, firstCounter, count, ...more });
const evenly = (index: number): number => index * FRAME_MS;

async function soundOffsetsMs(file: string): Promise<number[]> {
  return onsetsMs(await play(file)).map((ms) => ms - 1000 * Math.round(ms / 1000));
}

function probe(file: string): string {
  return spawnSync('ffmpeg', ['-hide_banner', '-i', file], { encoding: 'utf8' }).stderr;
}

const worst = (offsets: readonly number[]): number => Math.max(...offsets.map(Math.abs));

describe.runIf(peersPresent('ffmpeg'))('a recording with a picture', () => {
  describe.each([
    ['the system', system],
    ['npm', packaged],
  ])('by the ffmpeg of %s', (_of, ffmpeg) => {
    it.runIf(ffmpeg !== null).each<[RecordingFormat, RegExp]>([
      ['mp4', /Video: h264.*Baseline/],
      ['mkv', /Video: h264.*Baseline/],
      ['webm', /Video: vp8/],
    ])('as %s shows each picture when its sound is heard', { timeout: 60_000 }, async (format, codec) => {
      await sound(9000);
      // From 2 s to 5 s, and after a mixer died from 6 s to 8 s.
      await writeVideo(path('video-1.mkv'), units(50, 75), evenly);
      await writeVideo(path('video-2.mkv'), units(150, 50), evenly);
      const { path: file } = await made(source(9000, [2000, 6000]), format, ffmpeg);
      expect(probe(file)).toMatch(codec);
      expect(worst(await soundOffsetsMs(file))).toBeLessThan(OPUS_DELAY_MS + 5);
      const [first, ...frames] = seenIn(file);
      // It stands before anything moves.
      expect([first!.ms, first!.codes[0]!.counter]).toEqual([0, 50]);
      expect(frames.map(({ codes }) => codes[0]?.counter)).toEqual([
        ...Array.from({ length: 74 }, (_, at) => 51 + at),
        ...Array.from({ length: 50 }, (_, at) => 150 + at),
      ]);
      expect(worst(offStepMs(frames, SENDER))).toBeLessThanOrEqual(ROUNDING_MS);
    });
  });

  it('as MP4 has a picture that is as long as the sound, and a key frame where the capture has one', async () => {
    await sound(4000);
    await writeVideo(path('video-1.mkv'), units(0, 75, { keyEvery: 25 }), evenly);
    const { path: file } = await made(source(4000, [0]), 'mp4');
    const shown = ['-v', 'error', '-select_streams', 'v', '-of', 'csv=p=0'];
    const entries = (...what: string[]) => String(spawnSync('ffprobe', [...shown, ...what, file]).stdout);
    expect(Number(entries('-show_entries', 'stream=duration'))).toBeCloseTo(4, 1);
    const keys = entries('-show_entries', 'packet=pts_time,flags')
      .split('\n')
      .filter((line) => line.includes(',K'));
    expect(keys.map((line) => Number.parseFloat(line))).toEqual([0, 1, 2]);
  });

  it('is copied octet for octet into MP4, where all of it is of one making', async () => {
    await sound(2000);
    const all = units(0, 50);
    await writeVideo(path('video-1.mkv'), all, evenly);
    const { path: file } = await made(source(2000, [0]), 'mp4');
    const slices = [all[10]!, all[40]!].map(({ data }) => data.subarray(4));
    const bytes = await readFile(file);
    for (const slice of slices) expect(bytes.includes(slice)).toBe(true);
  });

  it('is encoded anew where its size changes, with bars where the shape does', { timeout: 60_000 }, async () => {
    await sound(4000);
    await writeVideo(path('video-1.mkv'), units(0, 50), evenly);
    const portrait = { width: 180, height: 320 };
    await writeVideo(path('video-2.mkv'), units(50, 50, portrait), evenly, portrait);
    const { path: file } = await made(source(4000, [0, 2000]), 'mp4');
    expect(probe(file)).toMatch(/Video: h264.* 320x320/);
    const frames = seenIn(file, 640, 640);
    expect(frames).toHaveLength(100);
    expect(frames.every(({ codes }) => codes.length === 1)).toBe(true);
    expect(frames[20]!.codes[0]!.rect).toMatchObject({ x: 0, width: 640 });
    expect(frames[70]!.codes[0]!.rect).toMatchObject({ y: 0, height: 640 });
    expect(worst(offStepMs(frames, SENDER))).toBeLessThanOrEqual(ROUNDING_MS);
  });

  it('is encoded anew where an encoder was opened with other settings', { timeout: 60_000 }, async () => {
    await sound(4000);
    const mixed = [...units(0, 50), ...units(50, 50, { preset: 'slow' })];
    await writeVideo(path('video-1.mkv'), mixed, evenly);
    for (const format of ['mp4', 'mkv'] as const) {
      const frames = seenIn((await made(source(4000, [0]), format)).path);
      expect(frames.map(({ codes }) => codes[0]?.counter)).toEqual(Array.from({ length: 100 }, (_, at) => at));
      expect(worst(offStepMs(frames, SENDER))).toBeLessThanOrEqual(ROUNDING_MS);
    }
  });

  it('ends with its sound, whatever more there is of the picture', async () => {
    await sound(1000);
    await writeVideo(path('video-1.mkv'), units(0, 50), evenly);
    const frames = seenIn((await made(source(1000, [0]), 'mp4')).path);
    expect(frames.at(-1)!.codes[0]!.counter).toBe(24);
  });

  it('has captions in MP4 and Matroska, and none where nobody spoke', async () => {
    await sound(3000);
    await writeVideo(path('video-1.mkv'), units(0, 50), evenly);
    expect(probe((await made(source(3000, [0], { id: 'quiet' }), 'mp4')).path)).not.toContain('Subtitle');
    await rm(path('finished-mix.mp4'));
    const line = (t: number, more: object) => `${JSON.stringify({ t, at: '', participant: 'ann', ...more })}\n`;
    const lines = [
      line(0, { type: 'joined', name: 'Ann <A>', uri: 'sip:ann' }),
      line(500, { type: 'talking', on: true }),
      line(2000, { type: 'talking', on: false }),
    ];
    await writeFile(path('timeline.jsonl'), lines.join(''));
    for (const format of ['mp4', 'mkv'] as const) {
      const { path: file } = await made(source(3000, [0]), format);
      const text = spawnSync('ffmpeg', ['-v', 'error', '-i', file, '-map', '0:s:0', '-f', 'srt', '-']).stdout;
      expect(String(text)).toContain('00:00:00,500 --> 00:00:02,000\nAnn ‹A›');
    }
  });

  it('that is encrypted is decrypted on its way', async () => {
    await writeCapture(path('plain'), 'opus', [{ fromMs: 0, toMs: 2000 }], bursts(440));
    const pieces: Buffer[] = [];
    for await (const piece of sealStream(KEY).end(readFileSync(path('plain')))) pieces.push(piece as Buffer);
    await writeFile(path('mix-1.mka.sealed'), Buffer.concat(pieces));
    await rm(path('plain'));
    await writeVideo(path('video-1.mkv.sealed'), units(0, 50), evenly, { key: KEY });
    expect(readFileSync(path('video-1.mkv.sealed')).includes('matroska')).toBe(false);
    const from = source(2000, [0], { sealed: true });
    for (const format of ['mp4', 'poster', 'sheet'] as const) {
      const file = await made(from, format);
      expect(file.path.endsWith('.sealed')).toBe(true);
      expect(file.bytes).toBeGreaterThan(1000);
    }
    expect(readdirSync(directory).filter((name) => !name.endsWith('.sealed'))).toEqual([]);
  });

  it('cut off anywhere shows what there is of it', { timeout: 60_000 }, async () => {
    await sound(2000);
    await writeVideo(path('video-1.mkv'), units(0, 50), evenly);
    const { size } = statSync(path('video-1.mkv'));
    for (const share of [0.9, 0.6, 0.6]) {
      await truncate(path('video-1.mkv'), Math.floor(size * share));
      const { path: file } = await made(source(2000, [0], { id: String(share) }), 'mp4');
      const counters = seenIn(file).map(({ codes }) => codes[0]?.counter);
      expect(counters.length).toBeGreaterThan(0);
      expect(counters).toEqual(counters.map((_, at) => at));
      expect(worst(await soundOffsetsMs(file))).toBeLessThan(OPUS_DELAY_MS + 5);
      await rm(file);
    }
  });

  it('of which nothing was captured is sound alone', async () => {
    await sound(2000);
    await writeFile(path('video-1.mkv'), '');
    const { path: file } = await made(source(2000, [0]), 'mp4');
    expect(probe(file)).not.toContain('Video:');
    expect(worst(await soundOffsetsMs(file))).toBeLessThan(OPUS_DELAY_MS + 5);
    await expect(made(source(2000, [0]), 'poster')).rejects.toThrow('there is no picture in what was captured');
    await expect(made(source(2000, [0]), 'sheet')).rejects.toThrow('there is no picture in what was captured');
  });

  it.runIf(packaged !== null).each([
    ['the system', system],
    ['npm', packaged],
  ])('has a poster of the first tenth that is not blank, by the ffmpeg of %s', async (_of, ffmpeg) => {
    await sound(10_000);
    await writeVideo(path('video-1.mkv'), units(0, 250, { black: 12 }), evenly);
    const { path: file } = await made(source(10_000, [0]), 'poster', ffmpeg);
    const [code] = codesInFile(await readFile(file));
    expect(code!.sender).toBe(SENDER);
    expect(code!.counter).toBeGreaterThanOrEqual(12);
    expect(code!.counter).toBeLessThanOrEqual(25);
    expect(probe(file)).toMatch(/mjpeg.* 320x180/);
  });

  it.runIf(packaged !== null).each([
    ['the system', system],
    ['npm', packaged],
  ])('has a sheet of 16 pictures from beginning to end, by the ffmpeg of %s', async (_of, ffmpeg) => {
    await sound(16_000);
    await writeVideo(path('video-1.mkv'), units(0, 400, { width: 640, height: 360 }), evenly, {
      width: 640,
      height: 360,
    });
    const { path: file } = await made(source(16_000, [0]), 'sheet', ffmpeg);
    const [shown] = seenIn(file, 1300, 740);
    const inOrder = shown!.codes.sort((one, other) => one.counter - other.counter);
    expect(inOrder.map(({ counter }) => counter)).toEqual(Array.from({ length: 16 }, (_, at) => 12 + 25 * at));
    expect(Math.abs(inOrder[5]!.rect.x - 328)).toBeLessThan(8);
    expect(Math.abs(inOrder[5]!.rect.y - 188)).toBeLessThan(8);
  });
});

describe('which pictures are taken', () => {
  const frames = (fromMs: number, toMs: number) =>
    Array.from({ length: (toMs - fromMs) / 40 }, (_, at) => ({ ms: fromMs + 40 * at, key: at % 50 === 0 }));

  it('for a poster: from the first tenth, or the first tenth of that which has a picture', () => {
    const early = frames(0, 100_000);
    expect(posterCandidates(early, 100_000).every((at) => early[at]!.ms <= 10_000)).toBe(true);
    expect(posterCandidates(early, 100_000)).toHaveLength(12);
    const late = frames(50_000, 100_000);
    expect(Math.max(...posterCandidates(late, 100_000).map((at) => late[at]!.ms))).toBeLessThanOrEqual(55_000);
    expect(posterCandidates(frames(0, 40), 10_000)).toEqual([0]);
    expect(firstLively([0, 3, 30, 50])).toBe(2);
    expect(firstLively([0, 0])).toBe(0);
  });

  it('for a sheet: as many as there are others, none twice', () => {
    expect(sheetFrames(frames(0, 80), 10_000)).toEqual([1]);
    const gap = [...frames(0, 2000), ...frames(30_000, 32_000)];
    const taken = sheetFrames(gap, 32_000);
    expect(new Set(taken).size).toBe(taken.length);
    expect(taken.length).toBeLessThan(16);
  });
});
