import { expect, it } from 'vitest';
import { ArrivalRate } from '../../mixer/video/arrival-rate.ts';

it('tells of the last whole second, however often it is asked, and of nothing when nothing comes', () => {
  const rate = new ArrivalRate(5000);
  for (let nowMs = 5000; nowMs < 7000; nowMs += 40) {
    rate.update(nowMs);
    rate.packetCame(nowMs < 6000 ? 1000 : 500);
    if (nowMs % 80 === 0) rate.unitCame();
    expect(rate.bitrateBps).toBe(nowMs < 6000 ? 0 : 200_000);
  }
  rate.update(7000);
  expect([rate.bitrateBps, rate.fps]).toEqual([100_000, 13]);
  rate.update(7900);
  expect(rate.fps).toBe(13);
  rate.update(8020);
  expect([rate.bitrateBps, rate.fps]).toEqual([0, 0]);
});
