import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { X264_PRESETS } from '../../mixer/video/engine/encoder-context.ts';
import type { Rect } from '../../mixer/video/engine/planar-picture.ts';
import type { VideoEncoderOptions } from '../../mixer/video/engine/video-encoder.ts';
import { ffmpegCpuMsPerFrame } from './video/ffmpeg-command.ts';
import { makeSources, SOURCE } from './video/video-sources.ts';

/**
 * What the engine alone takes to decode some senders, put them into a grid and encode it, beside the `ffmpeg` command
 * doing the same with the same files in the same run: no network, no clock, both as fast as they go.
 */

export interface EngineScale {
  senders: readonly number[];
  frames: number;
  /** Of each, one after the other in turn; their medians are compared. */
  rounds: number;
}

/** To the process that does it. */
export interface EngineTask {
  files: readonly string[];
  /** Where each file's picture goes. */
  rects: readonly Rect[];
  frames: number;
  encoder: VideoEncoderOptions;
}

/** User and system time, and what came out. */
export interface EngineCpu {
  frames: number;
  decodeMs: number;
  composeMs: number;
  encodeMs: number;
  wallMs: number;
  octets: number;
}

export interface EngineFigures {
  senders: number;
  /** Each for one frame. */
  decodeMs: number;
  composeMs: number;
  encodeMs: number;
  ffmpegMs: number;
  ratio: number;
}

const BITRATE_BPS = 1_500_000;
const ENCODER: VideoEncoderOptions = {
  ...{ codec: 'H264', width: 1280, height: 720, fps: SOURCE.fps, bitrateBps: BITRATE_BPS, speed: 'fast' },
  h264: { profile: 'constrained-baseline', level: 31, maxNalBytes: null },
};
const PRESET = X264_PRESETS[ENCODER.speed];
const PROCESS = fileURLToPath(new URL(`video-engine-process${import.meta.url.slice(-3)}`, import.meta.url));

export async function measureVideoEngine({ senders, frames, rounds }: EngineScale): Promise<EngineFigures[]> {
  const directory = mkdtempSync(join(tmpdir(), 'parley-video-engine-'));
  try {
    const seconds = frames / SOURCE.fps;
    const files = makeSources(directory, Math.max(...senders), seconds).map(({ path }) => path);
    const figures: EngineFigures[] = [];
    for (const count of senders) figures.push(await compare(files.slice(0, count), frames, rounds));
    return figures;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

export function describeVideoEngine(figures: readonly EngineFigures[]): string {
  const rows = figures.map(({ senders, decodeMs, composeMs, encodeMs, ffmpegMs, ratio }) => {
    const parts = [decodeMs, composeMs, encodeMs, decodeMs + composeMs + encodeMs, ffmpegMs];
    return `| ${senders} | ${parts.map((ms) => ms.toFixed(2)).join(' | ')} | ${ratio.toFixed(2)} |`;
  });
  return [
    `CPU (user and system, all threads) for each frame of 1280x720 made of senders of ${SOURCE.width}x${SOURCE.height}, in ms;`,
    `x264 ${PRESET}, zero latency, ${BITRATE_BPS / 1000} kbit/s, one thread, in both. Goal: at most 1.2 times ffmpeg's.`,
    '',
    '| senders | decode | compose | encode | engine | ffmpeg | ratio |',
    '|--:|--:|--:|--:|--:|--:|--:|',
    ...rows,
  ].join('\n');
}

async function compare(files: readonly string[], frames: number, rounds: number): Promise<EngineFigures> {
  const rects = grid(files.length);
  const ours: EngineCpu[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(await engineCpu({ files, rects, frames, encoder: ENCODER }));
    const same = { files, rects, frames, canvas: ENCODER, bitrateBps: BITRATE_BPS, preset: PRESET };
    theirs.push(await ffmpegCpuMsPerFrame({ ...same, paced: false }));
  }
  const each = (part: (cpu: EngineCpu) => number) => median(ours.map((cpu) => part(cpu) / frames));
  const ffmpeg = median(theirs);
  return {
    ...{ senders: files.length, ffmpegMs: ffmpeg, ratio: each(wholeMs) / ffmpeg },
    ...{ decodeMs: each((cpu) => cpu.decodeMs), composeMs: each((cpu) => cpu.composeMs) },
    encodeMs: each((cpu) => cpu.encodeMs),
  };
}

function wholeMs({ decodeMs, composeMs, encodeMs }: EngineCpu): number {
  return decodeMs + composeMs + encodeMs;
}

async function engineCpu(task: EngineTask): Promise<EngineCpu> {
  const child = fork(PROCESS, { execArgv: [] });
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`${PROCESS} ended with ${code}`);
  });
  const done = once(child, 'message') as Promise<[EngineCpu]>;
  child.send(task);
  const [cpu] = await Promise.race([done, failed]);
  failed.catch(() => {});
  return cpu;
}

/** Sides that fill 1280x720, all even. */
function grid(count: number): Rect[] {
  const side = Math.ceil(Math.sqrt(count));
  const edge = (size: number, index: number) => 2 * Math.floor((size * index) / side / 2);
  return Array.from({ length: count }, (_, index) => {
    const [column, row] = [index % side, Math.floor(index / side)];
    const [x, y] = [edge(ENCODER.width, column), edge(ENCODER.height, row)];
    return { x, y, width: edge(ENCODER.width, column + 1) - x, height: edge(ENCODER.height, row + 1) - y };
  });
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}
