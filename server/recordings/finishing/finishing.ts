import { availableParallelism } from 'node:os';
import type { RecordingFileView, RecordingFormat } from '../../rooms/views.ts';
import { findFfmpeg } from './ffmpeg-binary.ts';
import {
  type FileToMake,
  findFile,
  finishedPath,
  isThere,
  type MadeFile,
  type MakeResult,
  makeFile,
} from './finished-file.ts';
import { canBeNormalized } from './formats.ts';
import type { FinishedSource } from './source.ts';

export interface FinishingOptions {
  log: { warn(fields: object, message: string): void };
  /** 32 octets, for recordings that are encrypted. */
  key: Uint8Array | null;
  /**
   * Told of each change of a file: its state at once, its progress at most once a second. `stored` is always null, as
   * keeping files elsewhere is not done here. Must not throw.
   */
  changed(recording: string, file: RecordingFileView): void;
  /** Jobs at a time; default: one a core. */
  parallel?: number;
  /** Default: the system's, else the one that npm brought. */
  findFfmpeg?: () => Promise<string | null>;
  make?: (file: FileToMake) => Promise<MakeResult>;
  /** Monotonic, milliseconds. */
  now?: () => number;
}

export type FinishedFile = ({ ok: true } & MadeFile) | { ok: false; reason: string };

/** A job whose ffmpeg was killed is tried that often again. */
const RETRIES = 3;
const PROGRESS_EVERY_MS = 1_000;
/** Of a few kilobytes, made at once: they need not wait for hours of sound. */
const QUICK_FORMATS: ReadonlySet<RecordingFormat> = new Set(['vtt', 'jsonl']);

interface Job {
  source: FinishedSource;
  view: RecordingFileView;
  abort: AbortController;
  /** Whoever waits for it, as somebody who downloads does, goes before what is only to be there some time. */
  awaited: boolean;
  listeners: Set<(share: number) => void>;
  result: Promise<FinishedFile>;
  begin: () => void;
  toldAt: number;
}

/** Makes files of recordings in the background: one queue for all, some jobs at a time, each file once. */
export class Finishing {
  readonly #options: FinishingOptions;
  readonly #parallel: number;
  readonly #now: () => number;
  readonly #jobs = new Map<string, Job>();
  /** What is there, by the same keys, so that it is hashed once. */
  readonly #ready = new Map<string, MadeFile>();
  #waiting: Job[] = [];
  #running = 0;
  #closed = false;

  constructor(options: FinishingOptions) {
    this.#options = options;
    this.#parallel = options.parallel ?? availableParallelism();
    this.#now = options.now ?? (() => performance.now());
  }

  /** Jobs that wait for their turn. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** The file is made in the background, unless it is there. Asking again changes nothing. */
  wanted(source: FinishedSource, format: RecordingFormat, normalized: boolean): void {
    if (!this.#closed) this.#job(source, format, normalized, false);
  }

  /** Settled when the file is there, or cannot be made. `onProgress` is told the share that is done, 0–1. */
  async file(
    source: FinishedSource,
    format: RecordingFormat,
    normalized: boolean,
    onProgress?: (share: number) => void,
  ): Promise<FinishedFile> {
    if (this.#closed) return { ok: false, reason: 'the server is stopping' };
    const job = this.#job(source, format, normalized, true);
    if (onProgress !== undefined) job.listeners.add(onProgress);
    return job.result;
  }

  /** After a start: goes on with what was wanted and is not there. */
  async resume(source: FinishedSource, files: readonly RecordingFileView[]): Promise<void> {
    for (const { format, normalized, state, bytes, sha256, stored } of files) {
      if (state === 'failed') continue;
      const path = finishedPath(source, format, normalized);
      const isGone = state !== 'ready' || bytes === null || sha256 === null || !(await isThere(path));
      if (!isGone) this.#ready.set(keyOf(source.id, format, normalized), { path, bytes, sha256 });
      else if (stored === null) this.wanted(source, format, normalized);
    }
  }

  /** Stops all work on a recording; its directory may go then. */
  async remove(id: string): Promise<void> {
    const jobs = [...this.#jobs.values()].filter(({ source }) => source.id === id);
    for (const job of jobs) this.#cancel(job);
    await Promise.all(jobs.map(({ result }) => result));
    for (const key of [...this.#ready.keys()]) if (key.startsWith(`${id}/`)) this.#ready.delete(key);
  }

  /** Begins no more work; lets what goes on end, but stops it after `deadlineMs`. All of it goes on after `resume`. */
  async close(deadlineMs: number): Promise<void> {
    this.#closed = true;
    for (const job of [...this.#waiting]) this.#cancel(job);
    const jobs = [...this.#jobs.values()];
    const deadline = setTimeout(() => {
      for (const job of jobs) job.abort.abort();
    }, deadlineMs);
    await Promise.all(jobs.map(({ result }) => result));
    clearTimeout(deadline);
  }

  #job(source: FinishedSource, format: RecordingFormat, isNormalized: boolean, awaited: boolean): Job {
    const normalized = isNormalized && canBeNormalized(format);
    const key = keyOf(source.id, format, normalized);
    const running = this.#jobs.get(key);
    if (running !== undefined) {
      running.awaited ||= awaited;
      return running;
    }
    const { promise, resolve } = promiseWithResolve<void>();
    const state = { state: 'queued', progress: 0, bytes: null, sha256: null, error: null, stored: null } as const;
    const view: RecordingFileView = { format, normalized, ...state };
    const job: Job = {
      ...{ source, view, awaited, abort: new AbortController(), listeners: new Set(), begin: resolve, toldAt: 0 },
      result: Promise.resolve({ ok: false, reason: '' }),
    };
    this.#jobs.set(key, job);
    // What is there, as far as this knows, is not shown as queued again.
    if (!this.#ready.has(key)) this.#tell(job, {});
    job.result = this.#run(job, key, promise).finally(() => this.#jobs.delete(key));
    return job;
  }

  async #run(job: Job, key: string, turn: Promise<void>): Promise<FinishedFile> {
    const found = await this.#find(job, key);
    if (found !== null) return this.#made(job, key, found);
    this.#ready.delete(key);
    if (this.#closed || job.abort.signal.aborted) return this.#stopped();
    const isQuick = QUICK_FORMATS.has(job.view.format);
    if (!isQuick) {
      this.#waiting.push(job);
      this.#next();
      await turn;
    }
    try {
      if (job.abort.signal.aborted) return this.#stopped();
      this.#tell(job, { state: 'working', progress: 0 });
      const result = await this.#attempts(job);
      if (result.ok) return this.#made(job, key, result);
      if (job.abort.signal.aborted) return this.#stopped();
      this.#options.log.warn({ ...nameOf(job), reason: result.reason }, 'recording could not be finished');
      this.#tell(job, { state: 'failed', error: result.reason });
      return { ok: false, reason: result.reason };
    } finally {
      if (!isQuick) {
        this.#running--;
        this.#next();
      }
    }
  }

  async #find(job: Job, key: string): Promise<MadeFile | null> {
    const known = this.#ready.get(key);
    if (known !== undefined) return (await isThere(known.path)) ? known : null;
    const { key: sealingKey } = this.#options;
    return findFile({ ...job.view, source: job.source, key: sealingKey }).catch(() => null);
  }

  #made(job: Job, key: string, { path, bytes, sha256 }: MadeFile): FinishedFile {
    const file = { path, bytes, sha256 };
    const isNew = !this.#ready.has(key);
    this.#ready.set(key, file);
    if (isNew) this.#tell(job, { state: 'ready', progress: 1, bytes, sha256 });
    return { ok: true, ...file };
  }

  #stopped(): FinishedFile {
    return { ok: false, reason: this.#closed ? 'the server is stopping' : 'it was cancelled' };
  }

  async #attempts(job: Job): Promise<MakeResult> {
    for (let attempt = 0; ; attempt++) {
      const result = await this.#attempt(job);
      if (result.ok || !result.died || attempt === RETRIES || job.abort.signal.aborted) return result;
      this.#options.log.warn({ ...nameOf(job), reason: result.reason }, 'finishing a recording is tried again');
    }
  }

  async #attempt(job: Job): Promise<MakeResult> {
    const { make = makeFile, key, findFfmpeg: find = () => findFfmpeg(process.env['PATH'] ?? '') } = this.#options;
    const { source, abort, view } = job;
    const { format, normalized } = view;
    const onProgress = (share: number) => this.#progressed(job, share);
    const ffmpegPath = await find().catch(() => null);
    return make({ source, format, normalized, key, ffmpegPath, signal: abort.signal, onProgress });
  }

  #progressed(job: Job, share: number): void {
    for (const listener of job.listeners) listener(share);
    if (this.#now() - job.toldAt >= PROGRESS_EVERY_MS) this.#tell(job, { progress: share });
  }

  #tell(job: Job, change: Partial<RecordingFileView>): void {
    job.view = { ...job.view, ...change };
    job.toldAt = this.#now();
    this.#options.changed(job.source.id, job.view);
  }

  #next(): void {
    while (this.#running < this.#parallel && this.#waiting.length > 0) {
      const job = this.#waiting.find(({ awaited }) => awaited) ?? this.#waiting[0]!;
      this.#leaveQueue(job);
    }
  }

  #cancel(job: Job): void {
    job.abort.abort();
    if (this.#waiting.includes(job)) this.#leaveQueue(job);
  }

  #leaveQueue(job: Job): void {
    this.#waiting = this.#waiting.filter((waiting) => waiting !== job);
    this.#running++;
    job.begin();
  }
}

function keyOf(id: string, format: RecordingFormat, normalized: boolean): string {
  return `${id}/${format}/${normalized}`;
}

function nameOf({ source, view }: Job): object {
  return { recording: source.id, format: view.format, normalized: view.normalized };
}

function promiseWithResolve<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
