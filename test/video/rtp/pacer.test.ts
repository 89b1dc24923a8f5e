import { describe, expect, it } from 'vitest';
import { Pacer } from '../../../mixer/video/rtp/pacer.ts';

const PACKET = 1200;

/** Sends what waits, 5 ms after 5 ms; `arrives` says how many octets come at a time. Octets sent in each step. */
function send(bitrateBps: number, untilMs: number, arrives: (nowMs: number) => number, stepMs = 5): number[] {
  const pacer = new Pacer();
  const sent: number[] = [];
  let waiting = 0;
  for (let nowMs = 0; nowMs < untilMs; nowMs += stepMs) {
    waiting += arrives(nowMs);
    pacer.begin(bitrateBps, waiting, nowMs);
    let now = 0;
    while (waiting > 0 && pacer.take(Math.min(PACKET, waiting))) {
      now += Math.min(PACKET, waiting);
      waiting -= Math.min(PACKET, waiting);
    }
    sent.push(now);
  }
  return sent;
}

const total = (sent: number[]): number => sent.reduce((sum, octets) => sum + octets, 0);

describe('pacing', () => {
  it('lets a usual frame go at once', () => {
    const sent = send(1_000_000, 40, (nowMs) => (nowMs === 0 ? 4000 : 0));
    expect(sent[0]).toBe(4000);
  });

  it.each([300_000, 1_000_000, 4_000_000])('spreads a key frame of half a second at %i bit/s over 100 ms', (bps) => {
    const octets = bps / 16;
    const sent = send(bps, 400, (nowMs) => (nowMs === 0 ? octets : 0));
    expect(total(sent)).toBe(octets);
    expect(total(sent.slice(0, 21))).toBe(octets);
    // Neither all at once nor all at the end.
    const even = octets / 20;
    expect(Math.max(...sent)).toBeLessThanOrEqual(Math.max(5 * PACKET, 2 * even + PACKET));
    expect(total(sent.slice(0, 10))).toBeGreaterThan(octets / 3);
  });

  it('keeps a stream of frames from piling up, at any step', () => {
    for (const stepMs of [1, 5, 20]) {
      const sent = send(1_000_000, 10_000, (nowMs) => (nowMs % 40 === 0 ? 5000 : 0), stepMs);
      expect(total(sent)).toBeGreaterThanOrEqual(249 * 5000);
      expect(Math.max(...sent)).toBeLessThanOrEqual(6 * PACKET + 2.5 * 125 * stepMs);
    }
  });

  it('sends no burst after it stood still', () => {
    const pacer = new Pacer();
    pacer.begin(1_000_000, 0, 0);
    pacer.begin(1_000_000, 200_000, 60_000);
    let sent = 0;
    while (pacer.take(PACKET)) sent += PACKET;
    expect(sent).toBeLessThan(50_000);
  });

  it('has all that waits gone in 100 ms, also when far more comes than it was told', () => {
    const sent = send(64_000, 1000, (nowMs) => (nowMs === 0 ? 500_000 : 0));
    expect(total(sent.slice(0, 22))).toBe(500_000);
  });
});
