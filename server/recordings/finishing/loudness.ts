import { SAMPLE_RATE_HZ } from './sound-filter.ts';

/** Programme loudness and true peak that normalised recordings are brought to (EBU R 128; −16 LUFS as for podcasts). */
export const TARGET_LUFS = -16;
export const MAX_TRUE_PEAK_DB = -1.5;

/** Nothing but a line's noise is not made as loud as speech. */
const MAX_GAIN_DB = 30;
/** R 128's absolute gate: below is no programme at all. */
const SILENCE_LUFS = -70;

/** True peaks lie between samples: there the limiter works at four times the rate (ITU-R BS.1770-4 annex 2). */
const OVERSAMPLED_HZ = 4 * SAMPLE_RATE_HZ;
/** What the limiter lets through is a little more again after the way back to the old rate. */
const LIMITER_MARGIN_DB = 0.3;
const LIMITER_ATTACK_MS = 5;

/** A filter that measures, and changes nothing. Its summary is the last thing that ffmpeg says. */
export const MEASURE_FILTER = 'ebur128=peak=true:framelog=verbose';

export interface Loudness {
  /** LUFS; −∞ or −70 for silence. */
  integrated: number;
  truePeakDb: number;
}

/** Out of what ffmpeg said; null when it is not there. */
export function parseLoudness(stderr: string): Loudness | null {
  const summary = stderr.slice(stderr.lastIndexOf('Summary:'));
  const integrated = /I:\s+(-?[\d.]+|-?inf|nan) LUFS/.exec(summary)?.[1];
  const truePeak = /Peak:\s+(-?[\d.]+|-?inf|nan) dBFS/.exec(summary)?.[1];
  if (integrated === undefined || truePeak === undefined) return null;
  return { integrated: decibels(integrated), truePeakDb: decibels(truePeak) };
}

function decibels(text: string): number {
  const value = Number(text);
  return Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value;
}

/** What the sound needs: one gain for all of it, and a limiter only where peaks would be over. */
export interface Normalization {
  gainDb: number;
  limited: boolean;
}

/** Null for silence. */
export function normalization({ integrated, truePeakDb }: Loudness): Normalization | null {
  if (integrated <= SILENCE_LUFS) return null;
  const gainDb = Math.min(MAX_GAIN_DB, TARGET_LUFS - integrated);
  return { gainDb, limited: truePeakDb + gainDb > MAX_TRUE_PEAK_DB };
}

/** Filters that measure what will come of a limited one; quick, as true peaks do not matter for that. */
export function rehearsal({ gainDb }: Normalization): string[] {
  return [gainFilter(gainDb), ...limiter(SAMPLE_RATE_HZ), MEASURE_FILTER];
}

/** What peaks had of the loudness that was measured first, and the limiter has taken, is made good. */
export function corrected(plan: Normalization, rehearsed: Loudness): Normalization {
  const missingDb = Math.max(0, TARGET_LUFS - rehearsed.integrated);
  return { ...plan, gainDb: Math.min(MAX_GAIN_DB, plan.gainDb + missingDb) };
}

export function normalizing({ gainDb, limited }: Normalization): string[] {
  const gain = gainFilter(gainDb);
  if (!limited) return [gain];
  return [gain, `aresample=${OVERSAMPLED_HZ}`, ...limiter(OVERSAMPLED_HZ), `aresample=${SAMPLE_RATE_HZ}`];
}

function gainFilter(gainDb: number): string {
  return `volume=${gainDb.toFixed(2)}dB:precision=float`;
}

function limiter(rateHz: number): string[] {
  const limit = 10 ** ((MAX_TRUE_PEAK_DB - LIMITER_MARGIN_DB) / 20);
  // It looks ahead by its attack, and so gives everything out that much later.
  const delaySamples = (LIMITER_ATTACK_MS * rateHz) / 1_000;
  return [
    `apad=pad_len=${delaySamples}`,
    `alimiter=limit=${limit.toFixed(4)}:attack=${LIMITER_ATTACK_MS}:release=80:level=0`,
    `atrim=start_sample=${delaySamples}`,
    'asetpts=N/SR/TB',
  ];
}
