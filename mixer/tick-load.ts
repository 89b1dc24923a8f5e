import { TICK_TIME_BOUNDS_MS, type TickTimeCounts } from './protocol.ts';

const WINDOW_MS = 1000;

/** The share of its time that a process spends in room ticks, over the last full second. */
export class TickLoad {
  private windowStartMs = 0;
  private workedMs = 0;
  /** Of the last full second, 0–1. */
  lastShare = 0;

  /** True when with it a second has passed. */
  worked(fromMs: number, toMs: number): boolean {
    const rolled = this.roll(toMs);
    this.workedMs += toMs - fromMs;
    return rolled;
  }

  private roll(nowMs: number): boolean {
    const passedMs = nowMs - this.windowStartMs;
    if (passedMs < WINDOW_MS) return false;
    this.lastShare = Math.min(1, this.workedMs / passedMs);
    this.workedMs = 0;
    this.windowStartMs = nowMs;
    return true;
  }
}

/** How long the passes of the rooms' clock took in which a room ticked. Adding allocates nothing. */
export class TickTimes {
  private readonly counts = new Float64Array(TICK_TIME_BOUNDS_MS.length + 1);
  private totalMs = 0;

  add(durationMs: number): void {
    let bucket = 0;
    while (bucket < TICK_TIME_BOUNDS_MS.length && durationMs > TICK_TIME_BOUNDS_MS[bucket]!) bucket++;
    this.counts[bucket]!++;
    this.totalMs += durationMs;
  }

  /** A copy. */
  snapshot(): TickTimeCounts {
    return { counts: Array.from(this.counts), totalMs: this.totalMs };
  }
}
