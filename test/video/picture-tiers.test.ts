import { describe, expect, it } from 'vitest';
import { TierChoice, tiersOf } from '../../mixer/video/picture-tiers.ts';
import type { VideoLimits } from '../../mixer/video-protocol.ts';

const HD = { width: 1280, height: 720 };
const limits: VideoLimits = {
  ...{ maxWidth: 4096, maxHeight: 2304, maxPixels: 4096 * 2304, maxFps: 60, maxBitrateBps: null },
};

describe('the tiers of a room', () => {
  it.each([
    [{ width: 640, height: 360 }, ['640x360', '320x180']],
    [{ width: 960, height: 540 }, ['960x540', '640x360', '320x180']],
    [HD, ['1280x720', '640x360', '320x180']],
    [{ width: 1920, height: 1080 }, ['1920x1080', '1280x720', '640x360', '320x180']],
  ])('of %o', (canvas, sizes) => {
    expect(tiersOf(canvas, 25, 60).map(({ width, height }) => `${width}x${height}`)).toEqual(sizes);
  });

  it.each([5, 10, 15, 20, 25, 29, 30])(
    'at %i frames a second send whole parts of them, and better ones need more',
    (fps) => {
      const tiers = tiersOf(HD, fps, 60);
      for (const tier of tiers) expect(tier.fps * tier.everyNth).toBeCloseTo(fps);
      expect(tiers.at(-1)!.fps).toBeLessThanOrEqual(15);
      for (const [index, tier] of tiers.slice(1).entries()) {
        expect(tier.maxBps).toBeLessThan(tiers[index]!.maxBps);
        expect(tier.minBps).toBeLessThan(tier.maxBps);
      }
    },
  );

  it('are no quicker than one takes', () => {
    expect(tiersOf(HD, 30, 15).map(({ fps }) => fps)).toEqual([15, 15, 15]);
    expect(tiersOf(HD, 30, 12)[0]).toMatchObject({ fps: 10, everyNth: 3 });
    expect(tiersOf(HD, 30, 0.5)[0]).toMatchObject({ fps: 1 });
  });
});

describe('the tier of a viewer', () => {
  const tiers = tiersOf(HD, 25, 60);
  const heightAt = (choice: TierChoice, bps: number, nowMs: number, of = limits) =>
    choice.choose(tiers, of, bps, nowMs).height;

  it('is the best that they take; the least, where they say that they take none', () => {
    expect(heightAt(new TierChoice(), 4_000_000, 0)).toBe(720);
    expect(heightAt(new TierChoice(), 4_000_000, 0, { ...limits, maxWidth: 704, maxHeight: 576 })).toBe(360);
    expect(heightAt(new TierChoice(), 4_000_000, 0, { ...limits, maxPixels: 176 * 144 })).toBe(180);
  });

  it('goes down at once when the line carries less, and up when it has carried more for five seconds', () => {
    const choice = new TierChoice();
    expect(heightAt(choice, 4_000_000, 0)).toBe(720);
    expect(heightAt(choice, 100_000, 1000)).toBe(180);
    expect(heightAt(choice, 4_000_000, 1100)).toBe(180);
    expect(heightAt(choice, 4_000_000, 5900)).toBe(180);
    expect(heightAt(choice, 4_000_000, 6200)).toBe(360);
    expect(heightAt(choice, 4_000_000, 11_300)).toBe(720);
  });

  it('stays where the line carries hardly more than needed', () => {
    const choice = new TierChoice();
    heightAt(choice, tiers[0]!.minBps - 1, 0);
    for (let ms = 0; ms < 60_000; ms += 200) expect(heightAt(choice, tiers[0]!.minBps * 1.2, ms)).toBe(360);
  });

  it('is a smaller one after three seconds in which most take much more, and again the same after a minute', () => {
    const choice = new TierChoice();
    const others = tiers[0]!.maxBps;
    const own = others * 0.6;
    const heights: number[] = [];
    for (let ms = 0; ms <= 70_000; ms += 200) {
      const height = heightAt(choice, own, ms);
      // In the smaller tier others are as slow.
      choice.compare(own, height === 720 ? others : own, ms);
      heights.push(height);
    }
    const at = (second: number) => heights[second * 5];
    expect([at(0), at(2), at(4), at(60), at(65), at(68)]).toEqual([720, 720, 360, 360, 720, 360]);
  });

  it('is not left for a moment of less, nor where there is none below', () => {
    const choice = new TierChoice();
    for (let ms = 0; ms < 20_000; ms += 200) {
      expect(heightAt(choice, 1_500_000, ms)).toBe(720);
      choice.compare(ms % 2000 < 1800 ? 700_000 : 1_500_000, 1_500_000, ms);
    }
    const least = new TierChoice();
    for (let ms = 0; ms < 20_000; ms += 200) {
      expect(heightAt(least, 64_000, ms)).toBe(180);
      least.compare(64_000, 100_000, ms);
    }
    // Nothing keeps it from coming up at once when the line is wide again.
    heightAt(least, 4_000_000, 20_000);
    expect(heightAt(least, 4_000_000, 25_100)).toBe(360);
  });
});
