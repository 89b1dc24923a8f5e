import type { Metrics } from '../e2e/clients/metrics.ts';

const BUCKET = /^parley_mixer_tick_seconds_bucket\{.*le="([^"]+)"\}$/;

const LATE_TICKS = 'parley_mixer_late_ticks_total';
const TICKS_PER_SECOND = 50;

/** How long mixers took for their ticks between two scrapes of /metrics; in milliseconds. */
export interface TickTimes {
  count: number;
  p999: number;
  /** Ticks that began more than 20 ms late or were left out, of those due. */
  lateShare: number;
}

/** `roomSeconds` is how long rooms were open between the two, added up. */
export function tickTimes(before: Metrics, after: Metrics, roomSeconds: number): TickTimes {
  const late = after.sum(LATE_TICKS) - before.sum(LATE_TICKS);
  const buckets = cumulated(after);
  for (const [bound, count] of cumulated(before)) buckets.set(bound, buckets.get(bound)! - count);
  return {
    count: buckets.get(Number.POSITIVE_INFINITY) ?? 0,
    p999: percentileMs(buckets, 0.999),
    lateShare: Math.min(1, late / (roomSeconds * TICKS_PER_SECOND)),
  };
}

/** Upper bound in seconds → how many at most that long, of all mixers. */
function cumulated({ samples }: Metrics): Map<number, number> {
  const buckets = new Map<number, number>();
  for (const [name, value] of samples) {
    const bound = BUCKET.exec(name)?.[1];
    if (bound === undefined) continue;
    const seconds = bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound);
    buckets.set(seconds, (buckets.get(seconds) ?? 0) + value);
  }
  return new Map([...buckets].sort(([a], [b]) => a - b));
}

/** Straight between the bounds of the bucket that it is in; infinite beyond the last bound, NaN without any ticks. */
function percentileMs(buckets: ReadonlyMap<number, number>, share: number): number {
  const wanted = share * (buckets.get(Number.POSITIVE_INFINITY) ?? 0);
  if (!(wanted > 0)) return Number.NaN;
  let lower = 0;
  let below = 0;
  for (const [bound, count] of buckets) {
    if (count >= wanted) {
      return (
        (bound === Number.POSITIVE_INFINITY ? bound : lower + (bound - lower) * ((wanted - below) / (count - below))) *
        1_000
      );
    }
    lower = bound;
    below = count;
  }
  return Number.NaN;
}
