import { expect, test } from 'vitest';
import { Gain, linearGain } from '../../mixer/audio/gain.ts';
import { largestStep, levelDb, noise, tone } from './signals.ts';

test('0 dB leaves every sample as it is', () => {
  const pcm = noise(960, 32767);
  const copy = pcm.slice();
  new Gain(48000).process(pcm, 0, 960);
  expect(pcm).toEqual(copy);
});

test('a gain set at the start holds from the first sample', () => {
  const pcm = tone(8000, 800, 440, 10000);
  const before = levelDb(pcm);
  new Gain(8000, -12).process(pcm, 0, 800);
  expect(levelDb(pcm) - before).toBeCloseTo(-12, 2);
});

test('too much gain saturates', () => {
  const pcm = Int16Array.of(30000, -30000, 100);
  new Gain(8000, 20).process(pcm, 0, 3);
  expect([...pcm]).toEqual([32767, -32768, 1000]);
});

test.each([8000, 48000])(
  'muting at %i Hz fades to silence within 8 ms, and unmuting fades in, without a click',
  (rate) => {
    const gain = new Gain(rate);
    const pcm = new Int16Array(rate).fill(20000);
    const frame = rate / 100;
    for (let i = 0; i < rate; i += frame) {
      if (i === 10 * frame) gain.set(Number.NEGATIVE_INFINITY);
      if (i === 50 * frame) gain.set(0);
      gain.process(pcm, i, frame);
    }
    expect(largestStep(pcm)).toBeLessThanOrEqual(20000 / (0.008 * rate) + 1);
    expect(pcm[10 * frame - 1]).toBe(20000);
    expect(pcm[10 * frame + 0.008 * rate]).toBe(0);
    expect(pcm[50 * frame - 1]).toBe(0);
    expect(pcm[50 * frame + 0.008 * rate]).toBe(20000);
  },
);

test('is silent only once the fade has ended', () => {
  const gain = new Gain(8000);
  const pcm = new Int16Array(160).fill(1000);
  gain.set(Number.NEGATIVE_INFINITY);
  expect(gain.silent).toBe(false);
  gain.process(pcm, 0, 40);
  expect(gain.silent).toBe(false);
  gain.process(pcm, 40, 120);
  expect(gain.silent).toBe(true);
  gain.set(0);
  expect(gain.silent).toBe(false);
});

test('a change in the middle of a fade goes on from where it is', () => {
  const gain = new Gain(8000);
  const pcm = new Int16Array(160).fill(10000);
  gain.set(Number.NEGATIVE_INFINITY);
  gain.process(pcm, 0, 32);
  gain.set(-6);
  gain.process(pcm, 32, 128);
  expect(largestStep(pcm)).toBeLessThan(200);
  expect(pcm[159]).toBe(Math.round(10000 * linearGain(-6)));
});
