import { setTimeout } from 'node:timers/promises';

/** What is brought to the disk after it was written. */
export interface Syncable {
  /** Rejects when the disk failed. */
  sync(): Promise<void>;
}

/** The tracks of a recording are written together, and brought to the disk together. */
const GATHER_MS = 50;
/** Between two rounds, so that no more than some 250 files are brought to the disk in a second. */
const REST_MS = 150;
/** What is more than that waits for its turn. */
const MOST_AT_ONCE = 50;

/**
 * Brings files to the disk one after the other, soon after they were written. What is written survives the death of the
 * process without that; with it, a power cut costs no more than a second, as long as a process writes no more than some
 * hundred tracks and the disk does fifty of these syncs within a tenth of a second. With more of them it costs more.
 */
export class DiskSync {
  private readonly waiting = new Set<Syncable>();
  private running = false;
  private readonly delay: (ms: number) => Promise<unknown>;

  constructor(delay: (ms: number) => Promise<unknown> = setTimeout) {
    this.delay = delay;
  }

  add(file: Syncable): void {
    this.waiting.add(file);
    if (this.running) return;
    this.running = true;
    void this.run();
  }

  remove(file: Syncable): void {
    this.waiting.delete(file);
  }

  private async run(): Promise<void> {
    while (this.waiting.size > 0) {
      await this.delay(GATHER_MS);
      for (const file of [...this.waiting].slice(0, MOST_AT_ONCE)) {
        // One that has been closed meanwhile has been brought to the disk.
        if (this.waiting.delete(file)) await file.sync();
      }
      await this.delay(REST_MS);
    }
    this.running = false;
  }
}
