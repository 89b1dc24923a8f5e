const WINDOW_MS = 1000;
/** Weight of the last second. */
const SMOOTHING = 0.3;

/** How many cores this process keeps busy, all its threads together, smoothed over some seconds. */
export class ProcessLoad {
  load = 0;
  private sinceMs: number;
  private usedBefore = process.cpuUsage();

  constructor(nowMs: number) {
    this.sinceMs = nowMs;
  }

  /** True once a second, when it was measured anew. */
  measure(nowMs: number): boolean {
    const passedMs = nowMs - this.sinceMs;
    if (passedMs < WINDOW_MS) return false;
    const { user, system } = process.cpuUsage(this.usedBefore);
    this.usedBefore = process.cpuUsage();
    this.sinceMs = nowMs;
    this.load += ((user + system) / 1000 / passedMs - this.load) * SMOOTHING;
    return true;
  }
}
