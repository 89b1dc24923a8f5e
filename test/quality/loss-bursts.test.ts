import { describe, expect, it } from 'vitest';
import { LossBursts } from '../../mixer/quality/loss-bursts.ts';
import { seededRandom } from '../rtp/jitter-simulation.ts';

/** `.` is a packet that was there, `x` one that was not. */
function bursts(pattern: string): LossBursts {
  const made = new LossBursts();
  for (const packet of pattern) {
    if (packet === 'x') made.missing();
    else made.received();
  }
  return made;
}

const good = (count: number): string => '.'.repeat(count);

describe('bursts and gaps of loss (RFC 3611 §4.7.2)', () => {
  it('has neither without loss', () => {
    const none = bursts(good(1000));
    expect(none).toMatchObject({ lossShare: 0, burstDensity: 0, gapDensity: 0, burstPackets: 0, burstRatio: 1 });
    expect(none.gapPackets).toBe(1000);
  });

  it('single losses far apart are gap losses', () => {
    const single = bursts(`${good(50)}x${good(49)}x${good(49)}x${good(49)}x${good(50)}`);
    expect(single.gapDensity).toBeCloseTo(4 / 250, 3);
    expect(single.burstDensity).toBe(0);
    expect(single.burstRatio).toBe(1);
  });

  it('losses with fewer than 16 good packets between them are a burst', () => {
    // A burst of six packets, four of them lost, in a gap of 94, and over again.
    const pattern = `xx.x.x${good(94)}`;
    const made = bursts(good(20) + pattern.repeat(20));
    expect(made.lossShare).toBeCloseTo(0.04, 2);
    expect(made.burstDensity).toBeGreaterThan(0.5);
    expect(made.burstDensity).toBeLessThan(0.8);
    expect(made.burstPackets).toBeGreaterThan(4);
    expect(made.burstPackets).toBeLessThan(8);
    expect(made.gapPackets).toBeGreaterThan(85);
    expect(made.gapPackets).toBeLessThan(105);
    expect(made.gapDensity).toBeLessThan(0.01);
  });

  it('tells random loss from loss in runs (BurstR of G.107)', () => {
    const random = seededRandom(3);
    const independent = new LossBursts();
    for (let packet = 0; packet < 20_000; packet++) {
      if (random() < 0.1) independent.missing();
      else independent.received();
    }
    expect(independent.burstRatio).toBeCloseTo(1, 1);
    expect(bursts(`xxxx${good(36)}`.repeat(50)).burstRatio).toBeCloseTo(3.6, 1);
  });
});
