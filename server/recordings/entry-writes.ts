import type { Timer, Timers } from '../timers.ts';
import type { RecordingCatalogue } from './catalogue.ts';

export interface EntryWritesOptions {
  catalogue: RecordingCatalogue;
  timers: Timers;
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/** A disk may have room again. */
const AGAIN_AFTER_MS = 10_000;

/**
 * Sees to it that what is changed of recordings gets to the disk. It counts at once; only a restart would forget it. What
 * cannot be written, as on a full disk, is written when it can be.
 */
export class EntryWrites {
  readonly #options: EntryWritesOptions;
  readonly #watched = new WeakSet<Promise<void>>();
  /** Ids of those that could not be written, which was told. */
  readonly #unwritten = new Set<string>();
  #timer: Timer | null = null;
  #closed = false;

  constructor(options: EntryWritesOptions) {
    this.#options = options;
  }

  watch(id: string, written: Promise<void>): void {
    // Several changes are written in one.
    if (this.#watched.has(written)) return;
    this.#watched.add(written);
    const { log, timers } = this.#options;
    written.then(
      () => {
        if (this.#unwritten.delete(id)) log.info({ recording: id }, 'recording entry is written again');
      },
      (error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        if (!this.#unwritten.has(id)) log.warn({ recording: id, error: reason }, 'recording entry cannot be written');
        this.#unwritten.add(id);
        if (!this.#closed) this.#timer ??= timers.set(AGAIN_AFTER_MS, () => this.#again());
      },
    );
  }

  /** Tries once more. */
  async close(): Promise<void> {
    const { catalogue } = this.#options;
    this.#closed = true;
    this.#timer?.clear();
    await catalogue.settled();
    await Promise.allSettled(catalogue.rewrite().map(({ written }) => written));
  }

  #again(): void {
    this.#timer = null;
    const again = this.#options.catalogue.rewrite();
    // Others were removed meanwhile.
    const ids = new Set(again.map(({ id }) => id));
    for (const id of this.#unwritten) if (!ids.has(id)) this.#unwritten.delete(id);
    for (const { id, written } of again) this.watch(id, written);
  }
}
