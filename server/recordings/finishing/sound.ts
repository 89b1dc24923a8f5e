import { runFfmpeg } from './ffmpeg.ts';
import { codecOptions, containerOptions, type SoundFormat, takesOpus } from './formats.ts';
import { JOINED_OPTIONS, joined } from './joined.ts';
import {
  corrected,
  type Loudness,
  MEASURE_FILTER,
  normalization,
  normalizing,
  parseLoudness,
  rehearsal,
} from './loudness.ts';
import { type Run, runsOf } from './runs.ts';
import { soundFilter } from './sound-filter.ts';
import { mixFiles } from './source.ts';
import { failed, stepOf, type Work, type WorkResult } from './work.ts';

/** Two passes that measure, of which the second is often not needed, and the one that makes the file. */
const NORMALIZING_STEPS = 3;

/** The room's mix as one file of sound. */
export async function makeSound(work: Work, format: SoundFormat, normalized: boolean): Promise<WorkResult> {
  const runs = await runsOf(await mixFiles(work.source), work.open);
  if (runs.length === 0) return failed('there is no sound in what was captured');
  if (normalized) return makeNormalized(work, format, runs);
  const isCopy = takesOpus(format) && runs.length === 1 && runs[0]?.header.codecId === 'A_OPUS';
  return isCopy ? copy(work, format, runs) : encode(work, format, runs, [], 0, 1);
}

function input(work: Work, runs: readonly Run[], gapless = false) {
  const source = joined({ runs, open: work.open, endMs: work.source.durationMs, gapless });
  return { source, options: JOINED_OPTIONS };
}

/** For players and lists of files. */
export function tags({ source }: Work): string[] {
  return ['-metadata', `title=${source.room}`, '-metadata', `creation_time=${source.startedAt}`];
}

function copy(work: Work, format: SoundFormat, runs: readonly Run[]): Promise<WorkResult> {
  const options = ['-map', '0:a:0', '-c:a', 'copy', ...tags(work), ...containerOptions(format)];
  return runFfmpeg({ ...stepOf(work, 0, 1), inputs: [input(work, runs, true)], options, target: work.targetPath });
}

function encode(
  work: Work,
  format: SoundFormat,
  runs: readonly Run[],
  filters: readonly string[],
  step: number,
  steps: number,
): Promise<WorkResult> {
  const filter = soundFilter(runs, work.source.durationMs, filters);
  const output = [...codecOptions(format), ...tags(work), ...containerOptions(format)];
  const options = ['-filter_complex', filter, '-map', '[out]', ...output];
  return runFfmpeg({ ...stepOf(work, step, steps), inputs: [input(work, runs)], options, target: work.targetPath });
}

/** Measured first, so that one gain does for all of it; and once more when a limiter will take something away. */
async function makeNormalized(work: Work, format: SoundFormat, runs: readonly Run[]): Promise<WorkResult> {
  const measured = await measure(work, runs, [MEASURE_FILTER], 0);
  if (!measured.ok) return measured;
  let plan = normalization(measured.loudness);
  if (plan?.limited) {
    const rehearsed = await measure(work, runs, rehearsal(plan), 1);
    if (!rehearsed.ok) return rehearsed;
    plan = corrected(plan, rehearsed.loudness);
  }
  return encode(work, format, runs, plan === null ? [] : normalizing(plan), 2, NORMALIZING_STEPS);
}

async function measure(
  work: Work,
  runs: readonly Run[],
  filters: readonly string[],
  step: number,
): Promise<{ ok: true; loudness: Loudness } | Exclude<WorkResult, { ok: true }>> {
  const filter = soundFilter(runs, work.source.durationMs, filters);
  const options = ['-filter_complex', filter, '-map', '[out]', '-f', 'null'];
  const steps = stepOf(work, step, NORMALIZING_STEPS);
  const result = await runFfmpeg({ ...steps, inputs: [input(work, runs)], options, target: '-' });
  if (!result.ok) return result;
  const loudness = parseLoudness(result.stderr);
  return loudness === null ? failed('ffmpeg did not say how loud it is') : { ok: true, loudness };
}
