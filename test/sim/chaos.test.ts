import { describe, expect, it, vi } from 'vitest';
import { LONG_TESTS } from '../long-tests.ts';
import { ChaosDay } from './chaos-day.ts';

vi.mock('../../server/mixers/mixer-process.ts', async () => ({
  MixerProcess: (await import('./chaos-mixers.ts')).ChaosMixerProcess,
}));

/** Those that found something once; or hundreds of days, with `LONG_TESTS=1`. */
const SEEDS = LONG_TESTS ? Array.from({ length: 400 }, (_, index) => index + 1) : [1, 2, 3, 7, 12, 29, 343];
/** Each seed takes seconds of work, and a busy machine many times as long. */
const TIME_LIMIT_MS = 180_000;

describe('a day of 50 callers who do what they like', { timeout: TIME_LIMIT_MS }, () => {
  it.each(SEEDS)('is the same in all views, and leaves nothing (seed %i)', async (seed) => {
    const { problems, left, counts } = await new ChaosDay(seed).run();
    expect(problems.slice(0, 5)).toEqual([]);
    expect(Object.entries(left).filter(([, count]) => count !== 0)).toEqual([]);
    // It was a day on which something happened.
    expect(counts['calls']).toBeGreaterThan(120);
    expect(counts['versions']).toBeGreaterThan(800);
    expect(counts['partial']).toBeGreaterThan(150);
    expect(counts['resumed']).toBeGreaterThan(5);
    expect(counts['recordings']).toBeGreaterThan(10);
    expect(counts['pictures']).toBeGreaterThan(5);
    expect(counts['flags']).toBeGreaterThan(30);
  });
});
