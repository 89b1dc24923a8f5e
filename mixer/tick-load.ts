const WINDOW_MS = 1000;

/** The share of its time that a process spends in room ticks, over the last full second. */
export class TickLoad {
  private windowStartMs = 0;
  private workedMs = 0;
  private lastShare = 0;

  worked(fromMs: number, toMs: number): void {
    this.roll(toMs);
    this.workedMs += toMs - fromMs;
  }

  /** 0–1. */
  share(nowMs: number): number {
    this.roll(nowMs);
    return this.lastShare;
  }

  private roll(nowMs: number): void {
    const passedMs = nowMs - this.windowStartMs;
    if (passedMs < WINDOW_MS) return;
    this.lastShare = Math.min(1, this.workedMs / passedMs);
    this.workedMs = 0;
    this.windowStartMs = nowMs;
  }
}
