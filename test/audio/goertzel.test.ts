import { expect, test } from 'vitest';
import { goertzelHannLevelDb, goertzelLevelDb } from './goertzel.ts';
import { tone } from './signals.ts';

test.each([goertzelLevelDb, goertzelHannLevelDb])(
  'measures a full-scale sine as −3.01 dBov, at any offset (%o)',
  (level) => {
    const pcm = new Int16Array(1000);
    pcm.set(tone(8000, 800, 1000, 32767), 150);
    expect(level(pcm, 150, 800, 1000, 8000)).toBeCloseTo(-3.01, 1);
    expect(level(tone(8000, 800, 1000, 327.67), 0, 800, 1000, 8000)).toBeCloseTo(-43.01, 1);
  },
);

test('does not see a tone that is elsewhere', () => {
  const pcm = tone(8000, 800, 1000, 32767);
  expect(goertzelLevelDb(pcm, 0, 800, 700, 8000)).toBeLessThan(-80);
  // 1003.3 Hz does not fit the window; the Hann window keeps it from leaking far.
  const odd = tone(48000, 9600, 1003.3, 32767);
  expect(goertzelHannLevelDb(odd, 0, 9600, 1400, 48000)).toBeLessThan(-95);
});

test('silence measures −127', () => {
  expect(goertzelLevelDb(new Int16Array(160), 0, 160, 440, 8000)).toBe(-127);
  expect(goertzelHannLevelDb(new Int16Array(160), 0, 160, 440, 8000)).toBe(-127);
});
