/**
 * Brings talkers to a common loudness: −18 LUFS, K-weighted (ITU-R BS.1770), over some three seconds of speech, gated.
 *
 * Only speech is measured, which is what stands out from the line's own noise, and the gain moves only while there is
 * speech; so it neither pumps in pauses nor lifts what lies in them, and leaves tones and steady sounds alone. `gentle`
 * has patience with 5 dB either way, as people hold their phones differently and nobody minds, and goes no further than
 * to the border of that; `on` brings everybody to the same.
 */

import { KWeighting, loudnessLufs } from './k-weighting.ts';

export type AutomaticGainMode = 'off' | 'gentle' | 'on';

const TARGET_LUFS = -18;
/** Quieter frames are no speech; nor are those 10 dB under the loudness measured so far (BS.1770 §5.1, its relative gate). */
const ABSOLUTE_GATE_LUFS = -55;
const RELATIVE_GATE_DB = 10;
const SHORT_TERM_MS = 3000;
/** Less speech than this says too little. */
const LEARNING_MS = 2000;
/** A line's noise is not lifted above this, dBov. */
const LOUDEST_NOISE_DB = -45;
const PEAK_DB = -1;
const PEAK_FALL_DB_PER_S = 1;
const FULL_SCALE = 32768;

interface Manner {
  patienceDb: number;
  mostDb: number;
  leastDb: number;
  dbPerS: number;
}

const MANNERS: Record<Exclude<AutomaticGainMode, 'off'>, Manner> = {
  gentle: { patienceDb: 5, mostDb: 9, leastDb: -9, dbPerS: 1.5 },
  on: { patienceDb: 0, mostDb: 15, leastDb: -15, dbPerS: 4 },
};

export class AutomaticGain {
  /** Of the end of the last frame. */
  gainDb = 0;
  private readonly manner: Manner;
  private readonly sampleRateHz: number;
  private readonly weighting: KWeighting;
  /** Weighted mean square of the speech so far, and how much of it there was. */
  private speech = 0;
  private speechMs = 0;
  private peakDb = -127;
  private gain = 1;

  constructor(sampleRateHz: number, mode: Exclude<AutomaticGainMode, 'off'>) {
    this.sampleRateHz = sampleRateHz;
    this.manner = MANNERS[mode];
    this.weighting = new KWeighting(sampleRateHz);
  }

  /** Loudness of the speech so far, before this gain, LUFS. */
  get loudnessLufs(): number {
    return loudnessLufs(this.speech);
  }

  /**
   * Amplifies in place, saturating.
   * @param speaking whether the frame stands out from the line's noise, whose level is known to be `noiseDb`, dBov
   */
  process(pcm: Int16Array, offset: number, samples: number, speaking: boolean, noiseDb: number): void {
    const meanSquare = this.weighting.process(pcm, offset, samples);
    const from = this.gain;
    if (speaking && this.measure(meanSquare, pcm, offset, samples)) this.move(samples, noiseDb);
    if (from !== 1 || this.gain !== 1) amplify(pcm, offset, samples, from, this.gain);
  }

  /** Whether the frame passed the gates. */
  private measure(meanSquare: number, pcm: Int16Array, offset: number, samples: number): boolean {
    const lufs = loudnessLufs(meanSquare);
    if (lufs < ABSOLUTE_GATE_LUFS) return false;
    if (this.speechMs > 0 && lufs < this.loudnessLufs - RELATIVE_GATE_DB) return false;
    const ms = (samples * 1000) / this.sampleRateHz;
    this.speechMs += ms;
    this.speech += (meanSquare - this.speech) * (ms / Math.min(this.speechMs, SHORT_TERM_MS));
    let peak = 1;
    for (let i = offset; i < offset + samples; i++) {
      const magnitude = Math.abs(pcm[i]!);
      if (magnitude > peak) peak = magnitude;
    }
    const fallen = this.peakDb - (PEAK_FALL_DB_PER_S * ms) / 1000;
    this.peakDb = Math.max(20 * Math.log10(peak / FULL_SCALE), fallen);
    return this.speechMs >= LEARNING_MS;
  }

  private move(samples: number, noiseDb: number): void {
    const { patienceDb, mostDb, leastDb, dbPerS } = this.manner;
    const missingDb = TARGET_LUFS - this.loudnessLufs;
    let wantedDb = Math.sign(missingDb) * Math.max(0, Math.abs(missingDb) - patienceDb);
    wantedDb = Math.max(leastDb, Math.min(mostDb, wantedDb));
    const bearableDb = Math.max(0, Math.min(LOUDEST_NOISE_DB - noiseDb, PEAK_DB - this.peakDb));
    wantedDb = Math.min(wantedDb, bearableDb);
    const stepDb = (dbPerS * samples) / this.sampleRateHz;
    this.gainDb += Math.max(-stepDb, Math.min(stepDb, wantedDb - this.gainDb));
    this.gain = this.gainDb === 0 ? 1 : 10 ** (this.gainDb / 20);
  }
}

function amplify(pcm: Int16Array, offset: number, samples: number, from: number, to: number): void {
  const step = (to - from) / samples;
  let gain = from;
  for (let i = offset; i < offset + samples; i++) {
    gain += step;
    const value = Math.round(pcm[i]! * gain);
    pcm[i] = value > 32767 ? 32767 : value < -32768 ? -32768 : value;
  }
}
