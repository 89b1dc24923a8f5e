import { describe, expect, it } from 'vitest';
import { NO_LIMITS, TierChoice, tiersOf } from '../../mixer/video/picture-tiers.ts';

const HD = { width: 1280, height: 720 };
describe('the tiers of a room', () => {
  it.each([
    [{ width: 640, height: 360 }, ['640x360', '320x180']],
    [{ width: 960, height: 540 }, ['960x540', '640x360', '320x180']],
    [HD, ['1280x720', '640x360', '320x180']],
    [{ width: 1920, height: 1080 }, ['1920x1080', '1280x720', '640x360', '320x180']],
  ])('of %o', (canvas, sizes) => {
    expect(tiersOf(canvas, 25, NO_LIMITS).map(({ width, height }) => `${width}x${height}`)).toEqual(sizes);
  });

  it.each([5, 10, 15, 20, 25, 29, 30])(
    'at %i frames a second send whole parts of them, and better ones need more',
    (fps) => {
      const tiers = tiersOf(HD, fps, NO_LIMITS);
      for (const tier of tiers) expect(tier.fps * tier.everyNth).toBeCloseTo(fps);
      expect(tiers.at(-1)!.fps).toBeLessThanOrEqual(15);
      for (const [index, tier] of tiers.slice(1).entries()) {
        expect(tier.maxBps).toBeLessThan(tiers[index]!.maxBps);
        expect(tier.minBps).toBeLessThan(tier.maxBps);
      }
    },
  );

  it('are no quicker than one takes, to a hair', () => {
    const rates = (roomFps: number, maxFps: number) =>
      tiersOf(HD, roomFps, { ...NO_LIMITS, maxFps }).map(({ fps }) => Math.round(fps * 100) / 100);
    expect(rates(30, 15)).toEqual([15, 15, 15]);
    expect(rates(30, 12)[0]).toBe(10);
    expect(rates(30, 0.5)[0]).toBe(1);
    expect(rates(25, 12.5)).toEqual([12.5, 12.5, 12.5]);
    expect(rates(30, 7.5)).toEqual([7.5, 7.5, 7.5]);
    expect(rates(30, 29.97)[0]).toBe(30);
    expect(rates(5, 7.5)).toEqual([5, 5, 5]);
  });

  const sizes = (limits: Partial<typeof NO_LIMITS>, roomFps = 25) =>
    tiersOf(HD, roomFps, { ...NO_LIMITS, ...limits }).map(({ width, height }) => `${width}x${height}`);

  it('are those alone that one takes, in whole macroblocks', () => {
    expect(sizes({ maxWidth: 704, maxHeight: 576 })).toEqual(['640x360', '320x180']);
    expect(sizes({ maxPixels: 920 * 256 })).toEqual(['640x360', '320x180']);
    expect(sizes({ maxPixels: 919 * 256 })).toEqual(['320x180']);
    expect(sizes({ maxPixels: 99 * 256 })).toEqual(['160x90']);
    expect(sizes({ maxWidth: 128, maxHeight: 96 })).toEqual(['128x72']);
    expect(sizes({ maxPixels: 256 })).toEqual(['128x72']);
  });

  it('are smaller rather than slower than ten a second, unless the room is', () => {
    expect(sizes({ maxPixelsPerSecond: 920 * 10 * 256 })).toEqual(['640x360', '320x180']);
    expect(sizes({ maxPixelsPerSecond: 920 * 9 * 256 })).toEqual(['320x180']);
    expect(sizes({ maxPixelsPerSecond: 920 * 9 * 256 }, 5)).toEqual(['640x360', '320x180']);
  });
});

describe('the tier of a viewer', () => {
  const tiers = tiersOf(HD, 25, NO_LIMITS);
  const heightAt = (choice: TierChoice, bps: number, nowMs: number) => choice.choose(tiers, bps, nowMs).height;

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
