import { kaiserLength, kaiserSinc } from './fir-design.ts';

/**
 * Filters between a sampling rate and its double that cut in the middle. All their coefficients an even distance from the
 * centre are zero but the centre itself; the others are symmetric, so that two samples share a multiplication.
 */

const STOP_BAND_DB = 73;

const HALVES = new Map<number, Float64Array>();

/** The coefficients 1, 3, 5 … from the centre, which add up to a quarter; `passBand` is a share of the lower rate. */
function halfOf(passBand: number): Float64Array {
  let half = HALVES.get(passBand);
  if (half) return half;
  const length = kaiserLength(STOP_BAND_DB, (1 - 2 * passBand) / 2);
  half = new Float64Array(Math.round((length - 1) / 4));
  let sum = 0;
  for (let k = 0; k < half.length; k++) {
    half[k] = kaiserSinc(2 * k + 1, 0.25, 2 * half.length, STOP_BAND_DB);
    sum += half[k]!;
  }
  // The centre is a half too; both sides add up to the other.
  for (let k = 0; k < half.length; k++) half[k]! /= 4 * sum;
  HALVES.set(passBand, half);
  return half;
}

/** Doubles the rate: the samples themselves, and between any two one more. */
export class HalfBandUp {
  /** In samples of the input. */
  readonly delaySamples: number;
  private readonly half: Float64Array;
  /** The last samples of before, then the input. */
  private readonly line: Float64Array;

  constructor(passBand: number, mostSamples: number) {
    this.half = halfOf(passBand);
    this.delaySamples = this.half.length;
    this.line = new Float64Array(2 * this.half.length - 1 + mostSamples);
  }

  load(input: Int16Array, offset: number, samples: number): void {
    const { line } = this;
    const history = 2 * this.half.length - 1;
    for (let i = 0; i < samples; i++) line[history + i] = input[offset + i]!;
  }

  /** Makes of the `samples` that were loaded, a multiple of four, twice as many; returns their number. */
  process(samples: number, out: Float64Array): number {
    const { line, half } = this;
    const taps = half.length;
    // Four at a time: a coefficient is fetched once for all four, whose sums do not wait for one another.
    for (let i = 0; i < samples; i += 4) {
      let left = i + taps - 1;
      let right = left + 1;
      for (let n = 0; n < 4; n++) out[2 * (i + n)] = line[left + n]!;
      let a = 0;
      let b = 0;
      let c = 0;
      let d = 0;
      for (let k = 0; k < taps; k++) {
        const coefficient = half[k]!;
        a += coefficient * (line[left]! + line[right]!);
        b += coefficient * (line[left + 1]! + line[right + 1]!);
        c += coefficient * (line[left + 2]! + line[right + 2]!);
        d += coefficient * (line[left + 3]! + line[right + 3]!);
        left--;
        right++;
      }
      out[2 * i + 1] = 2 * a;
      out[2 * i + 3] = 2 * b;
      out[2 * i + 5] = 2 * c;
      out[2 * i + 7] = 2 * d;
    }
    line.copyWithin(0, samples, samples + 2 * taps - 1);
    return 2 * samples;
  }
}

/** Halves the rate. */
export class HalfBandDown {
  /** In samples of the input. */
  readonly delaySamples: number;
  private readonly half: Float64Array;
  private readonly historySamples: number;
  /** The last samples of before, then the input. */
  private readonly line: Float64Array;

  constructor(passBand: number, mostSamples: number) {
    this.half = halfOf(passBand);
    const reach = 2 * this.half.length - 1;
    this.delaySamples = reach - 1;
    this.historySamples = 2 * reach - 1;
    this.line = new Float64Array(this.historySamples + mostSamples);
  }

  load(input: Int16Array, offset: number, samples: number): void {
    const { line, historySamples } = this;
    for (let i = 0; i < samples; i++) line[historySamples + i] = input[offset + i]!;
  }

  loadReals(input: Float64Array, samples: number): void {
    const { line, historySamples } = this;
    for (let i = 0; i < samples; i++) line[historySamples + i] = input[i]!;
  }

  /** Makes of the `samples` that were loaded, a multiple of eight, half as many; returns their number. */
  process(samples: number, out: Float64Array): number {
    const { line, half } = this;
    const taps = half.length;
    const reach = 2 * taps - 1;
    for (let i = 0; i < samples; i += 8) {
      const centre = reach + i;
      let left = centre - 1;
      let right = centre + 1;
      let a = 0.5 * line[centre]!;
      let b = 0.5 * line[centre + 2]!;
      let c = 0.5 * line[centre + 4]!;
      let d = 0.5 * line[centre + 6]!;
      for (let k = 0; k < taps; k++) {
        const coefficient = half[k]!;
        a += coefficient * (line[left]! + line[right]!);
        b += coefficient * (line[left + 2]! + line[right + 2]!);
        c += coefficient * (line[left + 4]! + line[right + 4]!);
        d += coefficient * (line[left + 6]! + line[right + 6]!);
        left -= 2;
        right += 2;
      }
      const at = i >> 1;
      out[at] = a;
      out[at + 1] = b;
      out[at + 2] = c;
      out[at + 3] = d;
    }
    line.copyWithin(0, samples, samples + this.historySamples);
    return samples >> 1;
  }
}
