import type { ComplexityLimit } from './codec/codec.ts';

/** Above this share of its time, a mixer encodes with less effort; below the other, for a while, with more again. */
const BUSY = 0.5;
const CALM = 0.3;
const CALM_SECONDS = 10;
const STEP_DOWN = 2;

/**
 * Sets the encoders' complexity by the load of the process: it goes down first, in seconds, so that calls need to be
 * refused only when it can go no further; and comes back slowly.
 */
export class LoadControl implements ComplexityLimit {
  complexity: number;
  private readonly most: number;
  private calmSeconds = 0;

  constructor(mostComplexity: number) {
    this.most = mostComplexity;
    this.complexity = mostComplexity;
  }

  /** Once a second; `load` is the busy share of that second, 0–1. */
  measured(load: number): void {
    this.calmSeconds = load < CALM ? this.calmSeconds + 1 : 0;
    if (load > BUSY) {
      this.complexity = Math.max(0, this.complexity - STEP_DOWN);
    } else if (this.calmSeconds >= CALM_SECONDS && this.complexity < this.most) {
      this.complexity++;
      this.calmSeconds = 0;
    }
  }
}
