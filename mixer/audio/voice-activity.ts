/**
 * Tells silence from sound, so that a silent participant can be left out of the mix and given the common one.
 *
 * The thresholds are chosen so that only the inaudible is left out. Speech in a telephone call lies around −20 to
 * −40 dBov, the quietest parts of quiet talkers around −50; at a loudness where −20 dBov is a normal voice (some 60 dB
 * SPL), −55 dBov is 25 dB SPL, under the noise of a quiet room. So above −55 all is active, whatever it is. Below −65
 * nothing is, as the idle noise of G.711 lies there. In between the noise floor decides: what stands out from it by 9 dB
 * is a faint talker in a quiet room, what does not is the room.
 */

const ALWAYS_ACTIVE_DB = -55;
const NEVER_ACTIVE_DB = -65;
const ABOVE_FLOOR_DB = 9;
/** The floor falls to a quieter frame at once and creeps up under louder ones, so speech hardly lifts it. */
const FLOOR_RISE_DB_PER_S = 2;
const HANG_OVER_MS = 300;
/** The level that decides is the loudest of such pieces, so that a word's beginning at a frame's end counts. */
const PIECE_MS = 5;
/** RFC 6464 §3: the lowest audio level. */
const SILENCE_DB = -127;
const FULL_SCALE_SQUARE = 32768 * 32768;

export class VoiceActivity {
  /** RMS level of the last piece of PCM, dBov: 0 is a full-scale square wave, −127 is silence (RFC 6464). */
  levelDb = SILENCE_DB;
  private readonly sampleRateHz: number;
  private floorDb = NEVER_ACTIVE_DB - ABOVE_FLOOR_DB;
  private hangOverSamples = 0;

  constructor(sampleRateHz: number) {
    this.sampleRateHz = sampleRateHz;
  }

  /** Whether there is sound in this piece, or was in the last 300 ms. */
  process(pcm: Int16Array, offset: number, samples: number): boolean {
    if (samples === 0) return this.hangOverSamples > 0;
    const pieceLength = Math.max(1, (this.sampleRateHz * PIECE_MS) / 1000);
    const end = offset + samples;
    let total = 0;
    let loudest = 0;
    for (let from = offset; from < end; from += pieceLength) {
      const to = Math.min(end, from + pieceLength);
      let sum = 0;
      for (let i = from; i < to; i++) {
        const sample = pcm[i]!;
        sum += sample * sample;
      }
      total += sum;
      const meanSquare = sum / (to - from);
      if (meanSquare > loudest) loudest = meanSquare;
    }
    this.levelDb = decibels(total / samples);
    return this.decide(decibels(loudest), samples);
  }

  private decide(loudestDb: number, samples: number): boolean {
    const threshold = Math.min(ALWAYS_ACTIVE_DB, Math.max(NEVER_ACTIVE_DB, this.floorDb + ABOVE_FLOOR_DB));
    const rise = (FLOOR_RISE_DB_PER_S * samples) / this.sampleRateHz;
    this.floorDb = Math.min(this.floorDb + rise, this.levelDb);
    if (loudestDb > threshold) {
      this.hangOverSamples = (this.sampleRateHz * HANG_OVER_MS) / 1000;
      return true;
    }
    if (this.hangOverSamples <= 0) return false;
    this.hangOverSamples -= samples;
    return true;
  }
}

function decibels(meanSquare: number): number {
  if (meanSquare === 0) return SILENCE_DB;
  return 10 * Math.log10(meanSquare / FULL_SCALE_SQUARE);
}
