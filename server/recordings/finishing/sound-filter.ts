import type { Run } from './runs.ts';

/** All finished sound is mono at this rate. */
export const SAMPLE_RATE_HZ = 48_000;

/**
 * How far time stamps may be from the samples before silence is put in or sound taken out, seconds. They come in
 * milliseconds, so half of one is rounding; and alignment promises 20 ms.
 */
const TOLERANCE_S = 0.004;

export function samplesOf(ms: number): number {
  return Math.round((ms * SAMPLE_RATE_HZ) / 1_000);
}

/**
 * An ffmpeg filter graph that makes of a joined stream exactly the sound from 0 to `durationMs`: gaps are silent, each
 * run ends where the next begins. `then` is put behind it; what comes out is `[out]`.
 */
export function soundFilter(runs: readonly Run[], durationMs: number, then: readonly string[]): string {
  const chains = runs.map((run, index) => {
    const endMs = Math.min(durationMs, runs[index + 1]?.startMs ?? durationMs);
    const length = Math.max(1, samplesOf(endMs) - samplesOf(run.startMs));
    const filters = [
      ...(index === 0 ? [] : [`atrim=start=${run.startMs / 1_000}`, `asetpts=PTS-${run.startMs / 1_000}/TB`]),
      `aresample=${SAMPLE_RATE_HZ}:async=1:min_hard_comp=${TOLERANCE_S}:first_pts=0`,
      'aformat=sample_fmts=s16:channel_layouts=mono',
      'asetpts=N/SR/TB',
      `apad=whole_len=${length}`,
      `atrim=end_sample=${length}`,
    ];
    return { input: `[0:a:${index}]`, filters: filters.join(',') };
  });
  const rest = then.length === 0 ? 'anull' : then.join(',');
  const [only] = chains;
  if (only !== undefined && chains.length === 1) return `${only.input}${only.filters},${rest}[out]`;
  const segments = chains.map(({ input, filters }, index) => `${input}${filters}[s${index}]`);
  const joints = chains.map((_, index) => `[s${index}]`).join('');
  return `${segments.join(';')};${joints}concat=n=${chains.length}:v=0:a=1,${rest}[out]`;
}
