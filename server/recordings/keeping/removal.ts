import type { RecordingView } from '../../rooms/views.ts';
import type { Timer, Timers } from '../../timers.ts';
import { keptBytesIn } from '../captured.ts';
import type { RecordingCatalogue } from '../catalogue.ts';
import type { RecordedFiles } from '../recorded-files.ts';
import { type KeptRecording, outdated, type RetentionRules } from './retention.ts';

export interface RemovalOptions {
  catalogue: RecordingCatalogue;
  files: RecordedFiles;
  rules: RetentionRules;
  timers: Timers;
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  /** Milliseconds since 1970. */
  epochMs: () => number;
  /** Nobody finds it from now on. Must not throw. */
  removed(recording: RecordingView): void;
}

const SWEEP_EVERY_MS = 3_600_000;
const BY_RULES = 'recordingKeepDays or recordingKeepGb';

/** Removes recordings: those that somebody wants gone, and what is not to be kept any longer. */
export class Removal {
  readonly #options: RemovalOptions;
  /** What is being removed, by id. */
  readonly #removing = new Map<string, Promise<void>>();
  #timer: Timer | null = null;
  #sweeping: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: RemovalOptions) {
    this.#options = options;
  }

  /** Of one that has ended; settled when nothing of it is on this disk but its entry, as long as there are copies. */
  async remove(view: RecordingView, why = 'somebody wanted it'): Promise<void> {
    const { catalogue, files, log, removed } = this.#options;
    const { id, room } = view;
    const hidden = catalogue.hide(id);
    removed(view);
    await hidden;
    log.info({ recording: id, room, why }, 'recording removed');
    await files.stop(id);
    await catalogue.erase(id);
    const gone = this.#finish(view);
    // What is elsewhere may take long, and goes on whoever waits.
    if (view.files.every(({ stored }) => stored === null)) await gone;
  }

  /** Removes what is to go by now, and again every hour; settled when it has been done once. Never rejects. */
  sweep(): Promise<void> {
    if (this.#closed) return this.#sweeping;
    this.#timer?.clear();
    this.#timer = this.#options.timers.set(SWEEP_EVERY_MS, () => void this.sweep());
    this.#sweeping = this.#sweeping
      .then(() => this.#sweepNow())
      .catch((error: unknown) => this.#options.log.warn({ reason: describe(error) }, 'recordings could not be swept'));
    return this.#sweeping;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.clear();
  }

  async #sweepNow(): Promise<void> {
    const { catalogue, files, rules, log, epochMs } = this.#options;
    for (const { view } of catalogue.removed()) await this.#finish(view);
    for (const id of outdated(await this.#kept(), rules, epochMs())) {
      // Somebody may have removed it meanwhile.
      const view = catalogue.get(id)?.view;
      if (view !== undefined && !this.#closed) await this.remove(view, BY_RULES);
    }
    for (const { id } of catalogue.list()) {
      await files.dropLocal(id).catch((error: unknown) => {
        log.warn({ recording: id, reason: describe(error) }, 'recording could not be removed from this disk');
      });
    }
  }

  async #kept(): Promise<KeptRecording[]> {
    const { catalogue, rules } = this.#options;
    if (rules.keepDays === 0 && rules.keepGb === 0) return [];
    const kept: KeptRecording[] = [];
    for (const { id, stoppedAt, files } of catalogue.list()) {
      const bytes = rules.keepGb === 0 ? 0 : await keptBytesIn(catalogue.directoryOf(id));
      const busy = files.some(({ state }) => state === 'queued' || state === 'working');
      kept.push({ id, stoppedAt, bytes, busy });
    }
    return kept;
  }

  /** What is elsewhere, and then the rest; what does not go now goes at the next sweep. Never rejects. */
  #finish(view: RecordingView): Promise<void> {
    const { id } = view;
    const running = this.#removing.get(id);
    if (running !== undefined) return running;
    const removing = this.#finishNow(view)
      .catch((error: unknown) => {
        const text = 'a removed recording is not gone everywhere yet, and is tried again within an hour';
        this.#options.log.warn({ recording: id, reason: describe(error) }, text);
      })
      .finally(() => this.#removing.delete(id));
    this.#removing.set(id, removing);
    return removing;
  }

  async #finishNow(view: RecordingView): Promise<void> {
    const { catalogue, files } = this.#options;
    await catalogue.erase(view.id);
    await files.removeCopies(view);
    await catalogue.forget(view.id);
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
