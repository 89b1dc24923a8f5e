/** Level of one frequency in a piece of PCM, by the Goertzel algorithm. */

/** What an empty or silent piece measures (RFC 6464 §3: the lowest audio level). */
const SILENCE_DB = -127;

/**
 * RMS level of the component at `frequencyHz`, in dBov (0 is a full-scale square wave; a full-scale sine is −3.01).
 * The window is rectangular: a resolution of 1/length, with side lobes from −13 dB down.
 */
export function goertzelLevelDb(
  pcm: Int16Array,
  offset: number,
  samples: number,
  frequencyHz: number,
  sampleRateHz: number,
): number {
  const omega = (2 * Math.PI * frequencyHz) / sampleRateHz;
  const coefficient = 2 * Math.cos(omega);
  let last = 0;
  let beforeLast = 0;
  for (let i = offset; i < offset + samples; i++) {
    const next = pcm[i]! + coefficient * last - beforeLast;
    beforeLast = last;
    last = next;
  }
  return levelDb(last, beforeLast, coefficient, samples);
}

/**
 * The same through a Hann window, whose side lobes are below −31 dB and fall fast: half the resolution, but a strong
 * tone does not hide a weak one elsewhere.
 */
export function goertzelHannLevelDb(
  pcm: Int16Array,
  offset: number,
  samples: number,
  frequencyHz: number,
  sampleRateHz: number,
): number {
  const omega = (2 * Math.PI * frequencyHz) / sampleRateHz;
  const coefficient = 2 * Math.cos(omega);
  // The window's cosine by the recurrence cos((i+1)a) = 2 cos(a) cos(ia) − cos((i−1)a), at the samples' centres.
  const windowAngle = (2 * Math.PI) / samples;
  const windowCoefficient = 2 * Math.cos(windowAngle);
  let cosine = Math.cos(windowAngle / 2);
  let cosineBefore = cosine;
  let last = 0;
  let beforeLast = 0;
  for (let i = offset; i < offset + samples; i++) {
    // 1 − cos is the Hann window scaled to a mean of 1.
    const next = pcm[i]! * (1 - cosine) + coefficient * last - beforeLast;
    beforeLast = last;
    last = next;
    const cosineNext = windowCoefficient * cosine - cosineBefore;
    cosineBefore = cosine;
    cosine = cosineNext;
  }
  return levelDb(last, beforeLast, coefficient, samples);
}

function levelDb(last: number, beforeLast: number, coefficient: number, samples: number): number {
  const power = last * last + beforeLast * beforeLast - coefficient * last * beforeLast;
  // |X| = amplitude · samples / 2, and the RMS of a sine is its amplitude / √2.
  const meanSquare = (2 * power) / (samples * samples);
  if (!(meanSquare > 0)) return SILENCE_DB;
  return Math.max(SILENCE_DB, 10 * Math.log10(meanSquare / (32768 * 32768)));
}
