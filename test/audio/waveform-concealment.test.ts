import { describe, expect, test } from 'vitest';
import { WaveformConcealment } from '../../mixer/audio/waveform-concealment.ts';
import { largestStep, levelDb, noise, speechLike, tone } from './signals.ts';

/** What is heard of `pcm` when these frames of 20 ms are lost. */
function withLosses(rateHz: number, pcm: Int16Array, lost: (frame: number) => boolean): Int16Array {
  const concealment = new WaveformConcealment(rateHz);
  const heard = pcm.slice();
  const samples = rateHz / 50;
  for (let frame = 0; frame < pcm.length / samples; frame++) {
    if (lost(frame)) concealment.conceal(samples, heard, frame * samples);
    else concealment.received(heard, frame * samples, samples);
  }
  return heard;
}

describe.each([8000, 16000])('at %i Hz', (rateHz) => {
  const frame = rateHz / 50;

  test('without loss nothing is touched', () => {
    const pcm = noise(rateHz, 20000);
    expect(withLosses(rateHz, pcm, () => false)).toEqual(pcm);
  });

  test('a lost frame of a steady tone is replaced by the tone', () => {
    for (const hz of [100, 150, 200, 440]) {
      const pcm = tone(rateHz, rateHz, hz, 10000);
      const heard = withLosses(rateHz, pcm, (i) => i === 20);
      const error = heard.map((sample, i) => sample - pcm[i]!);
      // Pitch is found in whole samples, so a high tone drifts a little. At full level for 10 ms, then it begins to fade.
      expect(levelDb(error, 20 * frame, 20.5 * frame) - levelDb(pcm), `${hz} Hz`).toBeLessThan(-12);
      expect(Math.abs(levelDb(heard, 20 * frame, 21 * frame) - levelDb(pcm)), `${hz} Hz`).toBeLessThan(1.5);
    }
  });

  test('both edges of a gap are smooth', () => {
    for (const pcm of [tone(rateHz, rateHz, 223, 10000), speechLike(rateHz, rateHz, 12000)]) {
      for (const length of [1, 2, 3, 5]) {
        const heard = withLosses(rateHz, pcm, (i) => i >= 17 && i < 17 + length);
        const [from, to] = [16 * frame, (19 + length) * frame];
        expect(largestStep(heard, from, to)).toBeLessThan(1.3 * largestStep(pcm));
      }
    }
  });

  test('a long gap fades to silence within 70 ms, and sound comes back after it', () => {
    const pcm = tone(rateHz, rateHz, 180, 10000);
    const heard = withLosses(rateHz, pcm, (i) => i >= 10 && i < 30);
    expect(levelDb(heard, 10 * frame, 11 * frame)).toBeGreaterThan(levelDb(pcm) - 2);
    expect(levelDb(heard, 12 * frame, 13 * frame)).toBeLessThan(levelDb(pcm) - 6);
    expect(levelDb(heard, 10 * frame + 0.07 * rateHz, 30 * frame)).toBeLessThan(-120);
    expect(heard.subarray(31 * frame)).toEqual(pcm.subarray(31 * frame));
  });

  test('a loss before anything was received is silence', () => {
    const heard = withLosses(rateHz, noise(rateHz / 10, 9000), () => true);
    expect(heard.every((sample) => sample === 0)).toBe(true);
  });

  test('does not wrap around at full scale', () => {
    const pcm = tone(rateHz, rateHz, 97, 32767);
    const heard = withLosses(rateHz, pcm, (i) => i % 3 === 2);
    expect(largestStep(heard)).toBeLessThan(12000);
  });

  test('conceals a loss in pieces of 5 ms as it does in one', () => {
    const pcm = speechLike(rateHz, rateHz / 2, 12000);
    const [whole, pieces] = [new WaveformConcealment(rateHz), new WaveformConcealment(rateHz)];
    whole.received(pcm, 0, pcm.length);
    pieces.received(pcm, 0, pcm.length);
    const [one, many] = [new Int16Array(2 * frame), new Int16Array(2 * frame)];
    whole.conceal(2 * frame, one, 0);
    for (let i = 0; i < 8; i++) pieces.conceal(frame / 4, many, (i * frame) / 4);
    expect(many).toEqual(one);
  });
});
