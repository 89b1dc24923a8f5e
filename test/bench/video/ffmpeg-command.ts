import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Rect } from '../../../mixer/video/engine/planar-picture.ts';
import { SOURCE } from './video-sources.ts';

const run = promisify(execFile);

export interface FfmpegTask {
  /** Of H.264; each is decoded. */
  files: readonly string[];
  /** Where each file's picture goes, on a black canvas. */
  rects: readonly Rect[];
  canvas: { width: number; height: number };
  bitrateBps: number;
  /** Of x264. */
  preset: string;
  /** As many as there are when left out. */
  frames?: number;
  /** At the pace of a camera; else as fast as it goes, when caches stay warm and nothing ever sleeps. */
  paced: boolean;
}

/**
 * CPU of the `ffmpeg` command, user and system, for each frame in milliseconds, when it decodes, scales, composes (xstack)
 * and encodes as the video mixer does, each part with one thread. What it takes to start is in it.
 */
export async function ffmpegCpuMsPerFrame(task: FfmpegTask): Promise<number> {
  const { files, rects, canvas, bitrateBps, preset, frames, paced } = task;
  const pace = paced ? ['-re'] : [];
  const inputs = files.flatMap((file) => [...pace, '-threads', '1', '-f', 'h264', '-r', `${SOURCE.fps}`, '-i', file]);
  // The same filter as ours: the average of the pixels that make one.
  const scaled = rects.map(({ width, height }, index) => `[${index}:v]scale=${width}:${height}:flags=area[s${index}]`);
  const names = rects.map((_, index) => `[s${index}]`).join('');
  const layout = rects.map(({ x, y }) => `${x}_${y}`).join('|');
  const stack = `xstack=inputs=${rects.length}:layout=${layout}:fill=black,pad=${canvas.width}:${canvas.height}`;
  const rate = ['-b:v', `${bitrateBps}`, '-maxrate', `${bitrateBps}`, '-bufsize', `${bitrateBps / 2}`];
  const x264 = ['-c:v', 'libx264', '-preset', preset, '-tune', 'zerolatency', '-profile:v', 'baseline', '-g', '999999'];
  const { stderr } = await run('ffmpeg', [
    ...['-hide_banner', '-benchmark', ...inputs, '-filter_complex_threads', '1'],
    ...['-filter_complex', `${scaled.join(';')};${names}${stack}`],
    ...(frames === undefined ? [] : ['-frames:v', `${frames}`]),
    ...['-threads', '1', ...x264, '-x264-params', 'scenecut=0:sliced-threads=0', ...rate, '-f', 'null', '-'],
  ]);
  const times = /bench: utime=([\d.]+)s stime=([\d.]+)s/.exec(stderr);
  const made = Number(/frame=\s*(\d+)(?![\s\S]*frame=)/.exec(stderr)?.[1]);
  if (times === null || !(made > 0)) throw new Error(`ffmpeg said: ${stderr.slice(-500)}`);
  return ((Number(times[1]) + Number(times[2])) * 1000) / made;
}
