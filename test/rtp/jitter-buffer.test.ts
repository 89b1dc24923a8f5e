import { describe, expect, it } from 'vitest';
import { JitterBuffer } from '../../mixer/rtp/jitter-buffer.ts';
import { formatJitterTable, jitterTable, seededRandom, simulate } from './jitter-simulation.ts';

const PAYLOAD = { buffer: new Uint8Array(160), payloadOffset: 0, payloadLength: 160 };
const make = () => new JitterBuffer({ clockRateHz: 8000, minDelayMs: 0, maxDelayMs: 400 });
/** Puts packets of 20 ms by number; the arrival is that of a network without jitter unless told. */
const put = (buffer: JitterBuffer, index: number, arrivalMs = index * 20, timestamp = index * 160, marker = false) =>
  buffer.put(
    { ...PAYLOAD, sequenceNumber: index & 0xffff, timestamp: timestamp >>> 0, payloadType: 0, marker },
    arrivalMs,
  );
const take = (buffer: JitterBuffer, nowMs: number) => {
  const playout = buffer.take(nowMs);
  if (playout === 'packet') buffer.played(160);
  return playout === 'packet' ? buffer.packet.sequenceNumber : playout;
};

describe('jitter buffer, packet by packet', () => {
  it('is silent before the first packet and plays it with the next tick', () => {
    const buffer = make();
    expect(take(buffer, 0)).toBe('silence');
    expect(buffer.gapTicks).toBe(160);
    put(buffer, 1, 12);
    expect(take(buffer, 20)).toBe(1);
    expect(buffer.packet.waitedMs).toBe(8);
  });

  it('fills a tick that already has 15 ms with 5 ms of silence', () => {
    const buffer = make();
    expect(buffer.take(0, 15)).toBe('silence');
    expect(buffer.gapTicks).toBe(40);
  });

  it('puts packets in order and drops duplicates, those already played too', () => {
    const buffer = make();
    for (const index of [1, 3, 2, 2]) put(buffer, index, 20);
    expect([take(buffer, 30), take(buffer, 30)]).toEqual([1, 2]);
    put(buffer, 1, 31);
    expect(take(buffer, 40)).toBe(3);
    expect(buffer.counters).toMatchObject({ duplicates: 2, late: 0, concealedTicks: 0 });
  });

  it('plays a first packet that was overtaken by the second', () => {
    const buffer = make();
    put(buffer, 2, 40);
    put(buffer, 1, 41);
    expect([take(buffer, 50), take(buffer, 70)]).toEqual([1, 2]);
  });

  it('conceals a lost packet, showing the one that follows for its redundancy', () => {
    const buffer = make();
    put(buffer, 1);
    expect(take(buffer, 27)).toBe(1);
    put(buffer, 3, 45);
    expect(take(buffer, 47)).toBe('conceal');
    expect(buffer.gapTicks).toBe(160);
    expect(buffer.following).toEqual(PAYLOAD.buffer);
    put(buffer, 2, 50);
    expect(take(buffer, 67)).toBe(3);
    expect(buffer.counters).toMatchObject({ late: 1, concealedTicks: 160 });
  });

  it('plays a packet that comes while it is concealed and nothing else is there, so that the delay grows', () => {
    const buffer = make();
    put(buffer, 1);
    expect(take(buffer, 27)).toBe(1);
    expect(take(buffer, 47)).toBe('conceal');
    put(buffer, 2, 50);
    put(buffer, 3, 60);
    expect([take(buffer, 67), take(buffer, 87)]).toEqual([2, 3]);
    expect(buffer.delayMs).toBeCloseTo(27, 0);
    expect(buffer.counters.late).toBe(0);
  });

  it('goes silent when a sender stops, and does not count that as concealed once it is known to have been a pause', () => {
    const buffer = make();
    for (let i = 0; i < 10; i++) {
      put(buffer, i);
      expect(take(buffer, i * 20 + 7)).toBe(i);
    }
    const played = [];
    for (let i = 10; i < 50; i++) played.push(take(buffer, i * 20 + 7));
    expect(played.slice(4)).toEqual(new Array(36).fill('silence'));
    put(buffer, 10, 1000, 50 * 160, true);
    expect(take(buffer, 1007)).toBe(10);
    expect(buffer.counters).toMatchObject({ concealedTicks: 0, pauses: 1, late: 0 });
  });

  it('keeps the timing of a pause that it knows of in advance', () => {
    const buffer = new JitterBuffer({ clockRateHz: 8000, minDelayMs: 100, maxDelayMs: 400 });
    put(buffer, 1, 20);
    put(buffer, 2, 80, 160 + 60 * 8, true);
    const played = [107, 127, 147, 167, 187].map((nowMs) => take(buffer, nowMs));
    expect(played).toEqual(['silence', 1, 'silence', 'silence', 2]);
    expect(buffer.counters).toMatchObject({ pauses: 1, concealedTicks: 0 });
  });

  it('does not conceal after a packet that announces a pause', () => {
    const buffer = make();
    put(buffer, 1);
    expect(take(buffer, 27)).toBe(1);
    buffer.expectPause();
    expect(take(buffer, 47)).toBe('silence');
    expect(buffer.counters.concealedTicks).toBe(0);
  });

  it('does not conceal what telephone events took the place of', () => {
    const buffer = make();
    for (let i = 1; i <= 3; i++) {
      put(buffer, i);
      expect(take(buffer, i * 20 + 7)).toBe(i);
    }
    for (let i = 4; i < 10; i++) {
      buffer.skip(i, 4 * 160, i * 20);
      expect(take(buffer, i * 20 + 7)).toBe('silence');
    }
    put(buffer, 10);
    expect(take(buffer, 207)).toBe(10);
    expect(buffer.counters).toMatchObject({ concealedTicks: 0, late: 0 });
  });

  it.each([
    ['forward', 0x30000000],
    ['backward', -0x30000000],
    ['backward by little', -4000],
  ])('goes on without a break when the timestamp jumps %s', (_name, jump) => {
    const buffer = make();
    for (let i = 0; i < 200; i++) {
      put(buffer, i, i * 20, i * 160 + (i < 100 ? 0 : jump));
      expect(take(buffer, i * 20 + 7)).toBe(i);
    }
    expect(buffer.delayMs).toBeCloseTo(7, 0);
    expect(buffer.targetDelayMs).toBeLessThan(10);
  });

  it('goes on when a sender stops its clock on hold', () => {
    const buffer = make();
    for (let i = 0; i < 100; i++) {
      put(buffer, i);
      take(buffer, i * 20 + 7);
    }
    for (let i = 100; i < 500; i++) take(buffer, i * 20 + 7);
    const played = [];
    for (let i = 500; i < 600; i++) {
      put(buffer, i - 400, i * 20);
      played.push(take(buffer, i * 20 + 7));
    }
    expect(played.filter((one) => typeof one === 'number').length).toBeGreaterThan(95);
    expect(buffer.delayMs).toBeLessThan(30);
  });

  it('drops a stray sequence number and takes two in a row for a restart', () => {
    const buffer = make();
    put(buffer, 1);
    put(buffer, 30_000, 25);
    expect(take(buffer, 27)).toBe(1);
    put(buffer, 2);
    expect(take(buffer, 47)).toBe(2);
    put(buffer, 50_000, 60);
    put(buffer, 50_001, 80);
    put(buffer, 50_002, 100);
    expect([take(buffer, 87), take(buffer, 107)]).toEqual([50_001, 50_002]);
    expect(buffer.counters.resets).toBe(1);
  });

  it('begins anew with another stream after a reset', () => {
    const buffer = make();
    put(buffer, 1);
    expect(take(buffer, 27)).toBe(1);
    buffer.reset();
    expect(take(buffer, 47)).toBe('silence');
    put(buffer, 9000, 50, 0xffffff00);
    expect(take(buffer, 67)).toBe(9000);
  });

  it('survives any input: it always answers, and plays a good stream again within a second', () => {
    const random = seededRandom(14);
    const integer = (below: number) => Math.floor(random() * below);
    for (let run = 0; run < 50; run++) {
      const buffer = make();
      let nowMs = run * 1e6;
      for (let i = 0; i < 1000; i++) {
        const sequenceNumber = random() < 0.5 ? integer(65_536) : i + integer(20);
        const timestamp = random() < 0.3 ? integer(2 ** 32) : i * 160 + integer(4000);
        const marker = random() < 0.1;
        buffer.put({ ...PAYLOAD, sequenceNumber, timestamp, payloadType: 0, marker }, nowMs + integer(50));
        if (random() < 0.1) buffer.skip(integer(65_536), integer(2 ** 32), nowMs);
        nowMs += integer(40);
        for (let j = integer(4); j > 0; j--) {
          if (buffer.take(nowMs, random() * 20) !== 'packet') expect(buffer.gapTicks).toBeGreaterThan(0);
          else if (random() < 0.9) buffer.played(integer(960));
        }
      }
      let played = 0;
      for (let i = 0; i < 100; i++) {
        put(buffer, 20_000 + i, nowMs + i * 20, 1e9 + i * 160);
        const one = take(buffer, nowMs + i * 20 + 7);
        if (typeof one === 'number' && one >= 20_000 && i >= 50) played++;
      }
      expect(played).toBeGreaterThanOrEqual(45);
    }
  });

  it('keeps the newest when nobody takes for a minute', () => {
    const buffer = make();
    for (let i = 0; i < 3000; i++) put(buffer, i);
    const first = take(buffer, 60_000);
    expect(first).toBeGreaterThan(2990);
  });
});

describe('jitter buffer, in simulation', () => {
  it('adds no more than a tick and 3 ms without jitter, whatever the phase of the tick', () => {
    for (let phase = 0.5; phase < 20; phase++) {
      const result = simulate({ seed: phase, seconds: 30, tickPhaseMs: phase, jitterMs: (_at, random) => random() });
      expect(result.percentile99DelayMs).toBeLessThanOrEqual(23);
      expect(result.concealedPercent).toBe(0);
      expect(result.latePercent).toBe(0);
    }
  });

  it.each([10, 20, 30, 40, 50, 60])('plays packets of %i ms at a low delay', (ptimeMs) => {
    const result = simulate({
      seed: 4,
      seconds: 60,
      ptimeMs,
      measureFromMs: 5000,
      jitterMs: (_at, random) => random(),
    });
    expect(result.medianDelayMs).toBeLessThan(24);
    expect(result.concealedPercent).toBe(0);
    expect(result.playedOutOfOrder).toBe(0);
  });

  it.each([
    [300, true],
    [-300, true],
    [300, false],
    [-300, false],
  ])('neither creeps nor starves over three hours at %i ppm (time-stretching: %s)', (driftPpm, stretches) => {
    const jitterMs = (_at: number, random: () => number) => random() * 2;
    const result = simulate({ seed: 5, seconds: 10_800, driftPpm, stretches, jitterMs });
    expect(result.percentile99DelayMs).toBeLessThan(32);
    expect(Math.max(...result.delayBySecond)).toBeLessThan(40);
    // Without stretching, 300 ppm must be made up for by concealing or dropping 300 ppm.
    expect(result.concealedPercent).toBeLessThan(stretches ? 0.005 : 0.04);
    expect(result.discarded).toBeLessThan(stretches ? 5 : 200);
  });

  it('goes up in a storm and comes back down within twelve seconds', () => {
    const jitterMs = (at: number, random: () => number) => random() * (at > 10_000 && at < 20_000 ? 150 : 2);
    const result = simulate({ seed: 6, seconds: 60, jitterMs });
    expect(Math.max(...result.delayBySecond.slice(11, 20))).toBeGreaterThan(120);
    expect(Math.max(...result.delayBySecond.slice(32))).toBeLessThan(25);
    expect(result.latePercent).toBeLessThan(2);
  });

  it('loses little to a stall of three seconds, and is back at a low delay ten seconds later', () => {
    const jitterMs = (at: number) => (at > 10_000 && at < 13_000 ? 13_000 - at : 0);
    const result = simulate({ seed: 7, seconds: 40, jitterMs });
    expect(result.sent - result.played).toBeLessThan(150);
    expect(Math.max(...result.delayBySecond)).toBeLessThan(430);
    expect(Math.max(...result.delayBySecond.slice(23))).toBeLessThan(25);
  });

  it('follows a way that becomes 100 ms longer, and one that becomes shorter', () => {
    const jitterMs = (at: number) => (at > 10_000 && at < 30_000 ? 100 : 0);
    const result = simulate({ seed: 8, seconds: 50, jitterMs });
    expect(result.delayBySecond[25]).toBeLessThan(25);
    expect(result.delayBySecond[45]).toBeLessThan(25);
    expect(result.concealedPercent).toBeLessThan(0.5);
  });

  it('holds the talk spurts of a pausing sender together, with no false concealment', () => {
    const result = simulate({
      seed: 9,
      seconds: 120,
      jitterMs: (_at, random) => random() * 10,
      talking: (at) => at % 5000 < 2300,
    });
    expect(result.played).toBe(result.sent);
    expect(result.jitterBuffer.counters.pauses).toBe(23);
    expect(result.jitterBuffer.counters.concealedTicks).toBeLessThanOrEqual(320);
    expect(result.percentile99DelayMs).toBeLessThan(35);
  });

  it('buffers a sender that bundles three packets at a time', () => {
    const result = simulate({ seed: 10, seconds: 60, jitterMs: (at) => 40 - (at % 60), measureFromMs: 1000 });
    expect(result.concealedPercent).toBe(0);
    expect(result.finalDelayMs).toBeLessThan(70);
  });

  it('stays within its greatest delay however bad the network', () => {
    const jitterMs = (_at: number, random: () => number) => random() * 2000;
    const result = simulate({ seed: 11, seconds: 60, jitterMs, buffer: { maxDelayMs: 200 } });
    expect(result.finalTargetMs).toBeLessThanOrEqual(200);
    expect(Math.max(...result.delayBySecond)).toBeLessThanOrEqual(240 + 20);
  });

  it('is not deceived by duplicates', () => {
    const result = simulate({ seed: 12, seconds: 60, duplicatePercent: 50, jitterMs: (_at, random) => random() * 5 });
    expect(result.played).toBe(result.sent);
    expect(result.jitterBuffer.counters.duplicates).toBe(result.arrived - result.sent);
  });

  it('conceals what was lost and hardly more, at a delay near the jitter, for 0–30 % loss and 0–150 ms jitter', () => {
    const rows = jitterTable(60, 13);
    const table = formatJitterTable(rows);
    for (const row of rows) {
      expect(row.latePercent, table).toBeLessThan(2.5);
      expect(row.medianDelayMs, table).toBeLessThan(row.jitterMs * 0.75 + 24);
      expect(row.percentile99DelayMs, table).toBeLessThan(row.jitterMs * 1.1 + 26);
    }
  });
});
