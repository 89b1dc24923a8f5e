/**
 * Changes the sampling rate between the mixer's rates, by a polyphase FIR filter (windowed sinc, Kaiser window).
 *
 * The pass band reaches 3.4 kHz of 8 kHz audio and 7 kHz of 16 kHz audio, as telephones have it; the stop band begins
 * where an image or alias would fall into the pass band, and lies below −70 dB. A narrower transition would only add
 * delay: see `delaySamples`.
 */

/** Pass band's end and stop band's begin, as a share of the lower one of the two sampling rates. */
const PASS_BAND = 0.4375;
const STOP_BAND = 1 - PASS_BAND;
/** 8 kHz audio is cut at 3.4 kHz instead (ITU-T G.712). */
const NARROW_BAND_HZ = 8000;
const NARROW_PASS_BAND = 0.425;
const STOP_BAND_DB = 73;
const CHUNK_MS = 20;
/** Periods that are filtered together. */
const PERIODS = 4;

/** Coefficients of one conversion; shared by all resamplers of the same rates. */
interface Filter {
  /** Upsampling and downsampling factor, without common divisors. */
  up: number;
  down: number;
  /** Length of each phase, even. */
  taps: number;
  /** `up` phases of `taps` coefficients, in the order in which they meet the samples; each adds up to 1. */
  coefficients: Float64Array;
  /** Group delay in samples of the input. */
  delaySamples: number;
}

const FILTERS = new Map<string, Filter>();

function filterFor(fromHz: number, toHz: number): Filter {
  const key = `${fromHz}:${toHz}`;
  let filter = FILTERS.get(key);
  if (filter === undefined) {
    filter = designFilter(fromHz, toHz);
    FILTERS.set(key, filter);
  }
  return filter;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** Kaiser's formulas: A. V. Oppenheim, R. W. Schafer, Discrete-Time Signal Processing, §7.5.3. */
function designFilter(fromHz: number, toHz: number): Filter {
  const divisor = greatestCommonDivisor(fromHz, toHz);
  const up = toHz / divisor;
  const down = fromHz / divisor;
  const filterHz = fromHz * up;
  const lowerHz = Math.min(fromHz, toHz);
  const passHz = lowerHz * (lowerHz === NARROW_BAND_HZ ? NARROW_PASS_BAND : PASS_BAND);
  const stopHz = lowerHz === NARROW_BAND_HZ ? lowerHz - passHz : lowerHz * STOP_BAND;
  const length = Math.ceil((STOP_BAND_DB - 7.95) / (2.285 * 2 * Math.PI * ((stopHz - passHz) / filterHz))) + 1;
  const taps = 2 * Math.ceil(length / up / 2);
  const prototype = kaiserSinc(taps * up, (passHz + stopHz) / 2 / filterHz);

  const coefficients = new Float64Array(up * taps);
  for (let phase = 0; phase < up; phase++) {
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) sum += prototype[phase + tap * up]!;
    for (let tap = 0; tap < taps; tap++) {
      // Reversed, for the newest sample comes last in the line and meets the first coefficient.
      coefficients[phase * taps + (taps - 1 - tap)] = prototype[phase + tap * up]! / sum;
    }
  }
  return { up, down, taps, coefficients, delaySamples: (taps * up - 1) / 2 / up };
}

/** A low-pass filter of unit area; `cutOff` as a share of the sampling rate. */
function kaiserSinc(length: number, cutOff: number): Float64Array {
  const beta = 0.1102 * (STOP_BAND_DB - 8.7);
  const centre = (length - 1) / 2;
  const filter = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const x = i - centre;
    const sinc = x === 0 ? 2 * cutOff : Math.sin(2 * Math.PI * cutOff * x) / (Math.PI * x);
    const edge = x / (centre + 0.5);
    filter[i] = sinc * besselI0(beta * Math.sqrt(1 - edge * edge));
  }
  return filter;
}

/** Modified Bessel function of the first kind, order zero, by its power series. */
function besselI0(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/** One stream's resampler. Its state is its input's last few samples, so frames join without seams. */
export class Resampler {
  private readonly filter: Filter;
  private readonly chunkSamples: number;
  /** The last `taps - 1` samples, then those of the chunk. */
  private readonly line: Float64Array;
  /** Where the next output sample lies after the chunk's beginning, in steps of 1/up input samples. */
  private time = 0;

  constructor(fromHz: number, toHz: number) {
    this.filter = filterFor(fromHz, toHz);
    this.chunkSamples = (fromHz * CHUNK_MS) / 1000;
    this.line = new Float64Array(this.filter.taps - 1 + this.chunkSamples);
  }

  /** How far the output lags behind the input, in samples of the input. */
  get delaySamples(): number {
    return this.filter.delaySamples;
  }

  /**
   * Resamples `samples` samples; returns how many were written to `output`: exactly toHz/fromHz times as many, as long as
   * that is a whole number (of any frame of whole milliseconds it is).
   */
  process(input: Int16Array, inOffset: number, samples: number, output: Int16Array, outOffset: number): number {
    let written = 0;
    for (let done = 0; done < samples; done += this.chunkSamples) {
      const chunk = Math.min(this.chunkSamples, samples - done);
      written += this.processChunk(input, inOffset + done, chunk, output, outOffset + written);
    }
    return written;
  }

  /** One period of the phases after the other: `up` samples out of `down`. */
  private processChunk(input: Int16Array, inOffset: number, samples: number, output: Int16Array, at: number): number {
    const { up, down, taps } = this.filter;
    const line = this.line;
    const history = taps - 1;
    for (let i = 0; i < samples; i++) line[history + i] = input[inOffset + i]!;

    const end = samples * up;
    let written = 0;
    // All of a frame but its rest goes through in groups that begin with phase 0.
    if (this.time === 0) {
      const groups = Math.floor(samples / (PERIODS * down));
      for (let group = 0; group < groups; group++) {
        this.convolveGroup(group * PERIODS * down, output, at + written);
        written += PERIODS * up;
      }
      this.time = groups * PERIODS * down * up;
    }
    for (; this.time < end; this.time += down) {
      const position = Math.floor(this.time / up);
      output[at + written] = toInt16(this.convolve(position, (this.time % up) * taps));
      written++;
    }
    this.time -= end;
    line.copyWithin(0, samples, samples + history);
    return written;
  }

  /** Four periods by two taps at a time: a coefficient is fetched once for all four, whose sums do not wait for one another. */
  private convolveGroup(position: number, output: Int16Array, at: number): void {
    const { up, down, taps, coefficients } = this.filter;
    const line = this.line;
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
      output[at + n] = toInt16(a);
      output[at + n + up] = toInt16(b);
      output[at + n + 2 * up] = toInt16(c);
      output[at + n + 3 * up] = toInt16(d);
    }
  }

  private convolve(position: number, first: number): number {
    const { taps, coefficients } = this.filter;
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) sum += this.line[position + tap]! * coefficients[first + tap]!;
    return sum;
  }
}

function toInt16(value: number): number {
  if (value >= 32767) return 32767;
  if (value <= -32768) return -32768;
  return ((value + 32768.5) | 0) - 32768;
}
