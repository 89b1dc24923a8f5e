/** Shortening and lengthening of sound by a pitch period at a time (WSOLA), to move a playout delay unheard. */

/** Pitch periods of 400 Hz to 66 Hz. */
const SHORTEST_PERIOD_MS = 2.5;
const LONGEST_PERIOD_MS = 15;
const OVERLAP_MS = 5;

/** Normalised correlation from which two stretches of sound are alike enough to be laid over each other. */
const MIN_CORRELATION = 0.8;

/** RMS below which anything may be cut or repeated anywhere: about -52 dBFS. */
const QUIET_RMS = 80;

/** Lags are first tried at this resolution; finer only around the best. */
const SEARCH_RATE_HZ = 8000;

/**
 * Takes a pitch period out of the first `samples` of `pcm`, in place, and returns the new length.
 *
 * At most `maxRemoved` samples go; the length is unchanged when no period fits or none is alike enough (unvoiced or
 * changing sound): try again with the next packet. Both ends stay as they were, so neighbours still join. In quiet any
 * amount is taken out.
 */
export function shorten(pcm: Int16Array, samples: number, sampleRateHz: number, maxRemoved: number): number {
  const overlap = Math.round((sampleRateHz * OVERLAP_MS) / 1000);
  const longest = Math.min(maxRemoved, samples - overlap);
  const removed = chooseLag(pcm, samples, sampleRateHz, overlap, longest);
  if (removed === 0) return samples;
  for (let i = 0; i < overlap; i++) {
    const before = pcm[i]!;
    pcm[i] = Math.round(before + ((pcm[removed + i]! - before) * (i + 0.5)) / overlap);
  }
  pcm.copyWithin(overlap, removed + overlap, samples);
  return samples - removed;
}

/**
 * Repeats a pitch period in the first `samples` of `pcm`, in place, and returns the new length.
 *
 * `pcm` must have room for `maxInserted` samples more, which is the most that is put in; otherwise as `shorten`.
 */
export function lengthen(pcm: Int16Array, samples: number, sampleRateHz: number, maxInserted: number): number {
  const overlap = Math.round((sampleRateHz * OVERLAP_MS) / 1000);
  const longest = Math.min(maxInserted, samples - overlap, pcm.length - samples);
  const inserted = chooseLag(pcm, samples, sampleRateHz, overlap, longest);
  if (inserted === 0) return samples;
  // A fade longer than the period would read what it has just written.
  const fade = Math.min(overlap, inserted);
  pcm.copyWithin(inserted + fade, fade, samples);
  for (let i = 0; i < fade; i++) {
    const before = pcm[inserted + i]!;
    pcm[inserted + i] = Math.round(before + ((pcm[i]! - before) * (i + 0.5)) / fade);
  }
  return samples + inserted;
}

/** By how much the sound can be shifted against itself, at most `longest`; 0 when it cannot. */
function chooseLag(pcm: Int16Array, samples: number, sampleRateHz: number, overlap: number, longest: number): number {
  if (longest < 1) return 0;
  if (isQuiet(pcm, samples)) return longest;
  const from = Math.ceil((sampleRateHz * SHORTEST_PERIOD_MS) / 1000);
  const to = Math.min(longest, Math.floor((sampleRateHz * LONGEST_PERIOD_MS) / 1000));
  if (from > to) return 0;
  const step = Math.max(1, Math.round(sampleRateHz / SEARCH_RATE_HZ));
  const coarse = bestLag(pcm, overlap, from, to, step, step);
  const lag =
    step === 1 ? coarse : bestLag(pcm, overlap, Math.max(from, coarse - step), Math.min(to, coarse + step), 1, 1);
  return correlation(pcm, overlap, lag, 1) >= MIN_CORRELATION ? lag : 0;
}

function bestLag(pcm: Int16Array, overlap: number, from: number, to: number, lagStep: number, stride: number): number {
  let best = from;
  let bestCorrelation = Number.NEGATIVE_INFINITY;
  for (let lag = from; lag <= to; lag += lagStep) {
    const value = correlation(pcm, overlap, lag, stride);
    if (value > bestCorrelation) {
      bestCorrelation = value;
      best = lag;
    }
  }
  return best;
}

/** Normalised cross-correlation, -1 to 1, of the first `length` samples with those `lag` later. */
function correlation(pcm: Int16Array, length: number, lag: number, stride: number): number {
  let product = 0;
  let energyHere = 1;
  let energyThere = 1;
  for (let i = 0; i < length; i += stride) {
    const here = pcm[i]!;
    const there = pcm[lag + i]!;
    product += here * there;
    energyHere += here * here;
    energyThere += there * there;
  }
  return product / Math.sqrt(energyHere * energyThere);
}

function isQuiet(pcm: Int16Array, samples: number): boolean {
  let energy = 0;
  for (let i = 0; i < samples; i++) energy += pcm[i]! * pcm[i]!;
  return energy < QUIET_RMS * QUIET_RMS * samples;
}
