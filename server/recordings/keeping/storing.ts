import type { Timer, Timers } from '../../timers.ts';
import type { RecordingStorage } from './storage.ts';

export interface FileToStore {
  recording: string;
  /** Where it is to be in the storage: a path of plain parts joined by `/`. */
  key: string;
  path: string;
  contentType: string;
  /** Hexadecimal, of the bytes at `path`. */
  sha256: string;
}

export interface StoringLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface StoringOptions {
  storage: RecordingStorage;
  timers: Timers;
  log: StoringLog;
  /** It is there now. Must not throw. */
  stored(file: FileToStore, location: string): void;
}

const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 600_000;

interface Job {
  file: FileToStore;
  abort: AbortController;
  tries: number;
  /** Until it is tried again. */
  timer: Timer | null;
  /** Settled when what goes on with it is over. Never rejects. */
  work: Promise<void>;
}

/** Copies finished files to a storage, one at a time, until each is there: what fails is tried again, ever more seldom. */
export class Storing {
  readonly #options: StoringOptions;
  readonly #jobs = new Map<string, Job>();
  #last: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: StoringOptions) {
    this.#options = options;
  }

  /** Files that are not there yet. */
  get waiting(): number {
    return this.#jobs.size;
  }

  /** Does nothing when it is under way. */
  add(file: FileToStore): void {
    if (this.#closed || this.#jobs.has(file.key)) return;
    const job: Job = { file, abort: new AbortController(), tries: 0, timer: null, work: Promise.resolve() };
    this.#jobs.set(file.key, job);
    this.#enqueue(job);
  }

  /** Whether files of this recording are not there yet. */
  isBusy(recording: string): boolean {
    return [...this.#jobs.values()].some(({ file }) => file.recording === recording);
  }

  /** Gives up what is not there yet of a recording; settled when nothing of it is being copied. */
  async cancel(recording: string): Promise<void> {
    const jobs = [...this.#jobs.values()].filter(({ file }) => file.recording === recording);
    for (const job of jobs) this.#giveUp(job);
    await Promise.all(jobs.map(({ work }) => work));
  }

  /** What is not there yet is for the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    const jobs = [...this.#jobs.values()];
    for (const job of jobs) this.#giveUp(job);
    await Promise.all(jobs.map(({ work }) => work));
    this.#options.storage.close();
  }

  #giveUp(job: Job): void {
    this.#jobs.delete(job.file.key);
    job.timer?.clear();
    job.abort.abort();
  }

  #enqueue(job: Job): void {
    job.timer = null;
    job.work = this.#last.then(() => this.#store(job));
    this.#last = job.work;
  }

  async #store(job: Job): Promise<void> {
    const { file, abort } = job;
    const { storage, log, stored } = this.#options;
    if (abort.signal.aborted) return;
    const { recording, key, path, contentType, sha256 } = file;
    try {
      const location = await storage.put(key, path, { contentType, sha256, signal: abort.signal });
      if (this.#jobs.get(key) !== job) {
        // Given up in the last moment: nobody would know that it is there.
        await storage.remove(location);
        return;
      }
      this.#jobs.delete(key);
      log.info({ recording, location }, 'recording stored');
      stored(file, location);
    } catch (error) {
      if (!abort.signal.aborted) this.#failed(job, error);
    }
  }

  #failed(job: Job, error: unknown): void {
    const { storage, timers, log } = this.#options;
    const waitMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** job.tries);
    job.tries++;
    const reason = error instanceof Error ? error.message : String(error);
    const fields = { recording: job.file.recording, key: job.file.key, storage: storage.name, reason };
    log.warn({ ...fields, retrySeconds: waitMs / 1000 }, 'recording could not be stored');
    job.timer = timers.set(waitMs, () => this.#enqueue(job));
  }
}
