import { Resampler } from './resampler.ts';

/** The frame at one other rate. */
interface Resampled {
  resampler: Resampler;
  frame: Int16Array;
  /** `made` when that was done. */
  made: number;
}

/** A source's frame at whatever sampling rates it is asked for: resampled once a tick for each, and only when asked. */
export class ResampledFrame {
  private rateHz = 0;
  private readonly others = new Map<number, Resampled>();
  private made = 0;

  /** What comes from now on has this rate, and nothing to do with what was before. */
  begin(sampleRateHz: number): void {
    this.rateHz = sampleRateHz;
    this.others.clear();
  }

  /** There is a new frame. */
  next(): void {
    this.made++;
  }

  at(sampleRateHz: number, frame: Int16Array): Int16Array {
    if (sampleRateHz === this.rateHz) return frame;
    let other = this.others.get(sampleRateHz);
    if (!other) {
      const samples = (frame.length * sampleRateHz) / this.rateHz;
      other = { resampler: new Resampler(this.rateHz, sampleRateHz), frame: new Int16Array(samples), made: -1 };
      this.others.set(sampleRateHz, other);
    }
    if (other.made !== this.made) {
      other.resampler.process(frame, 0, frame.length, other.frame, 0);
      other.made = this.made;
    }
    return other.frame;
  }
}
