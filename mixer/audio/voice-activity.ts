/**
 * Tells sound from silence, and speech from a line's own noise, so that who is silent can be left out of the mix.
 *
 * The thresholds are chosen so that only what nobody misses is left out. Speech in a telephone call lies around −20 to
 * −40 dBov, the quietest parts of quiet talkers around −50. Below −65 nothing is active, as the idle noise of G.711 lies
 * there. Up to −40 the noise floor decides: what stands out from it by 9 dB is a talker, what goes on at one level for
 * three seconds is the room or the line. Above −40 all is active, whatever it is: music, keys, a test tone. But only what
 * stands out is `speaking`, and can hold a place in the mix against others.
 */

import { NoiseFloor } from './noise-floor.ts';

const ALWAYS_ACTIVE_DB = -40;
const NEVER_ACTIVE_DB = -65;
const ABOVE_FLOOR_DB = 9;
/**
 * The noise of engines and fans is strongest below this, and wavers there from one piece to the next as words do. Speech
 * has enough above it.
 */
const RUMBLE_HZ = 250;
const HANG_OVER_MS = 300;
/** The level that decides is the loudest of such pieces, so that a word's beginning at a frame's end counts. */
const PIECE_MS = 5;
/** RFC 6464 §3: the lowest audio level. */
const SILENCE_DB = -127;
const FULL_SCALE_SQUARE = 32768 * 32768;

const ALWAYS_ACTIVE = meanSquareOf(ALWAYS_ACTIVE_DB);
const NEVER_ACTIVE = meanSquareOf(NEVER_ACTIVE_DB);
const ABOVE_FLOOR = 10 ** (ABOVE_FLOOR_DB / 10);

export class VoiceActivity {
  /** Of the last piece of PCM: it stands out from the line's own noise. */
  speaking = false;
  private readonly pieceSamples: number;
  private readonly hangOver: number;
  private readonly floor: NoiseFloor;
  /** Of the last piece of PCM, in units of its samples. */
  meanSquare = 0;
  /** A high-pass of first order; it rests where nothing could be active. */
  private readonly pole: number;
  private input = 0;
  private output = 0;
  private filtering = false;
  private hangOverSamples = 0;

  constructor(sampleRateHz: number) {
    this.pieceSamples = (sampleRateHz * PIECE_MS) / 1000;
    this.pole = Math.exp((-2 * Math.PI * RUMBLE_HZ) / sampleRateHz);
    this.hangOver = (sampleRateHz * HANG_OVER_MS) / 1000;
    this.floor = new NoiseFloor(sampleRateHz);
  }

  /** RMS level of the last piece of PCM, dBov: 0 is a full-scale square wave, −127 is silence (RFC 6464). */
  get levelDb(): number {
    return decibels(this.meanSquare);
  }

  /** Three seconds were heard, so that steady sound is known for what it is. */
  get settled(): boolean {
    return this.floor.settled;
  }

  /** Level of the line's own noise, dBov; −127 as long as it is not known. */
  get noiseDb(): number {
    return decibels(this.floor.meanSquare);
  }

  /** Whether there is sound in this piece, of an even number of samples, or was in the last 300 ms. */
  process(pcm: Int16Array, offset: number, samples: number): boolean {
    if (samples === 0) return this.hangOverSamples > 0;
    const loudest = this.measure(pcm, offset, samples);
    if (loudest > NEVER_ACTIVE) {
      if (!this.filtering) this.input = pcm[offset]!;
      this.filtering = true;
      this.speaking = this.standsOut(pcm, offset, samples);
    } else {
      this.floor.process(this.meanSquare, samples);
      this.speaking = false;
      this.filtering = false;
      this.output = 0;
    }
    if (this.speaking || this.meanSquare > ALWAYS_ACTIVE) {
      this.hangOverSamples = this.hangOver;
      return true;
    }
    if (this.hangOverSamples <= 0) return false;
    this.hangOverSamples -= samples;
    return true;
  }

  /** Mean square of the loudest piece. */
  private measure(pcm: Int16Array, offset: number, samples: number): number {
    const end = offset + samples;
    let total = 0;
    let loudest = 0;
    for (let from = offset; from < end; from += this.pieceSamples) {
      const to = Math.min(end, from + this.pieceSamples);
      // Two sums, as each addition waits for the one before.
      let sum = 0;
      let other = 0;
      for (let i = from + 1; i < to; i += 2) {
        sum += pcm[i - 1]! * pcm[i - 1]!;
        other += pcm[i]! * pcm[i]!;
      }
      sum += other;
      total += sum;
      const meanSquare = sum / (to - from);
      if (meanSquare > loudest) loudest = meanSquare;
    }
    this.meanSquare = total / samples;
    return loudest;
  }

  /** Whether the loudest piece, without its low end, stands out from the noise floor; which then takes in all pieces. */
  private standsOut(pcm: Int16Array, offset: number, samples: number): boolean {
    const { pole } = this;
    const poleSquare = pole * pole;
    const end = offset + samples;
    let { input, output } = this;
    let total = 0;
    let loudest = 0;
    for (let from = offset; from < end; from += this.pieceSamples) {
      const to = Math.min(end, from + this.pieceSamples);
      let sum = 0;
      // Two at a time, the second from the output before the first: so neither waits for the other.
      for (let i = from + 1; i < to; i += 2) {
        const step = pcm[i - 1]! - input;
        const first = step + pole * output;
        output = pcm[i]! - pcm[i - 1]! + pole * step + poleSquare * output;
        input = pcm[i]!;
        sum += first * first + output * output;
      }
      total += sum;
      const meanSquare = sum / (to - from);
      if (meanSquare > loudest) loudest = meanSquare;
    }
    this.input = input;
    this.output = output;
    const standsOut = loudest > this.floor.meanSquare * ABOVE_FLOOR;
    this.floor.process(total / samples, samples);
    return standsOut;
  }
}

function meanSquareOf(levelDb: number): number {
  return 10 ** (levelDb / 10) * FULL_SCALE_SQUARE;
}

function decibels(meanSquare: number): number {
  if (meanSquare === 0) return SILENCE_DB;
  return Math.max(SILENCE_DB, 10 * Math.log10(meanSquare / FULL_SCALE_SQUARE));
}
