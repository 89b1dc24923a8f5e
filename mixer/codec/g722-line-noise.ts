import { nextLogStepHigh, nextLogStepLow } from './g722-sub-band.ts';

/**
 * Tells a line's own noise from sound by G.722 octets alone. The quantizers' logarithmic steps follow from the codes
 * without the predictors, and follow the level of what the predictors could not foresee: in speech its onsets, of noise
 * all. What they cannot see is a steady tone, nor one that swells slowly.
 *
 * What the line's noise is, they are told: steps of what was decoded and held nothing that anybody would have heard.
 */

/** Peaks of noise around −73 dBov, far below any threshold; nothing lower is told apart. */
const LEAST_LOW = 2600;
const LEAST_HIGH = 6500;
/** 3 dB. What a talker adds to the noise, to be one, is 9 dB. */
const MARGIN_LOW = 1000;
const MARGIN_HIGH = 1200;
/** Share of the way that one packet makes. */
const LEARNING = 0.5;

export class G722LineNoise {
  private lowStep = 0;
  private highStep = 0;
  /** In the last packet. */
  private lowPeak = 0;
  private highPeak = 0;
  /** In packets of noise. */
  private lowNoise = LEAST_LOW;
  private highNoise = LEAST_HIGH;

  /** A decoder has these logarithmic steps before the next packet. */
  continueFrom(lowStep: number, highStep: number): void {
    this.lowStep = lowStep;
    this.highStep = highStep;
  }

  /**
   * Whether the next packet holds the line's noise as it was. When that gets weaker it is no more: whoever else has an
   * idea of it is to hear that, too.
   */
  isIn(payload: Uint8Array): boolean {
    this.follow(payload);
    const low = this.lowPeak - this.lowNoise;
    const high = this.highPeak - this.highNoise;
    if (low > MARGIN_LOW || high > MARGIN_HIGH) return false;
    return (low > -MARGIN_LOW || this.lowNoise <= LEAST_LOW) && (high > -MARGIN_HIGH || this.highNoise <= LEAST_HIGH);
  }

  /** The last packet was noise. */
  learn(): void {
    this.lowNoise = Math.max(LEAST_LOW, this.lowNoise + LEARNING * (this.lowPeak - this.lowNoise));
    this.highNoise = Math.max(LEAST_HIGH, this.highNoise + LEARNING * (this.highPeak - this.highNoise));
  }

  private follow(payload: Uint8Array): void {
    let { lowStep, highStep } = this;
    let lowPeak = 0;
    let highPeak = 0;
    for (let index = 0; index < payload.length; index++) {
      const octet = payload[index]!;
      lowStep = nextLogStepLow(lowStep, (octet & 0x3f) >> 2);
      highStep = nextLogStepHigh(highStep, octet >> 6);
      if (lowStep > lowPeak) lowPeak = lowStep;
      if (highStep > highPeak) highPeak = highStep;
    }
    this.lowStep = lowStep;
    this.highStep = highStep;
    this.lowPeak = lowPeak;
    this.highPeak = highPeak;
  }
}
