import { Resampler } from '../../mixer/audio/resampler.ts';

/**
 * How much speech has suffered on the way, against what it would be without loss. Two figures, since neither is enough:
 *
 * - *Segmental SNR*: the usual one for waveforms, meaningful only where both are in step. It is hard on concealment, which
 *   sounds right with a phase of its own.
 * - *Bark spectral distance*: levels of the critical bands in 32 ms, compared in dB: what the ear compares too. It is taken
 *   along the best path of a dynamic time warp, so that sound that comes a little sooner or later, as a jitter buffer that
 *   stretches makes it, is no fault in itself; but time that stands still or is skipped costs something.
 *
 * Only what the reference says in speech counts, not its pauses.
 */

const SNR_FRAME_MS = 20;
/** As usual: a frame is never better than transparent or worse than lost. */
const SNR_MIN_DB = -10;
const SNR_MAX_DB = 35;
/** Below this under its loudest frames, the reference pauses. */
const ACTIVE_RANGE_DB = 35;

export function segmentalSnrDb(reference: Int16Array, heard: Int16Array, sampleRateHz: number): number {
  const frame = (sampleRateHz * SNR_FRAME_MS) / 1000;
  const frames = Math.floor(Math.min(reference.length, heard.length) / frame);
  const energies = Array.from({ length: frames }, (_, index) => energyOf(reference, index * frame, frame));
  const least = Math.max(...energies) / 10 ** (ACTIVE_RANGE_DB / 10);
  let sum = 0;
  let counted = 0;
  for (let index = 0; index < frames; index++) {
    if (energies[index]! < least) continue;
    let error = 1;
    for (let i = index * frame; i < (index + 1) * frame; i++) error += (reference[i]! - heard[i]!) ** 2;
    const snrDb = 10 * Math.log10((energies[index]! * frame) / error);
    sum += Math.min(SNR_MAX_DB, Math.max(SNR_MIN_DB, snrDb));
    counted++;
  }
  return sum / counted;
}

function energyOf(pcm: Int16Array, from: number, samples: number): number {
  let sum = 0;
  for (let i = from; i < from + samples; i++) sum += pcm[i]! * pcm[i]!;
  return sum / samples;
}

const WINDOW_MS = 32;
const HOP_MS = 10;
/**
 * Steps in which the one heard is shifted against the reference. Half a millisecond off makes 0.1 dB; with steps of 5 ms the
 * same samples, 2 ms late, measured 0.8 dB.
 */
const SHIFT_MS = 1;
const SHIFTS_PER_HOP = HOP_MS / SHIFT_MS;
/** Upper ends of the critical bands (Zwicker), Hz; the first begins at 100. */
const BARK_EDGES_HZ = [
  ...[200, 300, 400, 510, 630, 770, 920, 1080, 1270, 1480, 1720, 2000, 2320, 2700, 3150, 3700],
  ...[4400, 5300, 6400, 7700],
];
const FIRST_EDGE_HZ = 100;
/** What is this far below the loudest band of the reference is not heard beside it. */
const FLOOR_DB = 50;
/** For each millisecond by which one of the two gets ahead. */
const WARP_COST_DB = 0.3;

/** What is heard may come this much sooner than the reference, which waits for nothing. */
const MOST_EARLY_MS = 50;

/** RMS over the critical bands, mean over the frames of the reference in which there is speech, dB. */
export function barkDistanceDb(
  reference: Int16Array,
  heard: Int16Array,
  sampleRateHz: number,
  mostWarpMs: number,
): number {
  const wanted = barkFrames(reference, sampleRateHz, HOP_MS);
  const got = barkFrames(heard, sampleRateHz, SHIFT_MS);
  const levels = wanted.map((bands) => Math.max(...bands));
  const loudest = Math.max(...levels);
  const floorDb = loudest - FLOOR_DB;
  const active = levels.map((level) => level > loudest - ACTIVE_RANGE_DB);
  const early = MOST_EARLY_MS / SHIFT_MS;
  const lags = early + Math.round(mostWarpMs / SHIFT_MS) + 1;
  return warp(wanted, got, active, floorDb, early, lags) / active.filter(Boolean).length;
}

/** The greatest distance of half a second, in dB times frames. */
const MOST_BEHIND_DB = 500;

/** Least sum of distances of active frames, and of what standing still costs, along all paths that are `early` steps ahead to `lags` behind that. */
function warp(
  wanted: Float64Array[],
  got: Float64Array[],
  active: readonly boolean[],
  floorDb: number,
  early: number,
  lags: number,
): number {
  let before = new Float64Array(lags).fill(0);
  let best = 0;
  for (let i = 0; i < wanted.length; i++) {
    const now = new Float64Array(lags).fill(Number.POSITIVE_INFINITY);
    // In a pause nobody hears time pass.
    const stepCost = active[i] ? SHIFT_MS * WARP_COST_DB : 0;
    for (let lag = 0; lag < lags; lag++) {
      let least = Number.POSITIVE_INFINITY;
      const last = Math.min(lags - 1, lag + SHIFTS_PER_HOP);
      for (let from = Math.max(0, lag - SHIFTS_PER_HOP); from <= last; from++) {
        const cost = before[from]! + Math.abs(from - lag) * stepCost;
        if (cost < least) least = cost;
      }
      const frame = got[i * SHIFTS_PER_HOP + lag - early];
      // The best path does not come back from so far behind.
      if (least > best + MOST_BEHIND_DB) continue;
      now[lag] = least + (active[i] ? distanceDb(wanted[i]!, frame, floorDb) : 0);
    }
    best = Math.min(...now);
    before = now;
  }
  return best;
}

function distanceDb(wanted: Float64Array, got: Float64Array | undefined, floorDb: number): number {
  let sum = 0;
  for (let band = 0; band < wanted.length; band++) {
    const one = Math.max(wanted[band]!, floorDb);
    const other = Math.max(got?.[band] ?? floorDb, floorDb);
    sum += (one - other) ** 2;
  }
  return Math.sqrt(sum / wanted.length);
}

/** Levels of the critical bands, dB, each `hopMs`. Above 8 kHz there is none, so that 16 kHz will do. */
function barkFrames(pcm: Int16Array, sampleRateHz: number, hopMs: number): Float64Array[] {
  if (sampleRateHz > 16000) return barkFrames(resampled(pcm, sampleRateHz, 16000), 16000, hopMs);
  const window = (sampleRateHz * WINDOW_MS) / 1000;
  const hop = (sampleRateHz * hopMs) / 1000;
  const size = 2 ** Math.ceil(Math.log2(window));
  const edges = BARK_EDGES_HZ.filter((edge) => edge < sampleRateHz / 2);
  const real = new Float64Array(size);
  const imaginary = new Float64Array(size);
  const hann = Float64Array.from(
    { length: window },
    (_, i) => (1 - Math.cos((2 * Math.PI * (i + 0.5)) / window)) / window,
  );
  const frames: Float64Array[] = [];
  for (let start = 0; start + window <= pcm.length; start += hop) {
    real.fill(0);
    imaginary.fill(0);
    for (let i = 0; i < window; i++) {
      real[i] = pcm[start + i]! * hann[i]!;
    }
    transform(real, imaginary);
    const bands = new Float64Array(edges.length);
    let bin = Math.ceil((FIRST_EDGE_HZ * size) / sampleRateHz);
    for (const [band, edge] of edges.entries()) {
      let power = 1e-3;
      for (; (bin * sampleRateHz) / size < edge; bin++) power += real[bin]! ** 2 + imaginary[bin]! ** 2;
      bands[band] = 10 * Math.log10(power);
    }
    frames.push(bands);
  }
  return frames;
}

function resampled(pcm: Int16Array, fromHz: number, toHz: number): Int16Array {
  // Whole pieces of 10 ms.
  const samples = Math.floor((pcm.length * 100) / fromHz) * (fromHz / 100);
  const out = new Int16Array((samples * toHz) / fromHz);
  new Resampler(fromHz, toHz).process(pcm, 0, samples, out, 0);
  return out;
}

const turns = new Map<number, { cosines: Float64Array; sines: Float64Array }>();

/** Of the first half of a circle in `size` steps. */
function turnsOf(size: number): { cosines: Float64Array; sines: Float64Array } {
  let known = turns.get(size);
  if (!known) {
    const angles = Float64Array.from({ length: size / 2 }, (_, k) => (2 * Math.PI * k) / size);
    known = { cosines: angles.map(Math.cos), sines: angles.map((angle) => -Math.sin(angle)) };
    turns.set(size, known);
  }
  return known;
}

/** Fourier transform in place, of a power of two. */
function transform(real: Float64Array, imaginary: Float64Array): void {
  const size = real.length;
  const { cosines, sines } = turnsOf(size);
  for (let i = 1, reversed = 0; i < size; i++) {
    let bit = size >> 1;
    for (; reversed & bit; bit >>= 1) reversed ^= bit;
    reversed ^= bit;
    if (i >= reversed) continue;
    [real[i], real[reversed]] = [real[reversed]!, real[i]!];
    [imaginary[i], imaginary[reversed]] = [imaginary[reversed]!, imaginary[i]!];
  }
  for (let half = 1; half < size; half *= 2) {
    for (let k = 0; k < half; k++) {
      const turn = (k * size) / (2 * half);
      const cos = cosines[turn]!;
      const sin = sines[turn]!;
      for (let at = k; at < size; at += 2 * half) {
        const there = at + half;
        const x = real[there]! * cos - imaginary[there]! * sin;
        const y = real[there]! * sin + imaginary[there]! * cos;
        real[there] = real[at]! - x;
        imaginary[there] = imaginary[at]! - y;
        real[at] = real[at]! + x;
        imaginary[at] = imaginary[at]! + y;
      }
    }
  }
}
