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
