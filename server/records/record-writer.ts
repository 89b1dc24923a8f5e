import type { Log } from '../log.ts';
import type { Timer, Timers } from '../timers.ts';
import type { CallRecord, ConferenceRecord } from './call-record.ts';

/** Where records are kept. All throw when the database cannot be used. */
export interface RecordStore {
  /** All of it or nothing. */
  write(records: readonly WaitingRecord[]): void;
  /** Removes up to `limit` that ended before then, and those beyond the most that are kept. How many it were. */
  removeOld(beforeMs: number, limit: number): number;
}

export type WaitingRecord =
  | { kind: 'call'; endedMs: number; record: CallRecord }
  | { kind: 'conference'; endedMs: number; record: ConferenceRecord };

export interface RecordWriterOptions {
  readonly store: RecordStore;
  readonly timers: Timers;
  readonly log: Log;
  readonly epochMs: () => number;
  /** How long records are kept; 0: none are. */
  readonly days: number;
}

/** What a crash may lose: less than a second. The longer, the less each record costs. */
const WAIT_MS = 900;
/** A disk that is full or slow is not asked twice a second. */
const WAIT_AFTER_FAILURE_MS = 5_000;
/** One transaction takes about five milliseconds; calls wait meanwhile. */
const BATCH = 200;
const WAIT_BETWEEN_BATCHES_MS = 20;
/** What waits for a disk that does not come back is lost, the oldest first. */
const MOST_WAITING = 20_000;
const REMOVE_EVERY_MS = 60_000;
const REMOVE_BATCH = 100;
const DAY_MS = 86_400_000;

/** Writes records soon after the calls end, in small steps that no call has to wait for; and removes the old ones so. */
export class RecordWriter {
  private readonly options: RecordWriterOptions;
  private waiting: WaitingRecord[] = [];
  private lost = 0;
  private timer: Timer | null = null;
  private removal: Timer | null;

  constructor(options: RecordWriterOptions) {
    this.options = options;
    this.removal = options.timers.set(REMOVE_EVERY_MS, () => this.removeOld());
  }

  add(record: WaitingRecord): void {
    if (this.options.days === 0) return;
    if (this.waiting.length >= MOST_WAITING) {
      this.waiting.splice(0, BATCH);
      this.lost += BATCH;
    }
    this.waiting.push(record);
    this.timer ??= this.options.timers.set(WAIT_MS, () => this.writeSome());
  }

  /** Writes all that waits, for who wants to read it. */
  flush(): void {
    this.timer?.clear();
    this.timer = null;
    while (this.waiting.length > 0 && this.writeBatch());
    if (this.waiting.length > 0) this.writeLater(WAIT_AFTER_FAILURE_MS);
  }

  /** Writes a last time; no timer is left after it. */
  close(): void {
    this.flush();
    this.timer?.clear();
    this.timer = null;
    this.removal?.clear();
    this.removal = null;
  }

  private writeSome(): void {
    this.timer = null;
    const written = this.writeBatch();
    if (this.waiting.length > 0) this.writeLater(written ? WAIT_BETWEEN_BATCHES_MS : WAIT_AFTER_FAILURE_MS);
  }

  private writeLater(waitMs: number): void {
    this.timer = this.options.timers.set(waitMs, () => this.writeSome());
  }

  private writeBatch(): boolean {
    const { store, log } = this.options;
    const batch = this.waiting.slice(0, BATCH);
    try {
      store.write(batch);
    } catch (error) {
      log.error({ err: error, records: this.waiting.length, lost: this.lost }, 'call records could not be written');
      return false;
    }
    this.waiting.splice(0, batch.length);
    if (this.lost > 0) log.error({ lost: this.lost }, 'call records were lost, as they could not be written for long');
    this.lost = 0;
    return true;
  }

  private removeOld(): void {
    const { store, timers, log, epochMs, days } = this.options;
    let removed = 0;
    try {
      removed = store.removeOld(epochMs() - days * DAY_MS, REMOVE_BATCH);
    } catch (error) {
      log.error({ err: error }, 'old call records could not be removed');
    }
    const waitMs = removed < REMOVE_BATCH ? REMOVE_EVERY_MS : WAIT_BETWEEN_BATCHES_MS;
    this.removal = timers.set(waitMs, () => this.removeOld());
  }
}
