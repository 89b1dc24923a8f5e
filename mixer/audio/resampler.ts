import { HalfBandDown, HalfBandUp } from './half-band.ts';
import { PolyphaseFilter } from './polyphase-filter.ts';

/**
 * Changes the sampling rate between the mixer's rates, by linear-phase FIR filters (windowed sinc, Kaiser window).
 *
 * The pass band reaches 3.4 kHz of 8 kHz audio and 7 kHz of 16 kHz audio, as telephones have it; the stop band begins
 * where an image or alias would fall into the pass band, and lies below −70 dB. A narrower transition would only add
 * delay: see `delaySamples`.
 *
 * Two stages are cheaper than one: a half-band filter, every other coefficient of which is zero, between the lower of the
 * two rates and its double does all that is steep; what is left, between that and the higher rate, needs few coefficients.
 */

/** Pass band's end, as a share of the lower one of the two sampling rates. */
const PASS_BAND = 0.4375;
/** 8 kHz audio is cut at 3.4 kHz instead (ITU-T G.712). */
const NARROW_BAND_HZ = 8000;
const NARROW_PASS_BAND = 0.425;
const CHUNK_MS = 20;

/** Between the stages, and at the end, before it is rounded: of whoever is at work. As long as the longest need. */
let sharedMiddle = new Float64Array(0);
let sharedResult = new Float64Array(0);

/** One stream's resampler. Its state is its input's last few samples, so frames join without seams. */
export class Resampler {
  /** How far the output lags behind the input, in samples of the input. */
  readonly delaySamples: number;
  private readonly chunkSamples: number;
  private readonly rises: boolean;
  private readonly up: HalfBandUp | null = null;
  private readonly down: HalfBandDown | null = null;
  /** Null where the higher rate is the lower one's double. */
  private readonly rest: PolyphaseFilter | null;

  constructor(fromHz: number, toHz: number) {
    const lowerHz = Math.min(fromHz, toHz);
    const passHz = lowerHz * (lowerHz === NARROW_BAND_HZ ? NARROW_PASS_BAND : PASS_BAND);
    const doubleHz = 2 * lowerHz;
    // Images and aliases that the half-band filter cannot see.
    const stopHz = doubleHz - (lowerHz - passHz);
    const higherHz = Math.max(fromHz, toHz);
    this.rises = toHz > fromHz;
    this.chunkSamples = (fromHz * CHUNK_MS) / 1000;
    const middleSamples = (doubleHz * CHUNK_MS) / 1000;
    const resultSamples = (toHz * CHUNK_MS) / 1000;
    if (sharedMiddle.length < middleSamples) sharedMiddle = new Float64Array(middleSamples);
    if (sharedResult.length < resultSamples) sharedResult = new Float64Array(resultSamples);
    const share = passHz / lowerHz;
    let delayS: number;
    if (this.rises) {
      this.up = new HalfBandUp(share, this.chunkSamples);
      this.rest = higherHz === doubleHz ? null : new PolyphaseFilter(doubleHz, higherHz, passHz, stopHz, middleSamples);
      delayS = this.up.delaySamples / fromHz + (this.rest?.delaySamples ?? 0) / doubleHz;
    } else {
      this.rest =
        higherHz === doubleHz ? null : new PolyphaseFilter(higherHz, doubleHz, passHz, stopHz, this.chunkSamples);
      this.down = new HalfBandDown(share, middleSamples);
      delayS = this.down.delaySamples / doubleHz + (this.rest?.delaySamples ?? 0) / higherHz;
    }
    this.delaySamples = delayS * fromHz;
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

  private processChunk(input: Int16Array, inOffset: number, samples: number, output: Int16Array, at: number): number {
    const { up, down, rest } = this;
    const middle = sharedMiddle;
    const result = sharedResult;
    let made: number;
    if (up) {
      const doubled = rest ? middle : result;
      up.load(input, inOffset, samples);
      made = up.process(samples, doubled);
      if (rest) {
        rest.loadReals(doubled, made);
        made = rest.process(made, result);
      }
    } else {
      let doubled = samples;
      if (rest) {
        rest.load(input, inOffset, samples);
        doubled = rest.process(samples, middle);
        down!.loadReals(middle, doubled);
      } else {
        down!.load(input, inOffset, samples);
      }
      made = down!.process(doubled, result);
    }
    for (let i = 0; i < made; i++) {
      const value = result[i]!;
      output[at + i] = value >= 32767 ? 32767 : value <= -32768 ? -32768 : ((value + 32768.5) | 0) - 32768;
    }
    return made;
  }
}
