/** The event loop is this late, on average over some samples, when we take no more; and this when we do again. */
const ENTER_LAG_MS = 300;
const LEAVE_LAG_MS = 100;
/** Of the newest sample in the average. */
const WEIGHT = 0.3;

/** Whether the process has more to do than it can, by how late its event loop is. */
export class Overload {
  private averageLagMs = 0;
  private over = false;

  get overloaded(): boolean {
    return this.over;
  }

  get lagMs(): number {
    return this.averageLagMs;
  }

  /** How late the loop was; to be told several times a second. True when that made or ended an overload. */
  sample(lagMs: number): boolean {
    this.averageLagMs += (lagMs - this.averageLagMs) * WEIGHT;
    const was = this.over;
    if (this.averageLagMs > ENTER_LAG_MS) this.over = true;
    else if (this.averageLagMs < LEAVE_LAG_MS) this.over = false;
    return this.over !== was;
  }
}
