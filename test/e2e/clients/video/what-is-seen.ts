import { spawnSync } from 'node:child_process';
import { readCodes, type SeenCode } from '../../../video/coded-picture/read-codes.ts';
import type { Rect } from '../../../video/coded-picture/yuv-picture.ts';
import { inShares, LOOK_HEIGHT, LOOK_WIDTH } from './look.ts';
import type { SeenPicture } from './video-receiver.ts';

/** Sender and place, as shares of the picture's sides. */
export type Places = Readonly<Record<number, Rect>>;

/** Tiles have gaps between them, and names on them. */
const TOLERANCE = 0.035;

function isAt(found: Rect, wanted: Rect): boolean {
  return (
    Math.abs(found.x - wanted.x) <= TOLERANCE &&
    Math.abs(found.y - wanted.y) <= TOLERANCE &&
    Math.abs(found.x + found.width - wanted.x - wanted.width) <= TOLERANCE &&
    Math.abs(found.y + found.height - wanted.y - wanted.height) <= TOLERANCE
  );
}

/** Whether these are seen at these places, and nobody else. */
export function shows(picture: { codes: readonly SeenCode[] } | undefined, places: Places): boolean {
  if (picture?.codes.length !== Object.keys(places).length) return false;
  return picture.codes.every(({ sender, rect }) => places[sender] !== undefined && isAt(rect, places[sender]));
}

export const FULL: Rect = { x: 0, y: 0, width: 1, height: 1 };
/** Two are cut to 4:3. */
export const LEFT_OF_TWO: Rect = { x: 0, y: 0.18, width: 0.5, height: 0.64 };
export const RIGHT_OF_TWO: Rect = { x: 0.5, y: 0.18, width: 0.5, height: 0.64 };
export const TOP_LEFT: Rect = { x: 0, y: 0, width: 0.5, height: 0.5 };
export const TOP_RIGHT: Rect = { x: 0.5, y: 0, width: 0.5, height: 0.5 };
export const BOTTOM_MIDDLE: Rect = { x: 0.25, y: 0.5, width: 0.5, height: 0.5 };

/** Milliseconds for which somebody's picture stood still, or was not there, at most; by the time of arrival. */
export function longestStandstillMs(
  pictures: readonly SeenPicture[],
  who: number,
  fromMs: number,
  toMs: number,
): number {
  let changedMs = fromMs;
  let counter: number | null = null;
  let longest = 0;
  for (const { arrivedMs, codes } of pictures) {
    if (arrivedMs < fromMs || arrivedMs > toMs) continue;
    const code = codes.find(({ sender }) => sender === who);
    if (!code || code.counter === counter) continue;
    counter = code.counter;
    longest = Math.max(longest, arrivedMs - changedMs);
    changedMs = arrivedMs;
  }
  return Math.max(longest, toMs - changedMs);
}

/** The codes in a picture file of any kind and size, as shares of its sides. */
export function codesInFile(file: Buffer): SeenCode[] {
  const scaled = [
    '-vf',
    `scale=${LOOK_WIDTH}:${LOOK_HEIGHT}`,
    '-frames:v',
    '1',
    '-f',
    'rawvideo',
    '-pix_fmt',
    'yuv420p',
  ];
  const { stdout, stderr, status } = spawnSync('ffmpeg', ['-v', 'error', '-i', '-', ...scaled, '-'], {
    input: file,
    maxBuffer: 1 << 24,
  });
  if (status !== 0) throw new Error(String(stderr));
  return inShares(readCodes({ width: LOOK_WIDTH, height: LOOK_HEIGHT, data: stdout }));
}

/** The spread of brightness at a place: 0 where all is of one colour. */
export function unevenness(data: Uint8Array, place: Rect): number {
  const from = { x: Math.round(place.x * LOOK_WIDTH), y: Math.round(place.y * LOOK_HEIGHT) };
  const to = { x: from.x + Math.round(place.width * LOOK_WIDTH), y: from.y + Math.round(place.height * LOOK_HEIGHT) };
  const levels: number[] = [];
  for (let y = from.y; y < to.y; y++) for (let x = from.x; x < to.x; x++) levels.push(data[y * LOOK_WIDTH + x]!);
  const mean = levels.reduce((sum, level) => sum + level, 0) / levels.length;
  return Math.sqrt(levels.reduce((sum, level) => sum + (level - mean) ** 2, 0) / levels.length);
}
