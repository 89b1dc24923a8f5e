import { describe, expect, it } from 'vitest';
import { lengthen, shorten } from '../../mixer/rtp/time-stretch.ts';
import { seededRandom } from './jitter-simulation.ts';

/** A voice of a fundamental and four harmonics. */
function voice(samples: number, sampleRateHz: number, pitchHz: number, capacity = samples): Int16Array {
  const pcm = new Int16Array(capacity);
  for (let i = 0; i < samples; i++) {
    let value = 0;
    for (let harmonic = 1; harmonic <= 5; harmonic++) {
      value += Math.sin((2 * Math.PI * pitchHz * harmonic * i) / sampleRateHz + harmonic) / harmonic;
    }
    pcm[i] = 6000 * value;
  }
  return pcm;
}

function largestStep(pcm: Int16Array, samples: number): number {
  let largest = 0;
  for (let i = 1; i < samples; i++) largest = Math.max(largest, Math.abs(pcm[i]! - pcm[i - 1]!));
  return largest;
}

describe.each([8000, 16_000, 48_000])('time-stretching at %i Hz', (sampleRateHz) => {
  const samples = sampleRateHz / 50;

  it.each([100, 140, 210, 300])(
    'takes out and puts in whole periods of a voice of %i Hz, without a click',
    (pitchHz) => {
      const period = sampleRateHz / pitchHz;
      const original = voice(samples, sampleRateHz, pitchHz);
      const step = largestStep(original, samples);

      const shorter = original.slice();
      const shortened = shorten(shorter, samples, sampleRateHz, samples);
      expect(shortened).toBeLessThan(samples);
      expect(Math.abs((samples - shortened) / period - Math.round((samples - shortened) / period))).toBeLessThan(0.1);
      expect(largestStep(shorter, shortened)).toBeLessThan(step * 1.25);
      expect(shorter[shortened - 1]).toBe(original[samples - 1]);
      expect(Math.abs(shorter[0]! - original[0]!)).toBeLessThan(step);

      const longer = voice(samples, sampleRateHz, pitchHz, 2 * samples);
      const lengthened = lengthen(longer, samples, sampleRateHz, samples);
      expect(lengthened).toBeGreaterThan(samples);
      expect(Math.abs((lengthened - samples) / period - Math.round((lengthened - samples) / period))).toBeLessThan(0.1);
      expect(largestStep(longer, lengthened)).toBeLessThan(step * 1.25);
      expect(longer[0]).toBe(original[0]);
      expect(longer[lengthened - 1]).toBe(original[samples - 1]);
    },
  );

  it('keeps to the limit, and to the room of the array', () => {
    const limit = Math.round(sampleRateHz * 0.006);
    expect(shorten(voice(samples, sampleRateHz, 200), samples, sampleRateHz, limit)).toBeGreaterThanOrEqual(
      samples - limit,
    );
    expect(lengthen(voice(samples, sampleRateHz, 200), samples, sampleRateHz, limit)).toBe(samples);
    expect(shorten(voice(samples, sampleRateHz, 200), samples, sampleRateHz, 0)).toBe(samples);
  });

  it('leaves noise alone, but cuts quiet by any amount', () => {
    const random = seededRandom(1);
    const noise = Int16Array.from({ length: samples }, () => (random() - 0.5) * 20_000);
    expect(shorten(noise, samples, sampleRateHz, samples)).toBe(samples);
    const quiet = Int16Array.from({ length: samples }, () => (random() - 0.5) * 100);
    expect(shorten(quiet, samples, sampleRateHz, 17)).toBe(samples - 17);
    const room = new Int16Array(2 * samples);
    expect(lengthen(room, samples, sampleRateHz, 17)).toBe(samples + 17);
  });
});
