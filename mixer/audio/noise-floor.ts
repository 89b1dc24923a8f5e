/**
 * The level of a line's own noise: the least of the levels, averaged over some frames, of the last three seconds. In
 * three seconds of speech there is always a pause; what has none is taken for noise.
 */

/** Down faster than up, as pauses between words are short. */
const FALL_PER_FRAME = 0.5;
const RISE_PER_FRAME = 0.2;
const SPAN_MS = 500;
const SPANS = 6;

export class NoiseFloor {
  /** Mean square; 0 as long as nothing is known. */
  meanSquare = 0;
  private readonly spanSamples: number;
  private readonly least = new Float64Array(SPANS).fill(Number.POSITIVE_INFINITY);
  private span = 0;
  private samplesInSpan = 0;
  private smoothed = 0;

  constructor(sampleRateHz: number) {
    this.spanSamples = (sampleRateHz * SPAN_MS) / 1000;
  }

  /** Three seconds were heard, so that steady sound is known to be steady. */
  get settled(): boolean {
    return this.least[(this.span + 1) % SPANS]! < Number.POSITIVE_INFINITY;
  }

  /** Takes the mean square of the next `samples`. Digital silence is a gap in the stream and says nothing of the line. */
  process(meanSquare: number, samples: number): void {
    if (meanSquare === 0) return;
    const share = meanSquare < this.smoothed ? FALL_PER_FRAME : RISE_PER_FRAME;
    this.smoothed = this.smoothed === 0 ? meanSquare : this.smoothed + share * (meanSquare - this.smoothed);
    if (this.smoothed < this.least[this.span]!) this.least[this.span] = this.smoothed;
    this.samplesInSpan += samples;
    if (this.samplesInSpan < this.spanSamples) {
      if (this.smoothed < this.meanSquare) this.meanSquare = this.smoothed;
      return;
    }
    this.samplesInSpan = 0;
    this.span = (this.span + 1) % SPANS;
    this.least[this.span] = Number.POSITIVE_INFINITY;
    this.meanSquare = this.settled ? this.leastOfAll() : this.meanSquare;
  }

  private leastOfAll(): number {
    let least = Number.POSITIVE_INFINITY;
    for (let index = 0; index < SPANS; index++) least = Math.min(least, this.least[index]!);
    return least;
  }
}
