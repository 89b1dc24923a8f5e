import { expect, test } from 'vitest';
import { createOpusEncoder } from '../../mixer/codec/opus.ts';
import { LoadControl } from '../../mixer/load-control.ts';
import { TICK_TIME_BOUNDS_MS } from '../../mixer/protocol.ts';
import { TickLoad, TickTimes } from '../../mixer/tick-load.ts';
import { speech } from '../speech/speech.ts';

test('complexity goes down in seconds under load, long before calls are refused, and comes back slowly', () => {
  const control = new LoadControl(5);
  control.measured(0.45);
  expect(control.complexity).toBe(5);
  const down = [0.55, 0.6, 0.6].map((load) => {
    control.measured(load);
    return control.complexity;
  });
  expect(down).toEqual([3, 1, 0]);
  for (let second = 0; second < 60; second++) control.measured(0.4);
  expect(control.complexity).toBe(0);
  for (let second = 0; second < 20; second++) control.measured(0.2);
  expect(control.complexity).toBe(2);
  for (let second = 0; second < 100; second++) control.measured(0.2);
  expect(control.complexity).toBe(5);
});

test('who speaks is encoded for with less effort before the room is, and both have all of it on a quiet mixer', () => {
  const control = new LoadControl(5);
  const at = (load: number) => {
    control.measured(load);
    return [control.complexity, control.own.complexity];
  };
  expect([0.05, 0.1, 0.2, 0.1, 0.07].map(at)).toEqual([
    [5, 5],
    [5, 5],
    [5, 1],
    [5, 1],
    [5, 5],
  ]);
  for (let second = 0; second < 5; second++) control.measured(0.9);
  expect(at(0.9)).toEqual([0, 0]);
});

test('an encoder at work follows the limit: its packets are those of the lower complexity', () => {
  const options = { complexity: 9, bitrateBps: 24_000, inbandFec: false, dtx: false, expectedLossPercent: 0 };
  const limit = { complexity: 0 };
  const plain = createOpusEncoder(48000, { ...options, complexity: 0 });
  const limited = createOpusEncoder(48000, { ...options, complexityLimit: limit });
  const best = createOpusEncoder(48000, options);
  const pcm = speech('low', 48000);
  const encode = (encoder: typeof plain, at: number): Uint8Array => {
    const out = new Uint8Array(1500);
    return out.slice(0, encoder.encode(pcm, at, 960, out, 0));
  };
  let unlike = 0;
  for (let at = 48_000; at < 96_000; at += 960) {
    const packet = encode(limited, at);
    expect(packet).toEqual(encode(plain, at));
    if (Buffer.compare(packet, encode(best, at)) !== 0) unlike++;
  }
  expect(unlike).toBeGreaterThan(10);
  limit.complexity = 10;
  let changed = 0;
  for (let at = 96_000; at < 144_000; at += 960) {
    if (Buffer.compare(encode(limited, at), encode(plain, at)) !== 0) changed++;
  }
  expect(changed).toBeGreaterThan(10);
  for (const encoder of [plain, limited, best]) encoder.close();
});

test('the load of a second is what its ticks took', () => {
  const load = new TickLoad();
  const told: number[] = [];
  for (let ms = 0; ms <= 3000; ms += 20) {
    const busyMs = ms < 2000 ? 5 : 10;
    if (load.worked(ms, ms + busyMs)) told.push(load.lastShare);
  }
  expect(told.map((share) => Math.round(share * 100) / 100)).toEqual([0.25, 0.25, 0.5]);
});

test('tick times are counted in buckets, a bound in the bucket that it ends', () => {
  const times = new TickTimes();
  for (const ms of [0, 0.1, 0.15, 5, 5.01, 100, 100.1, 3000]) times.add(ms);
  const { counts, totalMs } = times.snapshot();
  const upTo = (bound: number): number => counts[TICK_TIME_BOUNDS_MS.indexOf(bound)]!;
  expect([0.1, 0.2, 0.3, 5, 6, 100].map(upTo)).toEqual([2, 1, 0, 1, 1, 1]);
  expect(counts.at(-1)).toBe(2);
  expect(counts).toHaveLength(TICK_TIME_BOUNDS_MS.length + 1);
  expect(totalMs).toBeCloseTo(3210.36);
  times.add(1);
  expect(counts.reduce((sum, count) => sum + count)).toBe(8);
});
