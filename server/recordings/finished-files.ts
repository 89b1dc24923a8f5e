import { rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { RecordingFormat } from '../focus/control.ts';
import type { Conversion, ConversionResult } from './finishing.ts';

/** Each format's file beside the capture `<id>.mka`. */
const EXTENSIONS: Record<RecordingFormat, string> = { wav: '.wav', mp4: '.mp4', mka: '.finished.mka' };
export const RECORDING_FORMATS = Object.keys(EXTENSIONS) as RecordingFormat[];

/** How far a finished file may be from its capture; an AAC frame, for one, is 21 ms. */
const LENGTH_TOLERANCE_MS = 100;
/** For a conversion that has nothing to do; on top, it may take as long as the recording is. */
const TIMEOUT_BASE_MS = 60_000;

export interface FinishedFilesOptions {
  directory: string;
  /** Conversions at a time. */
  parallel: number;
  ffmpegPath(): Promise<string | null>;
  convert(conversion: Conversion): Promise<ConversionResult>;
  measureMs(path: string): Promise<number>;
}

export type FinishedFile = { ok: true; path: string } | { ok: false; reason: string };

interface Job {
  id: string;
  file: Promise<FinishedFile>;
  abort: AbortController;
  listeners: Set<(share: number) => void>;
}

/** Finished files by recording and format: made when first asked for, a few at a time, and kept. */
export class FinishedFiles {
  readonly #options: FinishedFilesOptions;
  readonly #jobs = new Map<string, Job>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #closed = false;

  constructor(options: FinishedFilesOptions) {
    this.#options = options;
  }

  pathOf(id: string, format: RecordingFormat): string {
    return join(this.#options.directory, `${id}${EXTENSIONS[format]}`);
  }

  /** Those who ask for the same file share the work. `onProgress` is told the share that is done, 0–1. */
  async get(
    id: string,
    format: RecordingFormat,
    durationMs: number,
    onProgress?: (share: number) => void,
  ): Promise<FinishedFile> {
    if (this.#closed) return { ok: false, reason: 'the server is stopping' };
    const path = this.pathOf(id, format);
    const running = this.#jobs.get(path);
    const job = running ?? this.#begin(id, format, path, durationMs);
    if (onProgress !== undefined) job.listeners.add(onProgress);
    return job.file;
  }

  /** Stops work on a recording and removes what was made of it. */
  async remove(id: string): Promise<void> {
    const jobs = [...this.#jobs.values()].filter((job) => job.id === id);
    for (const job of jobs) job.abort.abort();
    await Promise.all(jobs.map((job) => job.file));
    await Promise.all(RECORDING_FORMATS.map((format) => removeIfThere(this.pathOf(id, format))));
  }

  /** Takes no more work; lets what goes on end, but stops it after `deadlineMs`. */
  async close(deadlineMs: number): Promise<void> {
    this.#closed = true;
    const jobs = [...this.#jobs.values()];
    const deadline = setTimeout(() => {
      for (const job of jobs) job.abort.abort();
    }, deadlineMs);
    await Promise.all(jobs.map((job) => job.file));
    clearTimeout(deadline);
  }

  #begin(id: string, format: RecordingFormat, path: string, durationMs: number): Job {
    const abort = new AbortController();
    const listeners = new Set<(share: number) => void>();
    const onProgress = (share: number) => {
      for (const listener of listeners) listener(share);
    };
    const file = this.#make(path, { id, format, durationMs, signal: abort.signal, onProgress }).finally(() => {
      this.#jobs.delete(path);
    });
    const job = { id, file, abort, listeners };
    this.#jobs.set(path, job);
    return job;
  }

  async #make(
    path: string,
    work: Pick<Conversion, 'format' | 'durationMs' | 'signal' | 'onProgress'> & { id: string },
  ): Promise<FinishedFile> {
    if (await isThere(path)) return { ok: true, path };
    await this.#turn();
    try {
      const ffmpegPath = await this.#options.ffmpegPath();
      if (ffmpegPath === null) return { ok: false, reason: 'there is no ffmpeg on this machine' };
      const sourcePath = join(this.#options.directory, `${work.id}.mka`);
      const targetPath = `${path}.part`;
      const timeoutMs = TIMEOUT_BASE_MS + work.durationMs;
      const result = await this.#options.convert({ ...work, ffmpegPath, sourcePath, targetPath, timeoutMs });
      return result.ok ? await this.#accept(targetPath, path, work.durationMs) : result;
    } catch (error) {
      return { ok: false, reason: error instanceof Error ? error.message : String(error) };
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  /** A file gets its name, by which it is found, only when it is as long as what was recorded. */
  async #accept(partPath: string, path: string, durationMs: number): Promise<FinishedFile> {
    const finishedMs = await this.#options.measureMs(partPath);
    if (Math.abs(finishedMs - durationMs) > LENGTH_TOLERANCE_MS) {
      await removeIfThere(partPath);
      return { ok: false, reason: `the file came out ${Math.round(finishedMs)} ms long instead of ${durationMs}` };
    }
    await rename(partPath, path);
    return { ok: true, path };
  }

  async #turn(): Promise<void> {
    while (this.#running >= this.#options.parallel) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running++;
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

export async function removeIfThere(path: string): Promise<void> {
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
