/** A gain that goes to its target in some ticks, in a straight line. */
export class TickRamp {
  /** At the beginning and at the end of this tick. */
  from: number;
  to: number;
  private target: number;
  private step = 0;

  constructor(gain = 1) {
    this.from = gain;
    this.to = gain;
    this.target = gain;
  }

  /** Is there in so many ticks from now. */
  set(target: number, ticks: number): void {
    if (target === this.target) return;
    this.target = target;
    this.step = (target - this.to) / ticks;
  }

  tick(): void {
    this.from = this.to;
    if (this.to === this.target) return;
    const next = this.to + this.step;
    this.to = this.step > 0 ? Math.min(next, this.target) : Math.max(next, this.target);
  }

  /** Whether it is this, in all of the tick and for good. */
  is(gain: number): boolean {
    return this.from === gain && this.to === gain && this.target === gain;
  }
}
