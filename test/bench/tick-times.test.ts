import { expect, test } from 'vitest';
import { histogramText } from '../../server/histogram-text.ts';
import { readMetrics } from '../e2e/clients/metrics.ts';
import { tickTimes } from './tick-times.ts';

const BOUNDS = [0.001, 0.002, 0.01];

function scrape(late: number, ...mixers: number[][]) {
  const description = { name: 'parley_mixer_tick_seconds', help: '', label: 'mixer', bounds: BOUNDS };
  const totals = mixers.map((counts, index) => ({ name: String(index), counts, sum: 0 }));
  return readMetrics(`${histogramText(description, totals)}parley_mixer_late_ticks_total{mixer="0"} ${late}\n`);
}

test('tick times are those of all mixers between two scrapes', () => {
  const before = scrape(5, [1_000, 0, 50, 9], [0, 0, 0, 0]);
  const after = scrape(7, [1_600, 0, 52, 9], [398, 0, 0, 0]);
  const times = tickTimes(before, after, 2);
  expect(times.count).toBe(1_000);
  expect(times.lateShare).toBeCloseTo(2 / 100);
  // 998 took up to 1 ms, none up to 2 ms, 2 up to 10 ms: the 999th is half way from 2 to 10.
  expect(times.p999).toBeCloseTo(6);
});

test('a percentile beyond the last bucket has no end, and none without ticks no value', () => {
  expect(tickTimes(scrape(0, [0, 0, 0, 0]), scrape(0, [0, 0, 0, 3]), 1).p999).toBe(Number.POSITIVE_INFINITY);
  expect(tickTimes(scrape(0, [4, 0, 0, 0]), scrape(0, [4, 0, 0, 0]), 1).p999).toBeNaN();
});
