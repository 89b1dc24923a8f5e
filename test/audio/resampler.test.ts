import { describe, expect, test } from 'vitest';
import { Resampler } from '../../mixer/audio/resampler.ts';
import { goertzelHannLevelDb } from './goertzel.ts';
import { noise, tone } from './signals.ts';

const PAIRS: [number, number][] = [
  [8000, 16000],
  [8000, 48000],
  [16000, 8000],
  [16000, 48000],
  [48000, 8000],
  [48000, 16000],
  [24000, 48000],
  [48000, 24000],
  [24000, 8000],
];

const passBandHz = (lowerHz: number) => (lowerHz === 8000 ? 3400 : 0.4375 * lowerHz);

/** Resamples one second in frames of 20 ms. */
function resample(fromHz: number, toHz: number, pcm: Int16Array, frame = fromHz / 50): Int16Array {
  const resampler = new Resampler(fromHz, toHz);
  const out = new Int16Array((pcm.length * toHz) / fromHz);
  let written = 0;
  for (let i = 0; i < pcm.length; i += frame) {
    written += resampler.process(pcm, i, Math.min(frame, pcm.length - i), out, written);
  }
  expect(written).toBe(out.length);
  return out;
}

const levelAt = (pcm: Int16Array, hz: number, rateHz: number) =>
  goertzelHannLevelDb(pcm, rateHz / 10, rateHz * 0.8, hz, rateHz);

describe.each(PAIRS)('from %i to %i Hz', (fromHz, toHz) => {
  const lowerHz = Math.min(fromHz, toHz);
  const pass = passBandHz(lowerHz);

  test('gives exactly 20 ms for 20 ms, and 10 for 10, from the first frame on', () => {
    const resampler = new Resampler(fromHz, toHz);
    const input = new Int16Array(fromHz / 50);
    const output = new Int16Array(toHz / 50);
    for (const ms of [20, 20, 10, 20, 10, 1, 2, 20, 5, 20]) {
      expect(resampler.process(input, 0, (fromHz * ms) / 1000, output, 0)).toBe((toHz * ms) / 1000);
    }
  });

  test('leaves no seams: frames of any length make the same samples', () => {
    const pcm = noise(fromHz / 2, 20000);
    const whole = resample(fromHz, toHz, pcm, fromHz / 50);
    for (const ms of [1, 10, 30, 100]) expect(resample(fromHz, toHz, pcm, (fromHz * ms) / 1000)).toEqual(whole);
  });

  test('keeps the pass band even within 0.1 dB, and its images and aliases below −70 dB', () => {
    for (let hz = 100; hz < fromHz / 2; hz += fromHz / 2 / 37) {
      // A dither of one step keeps the rounding from making tones of its own.
      const pcm = tone(fromHz, fromHz, hz, 29000).map((sample, i) => sample + noise(1, 1.4, i)[0]!);
      const out = resample(fromHz, toHz, pcm);
      const sentDb = levelAt(pcm, hz, fromHz);
      if (hz <= pass) {
        expect(Math.abs(levelAt(out, hz, toHz) - sentDb), `${hz} Hz`).toBeLessThan(0.1);
        for (let image = fromHz - hz; image < toHz / 2; image += fromHz) {
          expect(levelAt(out, image, toHz) - sentDb, `image of ${hz} Hz at ${image}`).toBeLessThan(-70);
        }
      } else if (hz >= lowerHz - pass) {
        const folded = hz % toHz;
        const alias = Math.min(folded, toHz - folded);
        expect(levelAt(out, alias, toHz) - sentDb, `alias of ${hz} Hz at ${alias}`).toBeLessThan(-70);
      }
    }
  });

  test('delays by what it says, at most 2.2 ms', () => {
    const resampler = new Resampler(fromHz, toHz);
    expect(resampler.delaySamples / fromHz).toBeLessThanOrEqual(0.0022);
    // The phase of a slow tone tells the delay.
    const hz = 200;
    const out = resample(fromHz, toHz, tone(fromHz, fromHz, hz, 20000));
    let cosine = 0;
    let sine = 0;
    for (let i = toHz / 2; i < toHz; i++) {
      cosine += out[i]! * Math.cos((2 * Math.PI * hz * i) / toHz);
      sine += out[i]! * Math.sin((2 * Math.PI * hz * i) / toHz);
    }
    const delayS = Math.atan2(-cosine, sine) / (2 * Math.PI * hz);
    expect(delayS * fromHz).toBeCloseTo(resampler.delaySamples, 1);
  });

  test('saturates instead of wrapping around where a full-scale square wave overshoots', () => {
    const square = Int16Array.from({ length: fromHz / 10 }, (_, i) => (((i * 400) / fromHz) % 2 < 1 ? 32767 : -32768));
    const out = resample(fromHz, toHz, square);
    for (let i = 1; i < out.length; i++) {
      if (out[i - 1]! > 32000) expect(out[i]!).toBeGreaterThan(-32000);
    }
  });
});
