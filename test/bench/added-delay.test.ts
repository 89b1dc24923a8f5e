import { describe, expect, test } from 'vitest';
import { addedDelays, decodeStream, markerMiddleMs } from './added-delay.ts';
import { DurationHistogram } from './histogram.ts';
import { type LoadCodec, PTIME_MS, talkerLoop } from './load-signal.ts';
import type { ObservedPacket, SentMarker } from './media-caller.ts';

/** A talker's own packets, given to a listener some time later. */
function echoed(codec: LoadCodec, talker: number, delayMs: number) {
  const loop = talkerLoop(codec, talker);
  const packets: ObservedPacket[] = [];
  const markers: SentMarker[] = [];
  loop.payloads.forEach((payload, index) => {
    const timeMs = 1_000 + index * PTIME_MS;
    if (loop.marked[index]) markers.push({ room: 0, talker, timeMs });
    packets.push({ timeMs: timeMs + delayMs, sequenceNumber: (65_500 + index) & 0xffff, payload });
  });
  return { loop, packets, markers };
}

describe('the measurement of added delay', () => {
  test.each([
    ['PCMU', 0, 0],
    ['PCMU', 1, 37],
    ['PCMU', 2, 153],
    ['G722', 0, 19],
    ['G722', 2, 48],
    ['opus', 0, 22],
    ['opus', 2, 61],
  ] as const)('finds in %s, talker %i, that packets came %i ms later', (codec, talker, delayMs) => {
    const { loop, packets, markers } = echoed(codec, talker, delayMs);
    const delays = new DurationHistogram();
    const middles = [0, 0, 0];
    middles[talker] = markerMiddleMs(codec, talker, loop);
    const { missed } = addedDelays(decodeStream(codec, packets), markers, middles, delays);
    expect(missed).toBe(0);
    expect(delays.count).toBeGreaterThan(6);
    expect(Math.abs(delays.percentile(0.5) - delayMs)).toBeLessThan(1);
    expect(Math.abs(delays.percentile(0.99) - delayMs)).toBeLessThan(2);
  });

  test('counts what a server shifts within its packets, too', () => {
    const { loop, packets, markers } = echoed('PCMU', 0, 25);
    const stream = decodeStream('PCMU', packets);
    const shiftMs = 7;
    const shifted = new Float32Array(stream.samples.length);
    shifted.set(stream.samples.subarray(0, stream.samples.length - 8 * shiftMs), 8 * shiftMs);
    const delays = new DurationHistogram();
    addedDelays({ ...stream, samples: shifted }, markers, [markerMiddleMs('PCMU', 0, loop)], delays);
    expect(Math.abs(delays.percentile(0.5) - 25 - shiftMs)).toBeLessThan(1);
  });

  test('says that a marker is missing where it is', () => {
    const { loop, packets, markers } = echoed('PCMU', 0, 25);
    const silence = Buffer.alloc(160, 0xff);
    const muted = packets.map((packet) => ({ ...packet, payload: silence }));
    const delays = new DurationHistogram();
    const { missed } = addedDelays(decodeStream('PCMU', muted), markers, [markerMiddleMs('PCMU', 0, loop)], delays);
    expect(missed).toBeGreaterThan(6);
    expect(delays.count).toBe(0);
  });
});
