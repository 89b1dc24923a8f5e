import { ALL_FORMATS, FilePathSource, Input } from 'mediabunny';

/** Less than a sample. */
export const EXACT_MS = 0.02;

/** Length of a finished file, milliseconds; rejects when it is not a media file. */
export async function mediaDurationMs(path: string): Promise<number> {
  const input = new Input({ formats: ALL_FORMATS, source: new FilePathSource(path) });
  try {
    return 1_000 * (await input.computeDuration());
  } finally {
    input.dispose();
  }
}

/** What is wrong with a file's length; null when nothing is. */
export async function wrongLength(path: string, durationMs: number, toleranceMs: number): Promise<string | null> {
  const finishedMs = await mediaDurationMs(path).catch(() => null);
  if (finishedMs === null) return 'the file came out damaged';
  if (Math.abs(finishedMs - durationMs) <= toleranceMs) return null;
  return `the file came out ${Math.round(finishedMs)} ms long instead of ${durationMs}`;
}
