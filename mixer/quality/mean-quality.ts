import type { LegQuality, MixerStatistics } from '../protocol.ts';

/** Means over all legs that have received something; null without one. */
export function meanQuality(legs: Iterable<{ quality(): LegQuality | null }>): MixerStatistics['quality'] {
  const sums = { mos: 0, lossPercent: 0, jitterMs: 0 };
  let count = 0;
  let roundTrips = 0;
  let roundTripMs = 0;
  for (const leg of legs) {
    const quality = leg.quality();
    if (quality === null) continue;
    count++;
    sums.mos += quality.received.mos;
    sums.lossPercent += quality.received.lossPercent;
    sums.jitterMs += quality.received.jitterMs;
    if (quality.roundTripMs === null) continue;
    roundTrips++;
    roundTripMs += quality.roundTripMs;
  }
  if (count === 0) return null;
  return {
    mos: sums.mos / count,
    lossPercent: sums.lossPercent / count,
    jitterMs: sums.jitterMs / count,
    roundTripMs: roundTrips === 0 ? null : roundTripMs / roundTrips,
  };
}
