import { createRequire } from 'node:module';
import { Writable } from 'node:stream';
import { runFfmpeg } from './ffmpeg.ts';
import { JOINED_OPTIONS } from './joined.ts';
import { fitted } from './movie.ts';
import { videoFiles } from './source.ts';
import { type VideoFrame, type VideoIndex, videoIndex } from './video-index.ts';
import { someFrames } from './video-stream.ts';
import { failed, stepOf, type Work, type WorkResult } from './work.ts';

/** What is looked at to find one that shows something. */
const CANDIDATES = 12;
const SMALL = { width: 64, height: 36 };
/** Of the liveliest candidate, how lively the first one must be that is taken. */
const LIVELY_SHARE = 0.5;

const SHEET_SIDE = 4;
const SHEET_TILE = { width: 320, height: 180 };
const SHEET_GAP = 4;

const JPEG: readonly string[] = ['-frames:v', '1', '-c:v', 'mjpeg', '-q:v', '4', '-f', 'image2pipe'];

/** One picture out of the first tenth, and one that shows something, if any does. */
export async function makePoster(work: Work): Promise<WorkResult> {
  const index = await indexOf(work);
  if (index === null) return failed('there is no picture in what was captured');
  const candidates = posterCandidates(index.frames, work.source.durationMs);
  const looked = await looksOf(work, index, candidates);
  if (!looked.ok) return looked;
  const frame = candidates[firstLively(looked.looks)]!;
  return still(work, index, [frame], 'null', 1, 2);
}

/** Up to 16 pictures from beginning to end, each with its time. */
export async function makeSheet(work: Work): Promise<WorkResult> {
  const index = await indexOf(work);
  if (index === null) return failed('there is no picture in what was captured');
  const frames = sheetFrames(index.frames, work.source.durationMs);
  const side = Math.ceil(Math.sqrt(frames.length));
  const rows = Math.ceil(frames.length / side);
  const tile = `tile=${side}x${rows}:padding=${SHEET_GAP}:margin=${SHEET_GAP}`;
  const fit = fitted(SHEET_TILE.width, SHEET_TILE.height);
  const made = await still(work, index, frames, `${fit},${timeText()},${tile}`, 0, 1);
  if (made.ok || made.died || work.signal.aborted) return made;
  // Not every ffmpeg can write.
  return still(work, index, frames, `${fit},${tile}`, 0, 1);
}

async function indexOf({ source, open }: Work): Promise<VideoIndex | null> {
  return videoIndex(await videoFiles(source), open, source.durationMs);
}

/** Indexes into `frames`: some from the first tenth, or of that part of it which has a picture. */
export function posterCandidates(frames: readonly VideoFrame[], durationMs: number): number[] {
  const firstMs = frames[0]?.ms ?? 0;
  const untilMs = firstMs < durationMs / 10 ? durationMs / 10 : firstMs + (durationMs - firstMs) / 10;
  const within = frames.filter(({ ms }) => ms <= untilMs).length;
  const count = Math.min(CANDIDATES, within);
  return Array.from({ length: count }, (_, at) => Math.floor((at * within) / count));
}

/** Indexes into `frames`: what is seen in the middle of each of 16 stretches, none twice. */
export function sheetFrames(frames: readonly VideoFrame[], durationMs: number): number[] {
  const count = SHEET_SIDE * SHEET_SIDE;
  const firstMs = frames[0]?.ms ?? 0;
  const chosen = new Set<number>();
  let frame = 0;
  for (let at = 0; at < count; at++) {
    const ms = firstMs + ((at + 0.5) * (durationMs - firstMs)) / count;
    while (frame + 1 < frames.length && frames[frame + 1]!.ms <= ms) frame++;
    chosen.add(frame);
  }
  return [...chosen];
}

type Looks = { ok: true; looks: number[] } | Exclude<WorkResult, { ok: true }>;

/** How far the brightness of each is spread: its standard deviation. */
async function looksOf(work: Work, index: VideoIndex, frames: readonly number[]): Promise<Looks> {
  const chunks: Buffer[] = [];
  const { width, height } = SMALL;
  const size = `scale=${width}:${height}:flags=area,format=gray`;
  const seen = await runFfmpeg({
    ...stepOf(work, 0, 2),
    inputs: [{ source: someFrames(index, work.open, frames), options: JOINED_OPTIONS }],
    // Each once, at an even pace, as their own would be filled up.
    options: ['-vf', `${only(index, frames)},${size},setpts=N/25/TB`, '-r', '25', '-f', 'rawvideo'],
    target: new Writable({
      emitClose: false,
      write(chunk: Buffer, _encoding, done) {
        chunks.push(chunk);
        done();
      },
    }),
  });
  if (!seen.ok) return seen;
  const pixels = Buffer.concat(chunks);
  const octets = width * height;
  if (pixels.length < octets) return failed('no picture could be decoded');
  const count = Math.min(frames.length, Math.floor(pixels.length / octets));
  const looks = Array.from({ length: count }, (_, at) => deviation(pixels.subarray(at * octets, (at + 1) * octets)));
  return { ok: true, looks };
}

function deviation(pixels: Buffer): number {
  let sum = 0;
  let squares = 0;
  for (const pixel of pixels) {
    sum += pixel;
    squares += pixel * pixel;
  }
  return Math.sqrt(Math.max(0, squares / pixels.length - (sum / pixels.length) ** 2));
}

/** Which one shows something, beside the others. */
export function firstLively(looks: readonly number[]): number {
  const enough = Math.max(...looks) * LIVELY_SHARE;
  return looks.findIndex((look) => look >= enough);
}

function still(
  work: Work,
  index: VideoIndex,
  frames: readonly number[],
  filter: string,
  step: number,
  steps: number,
): Promise<WorkResult> {
  return runFfmpeg({
    ...stepOf(work, step, steps),
    inputs: [{ source: someFrames(index, work.open, frames), options: JOINED_OPTIONS }],
    options: ['-vf', `${only(index, frames)},${filter},format=yuvj420p`, ...JPEG],
    target: work.targetPath,
  });
}

/** Time stamps are in milliseconds, as the stream has them. */
function only(index: VideoIndex, frames: readonly number[]): string {
  return `select='${frames.map((frame) => `eq(pts,${index.frames[frame]!.ms})`).join('+')}'`;
}

/** In the lower left corner: hours, minutes, seconds. */
function timeText(): string {
  const font = fontFile();
  const file = font === null ? '' : `fontfile=${font}:`;
  const look = 'fontsize=16:fontcolor=white:box=1:boxcolor=black@0.6:boxborderw=4:x=8:y=h-th-8';
  return `drawtext=${file}${look}:text='%{pts\\:gmtime\\:0\\:%H\\\\\\:%M\\\\\\:%S}'`;
}

/** As it stands in a filter graph; null: ffmpeg has to find one. */
function fontFile(): string | null {
  try {
    const path = createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf');
    // Once for the filter's options, and once for the graph.
    return path.replace(/[\\':]/g, '\\$&').replace(/[\\'[\],;]/g, '\\$&');
  } catch {
    return null;
  }
}
