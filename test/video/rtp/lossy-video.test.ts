import { describe, expect, it, vi } from 'vitest';
import { LONG_TESTS } from '../../long-tests.ts';
import { type LossyVideoOptions, simulateLossyVideo } from './lossy-video.ts';

/** Of each case; the sender's frames are random ones. */
const SEEDS = LONG_TESTS ? 200 : 20;
const TIMEOUT_MS = LONG_TESTS ? 600_000 : 30_000;
const SECONDS = 10;

interface Sum {
  framesSent: number;
  framesSeen: number;
  units: number;
  clean: number;
  lost: number;
  recovered: number;
  keyFramesSent: number;
  longestFreezeMs: number;
}

/** Throws at the first unit that is not what was sent, or that is not honest about it; see `lossy-video.ts`. */
function simulate(options: Omit<LossyVideoOptions, 'seed' | 'seconds'>): Sum {
  const sum = {
    framesSent: 0,
    framesSeen: 0,
    units: 0,
    clean: 0,
    lost: 0,
    recovered: 0,
    keyFramesSent: 0,
    longestFreezeMs: 0,
  };
  for (let seed = 1; seed <= SEEDS; seed++) {
    const result = simulateLossyVideo({ ...options, seed, seconds: SECONDS });
    sum.framesSent += result.framesSent;
    sum.framesSeen += result.framesSeen;
    sum.units += result.units;
    sum.clean += result.clean;
    sum.lost += result.receiver.counters.lost;
    sum.recovered += result.receiver.recovered;
    sum.keyFramesSent += result.keyFramesSent;
    sum.longestFreezeMs = Math.max(sum.longestFreezeMs, result.longestFreezeMs);
  }
  return sum;
}

const H264 = { codec: 'H264' } as const;
const VP8 = { codec: 'VP8' } as const;
const SLICES = { codec: 'H264', mode: 0 } as const;

vi.setConfig({ testTimeout: TIMEOUT_MS });

describe('a line without loss', () => {
  it.each([H264, SLICES, VP8])('gives back every frame, whatever overtakes and comes twice: %o', (stream) => {
    for (const nack of [true, false]) {
      const { framesSent, clean, keyFramesSent, longestFreezeMs } = simulate({
        ...{ ...stream, nack, lossPercent: 0, roundTripMs: 50, jitterMs: 12, duplicatePercent: 10 },
      });
      expect(clean).toBe(framesSent);
      expect(keyFramesSent).toBe(SEEDS);
      // A key frame is spread over up to 100 ms.
      expect(longestFreezeMs).toBeLessThan(160);
    }
  });
});

describe('loss, with NACK and RTX or without RTX', () => {
  it.each([
    [1, 20, 0.999],
    [5, 20, 0.999],
    [5, 50, 0.998],
    [10, 20, 0.998],
    [10, 50, 0.995],
    [10, 100, 0.98],
  ])('of %i percent at %i ms costs next to nothing', (lossPercent, roundTripMs, leastClean) => {
    for (const stream of [H264, SLICES, VP8]) {
      const { framesSeen, clean, lost, recovered } = simulate({
        ...{
          ...stream,
          nack: true,
          rtx: stream !== SLICES,
          lossPercent,
          roundTripMs,
          jitterMs: 3,
          duplicatePercent: 1,
        },
      });
      expect(clean / framesSeen).toBeGreaterThan(leastClean);
      expect(lost / (lost + recovered)).toBeLessThan(0.005);
    }
  });
});

describe('loss without NACK', () => {
  it.each([1, 5, 20])(
    'of %i percent: what comes out is whole or says that it is not, and goes on after each',
    (lossPercent) => {
      for (const stream of [H264, SLICES, VP8]) {
        const { framesSent, units, lost, keyFramesSent } = simulate({
          ...{ ...stream, nack: false, lossPercent, roundTripMs: 40, jitterMs: 3 },
        });
        expect(lost).toBeGreaterThan(0);
        expect(keyFramesSent).toBeGreaterThan(SEEDS);
        if (stream !== VP8) expect(units / framesSent).toBeGreaterThan(lossPercent > 10 ? 0.3 : 0.85);
        expect(units).toBeGreaterThan(0);
      }
    },
  );

  it('of 60 percent with 30 ms of disorder: nothing that is wrong comes out', () => {
    for (const stream of [H264, SLICES, VP8]) {
      simulate({ ...stream, nack: true, lossPercent: 60, roundTripMs: 200, jitterMs: 30, duplicatePercent: 30 });
    }
  });
});
