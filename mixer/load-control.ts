import type { ComplexityLimits } from './codec/codec.ts';

/** Above this share of its time, a mixer encodes with less effort; below the other, for a while, with more again. */
const BUSY = 0.5;
const CALM = 0.3;
const CALM_SECONDS = 10;
const STEP_DOWN = 2;

/** Above this share, what one person hears while speaking is encoded with little effort; below the other with all. */
const OWN_BUSY = 0.12;
const OWN_CALM = 0.08;
/** Of the cheap half: in speech at 32 kbit/s 0.8 dB (mean over Bark bands) further from the original than 5. */
const OWN_COMPLEXITY = 1;

/**
 * Sets the encoders' complexity by the load of the process: it goes down first, in seconds, so that calls need to be
 * refused only when it can go no further; and comes back slowly.
 */
export class LoadControl implements ComplexityLimits {
  complexity: number;
  /** For encoders that one person hears, while speaking. */
  readonly own = { complexity: 0 };
  private readonly most: number;
  private calmSeconds = 0;
  private ownIsCheap = false;

  constructor(mostComplexity: number) {
    this.most = mostComplexity;
    this.complexity = mostComplexity;
    this.own.complexity = mostComplexity;
  }

  /** Once a second; `load` is the busy share of the last seconds, 0–1, smoothed so that one of them alone changes little. */
  measured(load: number): void {
    this.calmSeconds = load < CALM ? this.calmSeconds + 1 : 0;
    if (load > BUSY) {
      this.complexity = Math.max(0, this.complexity - STEP_DOWN);
    } else if (this.calmSeconds >= CALM_SECONDS && this.complexity < this.most) {
      this.complexity++;
      this.calmSeconds = 0;
    }
    if (load > OWN_BUSY) this.ownIsCheap = true;
    else if (load < OWN_CALM) this.ownIsCheap = false;
    this.own.complexity = this.ownIsCheap ? Math.min(OWN_COMPLEXITY, this.complexity) : this.complexity;
  }
}
