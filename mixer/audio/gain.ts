/** A gain that changes without clicks, for a participant's volume and for muting. */

/** A ramp of this length is short enough to be felt as at once and long enough not to click. */
const RAMP_MS = 8;

/** The factor of a gain in decibels; −Infinity is silence. */
export function linearGain(gainDb: number): number {
  return 10 ** (gainDb / 20);
}

export class Gain {
  private readonly rampSamples: number;
  private current: number;
  private target: number;
  private step = 0;

  /** Begins at `initialDb`, without a ramp. */
  constructor(sampleRateHz: number, initialDb = 0) {
    this.rampSamples = (sampleRateHz * RAMP_MS) / 1000;
    this.current = linearGain(initialDb);
    this.target = this.current;
  }

  /** Ramps to `gainDb` within the next 8 ms of sound; −Infinity mutes. */
  set(gainDb: number): void {
    const target = linearGain(gainDb);
    if (target === this.target) return;
    this.target = target;
    this.step = (target - this.current) / this.rampSamples;
  }

  /** Changes to `gainDb` without a ramp, for one who is not heard. */
  setAtOnce(gainDb: number): void {
    this.target = linearGain(gainDb);
    this.current = this.target;
  }

  /** True as long as `process` would make nothing but silence. */
  get silent(): boolean {
    return this.current === 0 && this.target === 0;
  }

  /** Applies the gain in place, saturating; leaves the samples alone at 0 dB. */
  process(pcm: Int16Array, offset: number, samples: number): void {
    const end = offset + samples;
    const steady = this.current === this.target ? offset : this.ramp(pcm, offset, end);
    const gain = this.current;
    if (steady === end || gain === 1) return;
    if (gain === 0) {
      pcm.fill(0, steady, end);
      return;
    }
    for (let i = steady; i < end; i++) pcm[i] = amplify(pcm[i]!, gain);
  }

  /** Returns where the ramp ends. */
  private ramp(pcm: Int16Array, offset: number, end: number): number {
    const { target, step } = this;
    let gain = this.current;
    let i = offset;
    for (; i < end; i++) {
      const next = gain + step;
      if (step > 0 ? next >= target : next <= target) {
        gain = target;
        break;
      }
      gain = next;
      pcm[i] = amplify(pcm[i]!, gain);
    }
    this.current = gain;
    return i;
  }
}

function amplify(sample: number, gain: number): number {
  const value = Math.round(sample * gain);
  return value > 32767 ? 32767 : Math.max(value, -32768);
}
