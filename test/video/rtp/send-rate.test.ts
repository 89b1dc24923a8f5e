import { describe, expect, it } from 'vitest';
import { SendRate } from '../../../mixer/video/rtp/send-rate.ts';
import { SeededRandom } from '../../sim/seeded-random.ts';

const PACKET_OCTETS = 1100;
/** What a bottleneck holds before it drops. */
const QUEUE_MS = 150;

interface Line {
  capacityBps: number;
  /** Lost whatever is sent. */
  lossShare?: number;
}

/** A line with a bottleneck, in virtual time; a report each second, as of ours, or rarer. */
class Bottleneck {
  readonly rate = new SendRate(0);
  nowMs = 0;
  private readonly random: SeededRandom;
  private readonly reportEveryMs: number;
  private packetsSent = 0;

  constructor(seed: number, reportEveryMs = 1000) {
    this.random = new SeededRandom(seed);
    this.reportEveryMs = reportEveryMs;
    this.rate.limit(null);
  }

  /** Mean rate and loss over that time. */
  run(seconds: number, { capacityBps, lossShare = 0 }: Line): { meanBps: number; loss: number } {
    let sent = 0;
    let lost = 0;
    let sum = 0;
    let queuedMs = 0;
    const periods = (seconds * 1000) / this.reportEveryMs;
    for (let period = 0; period < periods; period++) {
      const bps = this.rate.bitrateBps;
      const packets = Math.round((bps * this.reportEveryMs) / 1000 / 8 / PACKET_OCTETS);
      let dropped = 0;
      for (let packet = 0; packet < packets; packet++) {
        queuedMs = Math.max(0, queuedMs - this.reportEveryMs / packets);
        if (queuedMs > QUEUE_MS || this.random.chance(lossShare)) dropped++;
        else queuedMs += (PACKET_OCTETS * 8 * 1000) / capacityBps;
      }
      this.nowMs += this.reportEveryMs;
      this.packetsSent += packets;
      // In the units of a report.
      const fraction = Math.floor((dropped * 256) / Math.max(1, packets)) / 256;
      this.rate.reported(fraction, this.packetsSent, bps, this.nowMs);
      sent += packets;
      lost += dropped;
      sum += bps;
    }
    return { meanBps: sum / periods, loss: lost / Math.max(1, sent) };
  }
}

describe('a bottleneck', () => {
  it.each([
    [300_000, 1000],
    [600_000, 1000],
    [1_200_000, 1000],
    [2_500_000, 1000],
    [600_000, 5000],
  ])('of %i bit/s, with a report each %i ms: the rate settles below it and uses most of it', (capacityBps, everyMs) => {
    for (let seed = 1; seed <= 10; seed++) {
      const line = new Bottleneck(seed, everyMs);
      line.run(120, { capacityBps });
      const { meanBps, loss } = line.run(300, { capacityBps });
      expect(meanBps).toBeLessThan(capacityBps);
      expect(meanBps).toBeGreaterThan(0.75 * capacityBps);
      expect(loss).toBeLessThan(0.02);
    }
  });

  it('that narrows is followed down in some seconds, and up again when it widens', () => {
    const line = new Bottleneck(3);
    line.run(60, { capacityBps: 3_000_000 });
    expect(line.rate.bitrateBps).toBeGreaterThan(2_400_000);
    line.run(12, { capacityBps: 500_000 });
    expect(line.rate.bitrateBps).toBeLessThan(650_000);
    line.run(90, { capacityBps: 3_000_000 });
    expect(line.rate.bitrateBps).toBeGreaterThan(2_000_000);
  });
});

describe('loss that has nothing to do with the rate', () => {
  it('of 1 % does not keep it from rising to the limit', () => {
    const line = new Bottleneck(1);
    line.run(60, { capacityBps: 100_000_000, lossShare: 0.01 });
    expect(line.rate.bitrateBps).toBe(4_000_000);
  });

  it('of 5 % leaves it about where it is', () => {
    const line = new Bottleneck(1);
    const { meanBps } = line.run(300, { capacityBps: 100_000_000, lossShare: 0.05 });
    expect(meanBps).toBeGreaterThan(1_200_000);
  });

  it('of 30 % brings it down, but never below what makes a picture', () => {
    const line = new Bottleneck(1);
    line.run(120, { capacityBps: 100_000_000, lossShare: 0.3 });
    expect(line.rate.bitrateBps).toBe(64_000);
    line.run(120, { capacityBps: 100_000_000 });
    expect(line.rate.bitrateBps).toBe(4_000_000);
  });

  it('of single packets among a few says nothing', () => {
    const rate = new SendRate(0);
    rate.limit(null);
    for (let report = 1; report <= 5; report++) rate.reported(0.25, 4 * report, rate.bitrateBps, 200 * report);
    expect(rate.bitrateBps).toBeLessThan(1_500_000);
    const quick = new SendRate(0);
    for (let report = 1; report <= 4; report++) quick.reported(0.25, 4 * report, quick.bitrateBps, 200 * report);
    expect(quick.bitrateBps).toBe(1_500_000);
  });
});

describe('limits', () => {
  it('are the least of what was negotiated, estimated and asked for', () => {
    const rate = new SendRate(0);
    expect(rate.bitrateBps).toBe(1_500_000);
    rate.limit(1_000_000);
    expect(rate.bitrateBps).toBe(1_000_000);
    rate.estimated(700_000);
    expect(rate.bitrateBps).toBe(700_000);
    // 40 octets of lower layers with each packet.
    rate.limitRequested(7, 512_000, 40);
    expect(rate.bitrateBps).toBeCloseTo((512_000 * 1100) / 1140);
    expect(rate.requested).toEqual({ owner: 7, bitrateBps: 512_000, overhead: 40 });
    rate.limitRequested(7, 2_000_000, 40);
    expect(rate.bitrateBps).toBe(700_000);
    rate.estimated(10_000);
    expect(rate.bitrateBps).toBe(64_000);
    rate.limitRequested(7, 0, 0);
    expect(rate.bitrateBps).toBe(0);
    rate.limitRequested(7, 2_000_000, 0);
    rate.estimated(2 ** 60);
    rate.limit(null);
    expect(rate.bitrateBps).toBe(1_000_000);
  });

  it('that were not reached by loss teach nothing: with them gone, the rate rises from there', () => {
    const line = new Bottleneck(1);
    line.rate.estimated(300_000);
    line.run(300, { capacityBps: 5_000_000 });
    expect(line.rate.bitrateBps).toBe(300_000);
    line.rate.estimated(10_000_000);
    expect(line.rate.bitrateBps).toBeLessThan(1_700_000);
  });
});

it('goes by what was sent and got lost, however much more was thought to be possible', () => {
  const rate = new SendRate(0);
  rate.limit(null);
  for (let second = 1; second <= 60; second++) rate.reported(0, 100 * second, 600_000, 1000 * second);
  expect(rate.bitrateBps).toBeGreaterThan(2_000_000);
  rate.reported(0.3, 6100, 600_000, 61_000);
  expect(rate.bitrateBps).toBeLessThan(600_000);
});
