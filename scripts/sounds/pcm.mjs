// Pieces of sound on their way to a file: Float64Array at 16 kHz, full scale ±1.

export const SAMPLE_RATE_HZ = 16_000;
/** 20 ms, which is also what a packet holds: files are whole numbers of these. */
export const FRAME = SAMPLE_RATE_HZ / 50;
const FADE = SAMPLE_RATE_HZ / 200;
/** Nothing goes above: −1 dB, which leaves the codec room. */
const PEAK = 10 ** (-1 / 20);
/** Frames so far below the loudest one are pauses. */
const PAUSE_DB = -20;

export const samplesIn = (seconds) => Math.round(seconds * SAMPLE_RATE_HZ);

export const rms = (sound) => Math.sqrt(sound.reduce((sum, value) => sum + value * value, 0) / sound.length);

/** RMS of each whole 20 ms. */
export function frameLevels(sound) {
  return Array.from({ length: Math.floor(sound.length / FRAME) }, (_, i) =>
    rms(sound.subarray(i * FRAME, (i + 1) * FRAME)),
  );
}

/** Level of the sound without its pauses, dBov: RMS of the 20 ms frames that are at most 20 dB below the loudest. */
export function activeLevelDb(sound) {
  const levels = frameLevels(sound);
  const least = Math.max(...levels) * 10 ** (PAUSE_DB / 20);
  const active = levels.filter((level) => level >= least);
  return 10 * Math.log10(active.reduce((sum, level) => sum + level * level, 0) / active.length);
}

/** Brings the sound to a level, dBov, as `measure` has it. Throws when it would be clipped. */
export function levelled(sound, levelDb, measure = activeLevelDb) {
  const gain = 10 ** ((levelDb - measure(sound)) / 20);
  const peak = gain * sound.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (peak > PEAK) throw new Error(`would be clipped: peak ${(20 * Math.log10(peak)).toFixed(1)} dB`);
  return sound.map((value) => value * gain);
}

/** Silence before and after, with soft edges, and so much more after it that the frames are whole. */
export function padded(sound, beforeSeconds, afterSeconds) {
  const before = samplesIn(beforeSeconds);
  const least = before + sound.length + samplesIn(afterSeconds);
  const out = new Float64Array(Math.ceil(least / FRAME) * FRAME);
  for (let i = 0; i < sound.length; i++) {
    out[before + i] = sound[i] * Math.min(1, (i + 1) / FADE, (sound.length - i) / FADE);
  }
  return out;
}

/** Samples of a WAV file that has 16 bit, mono, 16 kHz. */
export function readWav(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = (at) => bytes.toString('latin1', at, at + 4);
  if (text(0) !== 'RIFF' || text(8) !== 'WAVE') throw new Error('no WAV file');
  for (let at = 12; at + 8 <= bytes.length; at += 8 + view.getUint32(at + 4, true)) {
    if (
      text(at) === 'fmt ' &&
      (view.getUint16(at + 10, true) !== 1 || view.getUint32(at + 12, true) !== SAMPLE_RATE_HZ)
    ) {
      throw new Error('WAV file is not mono at 16 kHz');
    }
    if (text(at) !== 'data') continue;
    const samples = Math.min(view.getUint32(at + 4, true), bytes.length - at - 8) >> 1;
    return Float64Array.from({ length: samples }, (_, i) => view.getInt16(at + 8 + 2 * i, true) / 32768);
  }
  throw new Error('WAV file has no data');
}

/** Raw G.722 at 64 kbit/s. */
export function g722(sound, encoder) {
  const pcm = Int16Array.from(sound, (value) => Math.round(Math.max(-1, Math.min(1, value)) * 32767));
  const out = new Uint8Array(pcm.length / 2);
  encoder.encode(pcm, 0, pcm.length, out, 0);
  return out;
}
