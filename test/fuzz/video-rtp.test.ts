import { expect, it } from 'vitest';
import { fuzzVideoRtp } from './video-rtp.ts';

it('makes units of damaged video packets or nothing, and takes the next good stream', () => {
  for (let seed = 1; seed <= 4; seed++) {
    const { units, malformed, resets, recoveries } = fuzzVideoRtp(20_000, seed);
    expect(units).toBeGreaterThan(1000);
    expect(malformed).toBeGreaterThan(40);
    expect(resets).toBeGreaterThan(100);
    expect(recoveries).toBe(40);
  }
});
