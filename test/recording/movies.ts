import { spawnSync } from 'node:child_process';
import { type NalBounds, nextNalUnit } from '../../mixer/video/rtp/h264-nal.ts';
import { VideoFile } from '../../mixer/video/video-file.ts';
import { CodedPicture } from '../video/coded-picture/draw-code.ts';
import { readCodes, type SeenCode } from '../video/coded-picture/read-codes.ts';
import { bytesOfPicture } from '../video/coded-picture/yuv-picture.ts';

/** Pictures whose counter tells when they were taken, as a mixer encodes and writes them; and what is seen in files. */

/** Milliseconds between two counters. */
export const FRAME_MS = 40;

export interface Unit {
  /** Annex B, with its parameter sets if it is a key frame. */
  data: Buffer;
  key: boolean;
}

export interface Encoded {
  sender: number;
  firstCounter: number;
  count: number;
  width?: number;
  height?: number;
  keyEvery?: number;
  /** Of x264. */
  preset?: string;
  /** Of the first so many nothing is to be seen: they are all black. */
  black?: number;
}

export function encodedUnits(options: Encoded): Unit[] {
  const { sender, firstCounter, count, width = 320, height = 180, keyEvery = 50 } = options;
  const { preset = 'ultrafast', black = 0 } = options;
  const picture = new CodedPicture(sender, width, height);
  const blackPicture = Buffer.alloc(bytesOfPicture(width, height), 16).fill(128, width * height);
  const raw = Array.from({ length: count }, (_, at) =>
    at < black ? blackPicture : Buffer.from(picture.draw(firstCounter + at).data),
  );
  const input = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${width}x${height}`, '-r', '25', '-i', '-'];
  const codec = ['-c:v', 'libx264', '-profile:v', 'baseline', '-preset', preset, '-tune', 'zerolatency'];
  const keys = ['-g', String(keyEvery), '-x264-params', 'aud=1:repeat-headers=1:scenecut=0:sliced-threads=0'];
  const { stdout, stderr, status } = spawnSync(
    'ffmpeg',
    ['-v', 'error', ...input, ...codec, ...keys, '-threads', '1', '-f', 'h264', '-'],
    { input: Buffer.concat(raw), maxBuffer: 1 << 28 },
  );
  if (status !== 0) throw new Error(String(stderr));
  return accessUnits(stdout);
}

const DELIMITER = 9;
const IDR = 5;

function accessUnits(stream: Buffer): Unit[] {
  const units: Unit[] = [];
  const bounds: NalBounds = { start: 0, end: 0 };
  for (let at = 0; nextNalUnit(stream, at, bounds); at = bounds.end) {
    const type = stream[bounds.start]! & 0x1f;
    if (type === DELIMITER) {
      units.push({ data: Buffer.alloc(0), key: false });
      continue;
    }
    const unit = units.at(-1)!;
    unit.data = Buffer.concat([unit.data, Buffer.of(0, 0, 0, 1), stream.subarray(bounds.start, bounds.end)]);
    unit.key ||= type === IDR;
  }
  return units;
}

/** Writes what a video mixer would. Positions are in the part; the counter tells the one in the recording. */
export async function writeVideo(
  path: string,
  units: readonly Unit[],
  positionMs: (index: number) => number,
  { width = 320, height = 180, key = null }: { width?: number; height?: number; key?: Uint8Array | null } = {},
): Promise<void> {
  const file = new VideoFile({
    ...{ path, title: 'test', startedAt: new Date('2026-01-02T03:04:05Z'), key },
    failed: (reason) => {
      throw new Error(reason);
    },
  });
  await file.open();
  for (const [index, unit] of units.entries()) {
    file.write(unit.data, unit.key, positionMs(index), { width, height });
    // The disk knows of no virtual time.
    do await new Promise((resolve) => setImmediate(resolve));
    while (!file.idle);
  }
  await file.finish();
}

export interface SeenFrame {
  ms: number;
  codes: SeenCode[];
}

/** All pictures of a file with their times, as a player shows them. */
export function seenIn(path: string, width = 320, height = 180, ffmpeg = 'ffmpeg'): SeenFrame[] {
  const filter = `scale=${width}:${height},showinfo`;
  const { stdout, stderr, status } = spawnSync(
    ffmpeg,
    ['-hide_banner', '-i', path, '-an', '-vf', filter, '-vsync', '0', '-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-'],
    { maxBuffer: 1 << 30 },
  );
  const text = String(stderr);
  if (status !== 0) throw new Error(text);
  const times = [...text.matchAll(/\bpts_time:([\d.]+)/g)].map(([, seconds]) => 1000 * Number(seconds));
  const bytes = bytesOfPicture(width, height);
  return times.map((ms, index) => {
    const data = stdout.subarray(index * bytes, (index + 1) * bytes);
    return { ms, codes: readCodes({ width, height, data }) };
  });
}

/** How far each picture of a sender is from where its counter says that it was taken. */
export function offStepMs(frames: readonly SeenFrame[], sender: number): number[] {
  return frames.flatMap(({ ms, codes }) => {
    const code = codes.find((one) => one.sender === sender);
    return code === undefined ? [] : [ms - code.counter * FRAME_MS];
  });
}
