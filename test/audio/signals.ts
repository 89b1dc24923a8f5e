/** Test signals and measurements on PCM. */

export function tone(
  sampleRateHz: number,
  samples: number,
  frequencyHz: number,
  amplitude: number,
  phase = 0,
): Int16Array {
  const pcm = new Int16Array(samples);
  for (let i = 0; i < samples; i++) {
    pcm[i] = Math.round(amplitude * Math.sin((2 * Math.PI * frequencyHz * i) / sampleRateHz + phase));
  }
  return pcm;
}

/** White noise, evenly spread, the same for the same seed. */
export function noise(samples: number, amplitude: number, seed = 1): Int16Array {
  const pcm = new Int16Array(samples);
  let state = seed >>> 0;
  for (let i = 0; i < samples; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    pcm[i] = Math.round(amplitude * (state / 2 ** 31 - 1));
  }
  return pcm;
}

/** A voice of 120 Hz through two resonances, in syllables. */
export function speechLike(sampleRateHz: number, samples: number, amplitude: number): Int16Array {
  const pcm = new Int16Array(samples);
  for (let i = 0; i < samples; i++) {
    const t = i / sampleRateHz;
    const sincePulse = (t * 120 - Math.floor(t * 120)) / 120;
    const formants = Math.sin(2 * Math.PI * 700 * sincePulse) + 0.5 * Math.sin(2 * Math.PI * 1800 * sincePulse);
    const syllable = Math.abs(Math.sin(2 * Math.PI * 2 * t));
    pcm[i] = Math.round(amplitude * syllable * Math.exp(-200 * sincePulse) * formants);
  }
  return pcm;
}

/** RMS level, dBov. */
export function levelDb(pcm: Int16Array, from = 0, to = pcm.length): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += pcm[i]! ** 2;
  return 10 * Math.log10(sum / (to - from) / 32768 ** 2 + 1e-13);
}

/** The largest change from one sample to the next. */
export function largestStep(pcm: Int16Array, from = 0, to = pcm.length): number {
  let largest = 0;
  for (let i = from + 1; i < to; i++) largest = Math.max(largest, Math.abs(pcm[i]! - pcm[i - 1]!));
  return largest;
}

/** All energy that is not at `frequencyHz`, relative to what is, in dB: distortion and noise. The tone must fit whole. */
export function distortionDb(pcm: Int16Array, from: number, to: number, frequencyHz: number, rateHz: number): number {
  const omega = (2 * Math.PI * frequencyHz) / rateHz;
  let cosine = 0;
  let sine = 0;
  for (let i = from; i < to; i++) {
    cosine += pcm[i]! * Math.cos(omega * i);
    sine += pcm[i]! * Math.sin(omega * i);
  }
  const scale = 2 / (to - from);
  let signal = 0;
  let rest = 0;
  for (let i = from; i < to; i++) {
    const fitted = scale * (cosine * Math.cos(omega * i) + sine * Math.sin(omega * i));
    signal += fitted ** 2;
    rest += (pcm[i]! - fitted) ** 2;
  }
  return 10 * Math.log10(rest / signal);
}
