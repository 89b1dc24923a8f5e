import type { Log } from '../log.ts';
import type { Timer, Timers } from '../timers.ts';
import type { Binding } from './binding.ts';

/** Where bindings are kept over a restart. */
export interface BindingStore {
  /** All of it or nothing; null: the binding is gone. Throws when it cannot be written. */
  write(changes: ReadonlyMap<number, Binding | null>): void;
}

const WAIT_MS = 100;
/** A disk that is full or slow is not asked ten times a second. */
const WAIT_AFTER_FAILURE_MS = 5_000;

/** Writes changes of bindings to the store soon after they happen, many in one transaction. */
export class WriteBehind {
  private readonly store: BindingStore;
  private readonly timers: Timers;
  private readonly log: Log;
  private pending = new Map<number, Binding | null>();
  /** No binding of a higher id is in the store: ids only go up. */
  private lastStored: number;
  private timer: Timer | null = null;

  /** @param lastStored the highest id in the store; 0 when it is empty */
  constructor(store: BindingStore, timers: Timers, log: Log, lastStored: number) {
    this.store = store;
    this.timers = timers;
    this.log = log;
    this.lastStored = lastStored;
  }

  changed(id: number, binding: Binding | null): void {
    // What came and went since then is nothing to write. So what waits does not grow while the disk fails.
    if (binding === null && id > this.lastStored) {
      this.pending.delete(id);
      return;
    }
    this.pending.set(id, binding);
    this.timer ??= this.timers.set(WAIT_MS, () => this.flush());
  }

  /** Writes what is waiting now. What cannot be written waits for another try. */
  flush(): void {
    this.timer?.clear();
    this.timer = null;
    if (this.pending.size === 0) return;
    try {
      this.store.write(this.pending);
      for (const id of this.pending.keys()) this.lastStored = Math.max(this.lastStored, id);
      this.pending = new Map();
    } catch (error) {
      this.log.error({ err: error, bindings: this.pending.size }, 'bindings could not be written');
      this.timer = this.timers.set(WAIT_AFTER_FAILURE_MS, () => this.flush());
    }
  }

  /** Writes a last time; no timer is left after it. */
  close(): void {
    this.flush();
    this.timer?.clear();
    this.timer = null;
  }
}
