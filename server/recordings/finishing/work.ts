import type { FfmpegRun } from './ffmpeg.ts';
import type { FinishedSource, OpenFile } from './source.ts';

/** What the makers of all formats get. */
export interface Work {
  source: FinishedSource;
  ffmpegPath: string;
  /** How files of the recording are read. */
  open: OpenFile;
  /** Written over if it is there. */
  targetPath: string;
  signal: AbortSignal;
  stallMs?: number;
  /** Told the share that is done, 0–1. */
  onProgress(share: number): void;
}

/** `died`: it may go well another time. */
export type WorkResult = { ok: true } | { ok: false; reason: string; died: boolean };

export function failed(reason: string): Exclude<WorkResult, { ok: true }> {
  return { ok: false, reason, died: false };
}

/** What a run of ffmpeg takes from the work, as its step `step` of `steps`. */
export function stepOf(
  work: Work,
  step: number,
  steps: number,
): Pick<FfmpegRun, 'ffmpegPath' | 'durationMs' | 'signal' | 'stallMs' | 'onProgress'> {
  const { ffmpegPath, source, signal } = work;
  const onProgress = (share: number) => work.onProgress((step + share) / steps);
  const stall = work.stallMs === undefined ? {} : { stallMs: work.stallMs };
  return { ffmpegPath, durationMs: source.durationMs, signal, onProgress, ...stall };
}
