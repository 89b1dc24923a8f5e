import { kaiserLength, kaiserSinc } from './fir-design.ts';

const STOP_BAND_DB = 73;

/** Coefficients of one conversion; shared by all filters of the same rates. */
interface Phases {
  /** Upsampling and downsampling factor, without common divisors. */
  up: number;
  down: number;
  /** Length of each phase, even. */
  taps: number;
  /** `up` phases of `taps` coefficients, in the order in which they meet the samples; each adds up to 1. */
  coefficients: Float64Array;
  delaySamples: number;
}

const DESIGNS = new Map<string, Phases>();

function phasesFor(fromHz: number, toHz: number, passHz: number, stopHz: number): Phases {
  const key = `${fromHz}:${toHz}:${passHz}:${stopHz}`;
  let phases = DESIGNS.get(key);
  if (!phases) {
    phases = design(fromHz, toHz, passHz, stopHz);
    DESIGNS.set(key, phases);
  }
  return phases;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function design(fromHz: number, toHz: number, passHz: number, stopHz: number): Phases {
  const divisor = greatestCommonDivisor(fromHz, toHz);
  const up = toHz / divisor;
  const down = fromHz / divisor;
  const filterHz = fromHz * up;
  const length = kaiserLength(STOP_BAND_DB, (stopHz - passHz) / filterHz);
  const taps = 2 * Math.ceil(length / up / 2);
  const centre = (taps * up - 1) / 2;
  const coefficients = new Float64Array(taps * up);
  for (let phase = 0; phase < up; phase++) {
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) {
      const value = kaiserSinc(phase + tap * up - centre, (passHz + stopHz) / 2 / filterHz, centre + 0.5, STOP_BAND_DB);
      // Reversed, for the newest sample comes last in the line and meets the first coefficient.
      coefficients[phase * taps + (taps - 1 - tap)] = value;
      sum += value;
    }
    for (let tap = 0; tap < taps; tap++) coefficients[phase * taps + tap]! /= sum;
  }
  return { up, down, taps, coefficients, delaySamples: centre / up };
}

/** Periods that are filtered together. */
const PERIODS = 4;

/** A change of rate by a fraction: `up` samples out of `down`. */
export class PolyphaseFilter {
  /** In samples of the input. */
  readonly delaySamples: number;
  private readonly phases: Phases;
  /** The last `taps - 1` samples, then the input. */
  private readonly line: Float64Array;

  constructor(fromHz: number, toHz: number, passHz: number, stopHz: number, mostSamples: number) {
    this.phases = phasesFor(fromHz, toHz, passHz, stopHz);
    this.delaySamples = this.phases.delaySamples;
    this.line = new Float64Array(this.phases.taps - 1 + mostSamples);
  }

  load(input: Int16Array, offset: number, samples: number): void {
    const history = this.phases.taps - 1;
    for (let i = 0; i < samples; i++) this.line[history + i] = input[offset + i]!;
  }

  loadReals(input: Float64Array, samples: number): void {
    const history = this.phases.taps - 1;
    for (let i = 0; i < samples; i++) this.line[history + i] = input[i]!;
  }

  /** Takes the `samples` that were loaded, a multiple of four times `down`; returns how many it made of them. */
  process(samples: number, out: Float64Array): number {
    const { up, down, taps } = this.phases;
    const step = PERIODS * down;
    let at = 0;
    for (let position = 0; position < samples; position += step) {
      this.convolve(position, out, at);
      at += PERIODS * up;
    }
    this.line.copyWithin(0, samples, samples + taps - 1);
    return at;
  }

  /** Four periods by two taps at a time: a coefficient is fetched once for all four, whose sums do not wait for one another. */
  private convolve(position: number, out: Float64Array, at: number): void {
    const { up, down, taps, coefficients } = this.phases;
    const { line } = this;
    const second = down;
    const third = 2 * down;
    const fourth = 3 * down;
    for (let n = 0; n < up; n++) {
      const first = ((n * down) % up) * taps;
      let x = position + (((n * down) / up) | 0);
      let a = 0;
      let b = 0;
      let c = 0;
      let d = 0;
      for (let tap = first; tap < first + taps; tap += 2) {
        const even = coefficients[tap]!;
        const odd = coefficients[tap + 1]!;
        a += line[x]! * even + line[x + 1]! * odd;
        b += line[x + second]! * even + line[x + second + 1]! * odd;
        c += line[x + third]! * even + line[x + third + 1]! * odd;
        d += line[x + fourth]! * even + line[x + fourth + 1]! * odd;
        x += 2;
      }
      out[at + n] = a;
      out[at + n + up] = b;
      out[at + n + 2 * up] = c;
      out[at + n + 3 * up] = d;
    }
  }
}
