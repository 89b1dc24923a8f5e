import { describe, expect, test } from 'vitest';
import { Limiter } from '../../mixer/audio/limiter.ts';
import { goertzelHannLevelDb } from './goertzel.ts';
import { distortionDb, noise, tone } from './signals.ts';

const RATES = [8000, 16000, 48000];

function sumOf(voices: Int16Array[]): Int32Array {
  const sum = new Int32Array(voices[0]!.length);
  for (const voice of voices) for (let i = 0; i < sum.length; i++) sum[i]! += voice[i]!;
  return sum;
}

/** Limits frame by frame of 20 ms, and takes out the delay. */
function limit(sampleRateHz: number, given: Int32Array, givenOwn: Int16Array | null = null): Int16Array {
  const limiter = new Limiter(sampleRateHz);
  const frame = sampleRateHz / 50;
  const sum = new Int32Array(given.length + frame);
  sum.set(given);
  const own = givenOwn && new Int16Array(sum.length);
  if (own && givenOwn) own.set(givenOwn);
  const out = new Int16Array(sum.length);
  for (let i = 0; i < sum.length; i += frame) {
    limiter.process(sum.subarray(i), own?.subarray(i) ?? null, out.subarray(i), frame);
  }
  return out.subarray(limiter.delaySamples, limiter.delaySamples + given.length);
}

/** The gain at each sample, where the signal is large enough to tell it; else NaN. */
function gains(sum: Int32Array, out: Int16Array): number[] {
  return Array.from(out, (sample, i) => (Math.abs(sum[i]!) < 8000 ? Number.NaN : sample / sum[i]!));
}

describe.each(RATES)('at %i Hz', (rateHz) => {
  test.each([3, 5, 10])('a sum of %i full-scale tones is turned down without wrap-around', (count) => {
    const voices = Array.from({ length: count }, (_, k) => tone(rateHz, rateHz, 310 + 170 * k, 32767));
    const sum = sumOf(voices);
    const out = limit(rateHz, sum);
    // The sign stays, and nothing grows.
    expect(out.findIndex((sample, i) => sample * sum[i]! < 0)).toBe(-1);
    expect(out.findIndex((sample, i) => Math.abs(sample) > Math.abs(sum[i]!))).toBe(-1);
  });

  test('the gain never jumps, but glides', () => {
    // 1.5 s: silence, three loud voices, one quiet one.
    const voices = [400, 730, 1130].map((hz) => tone(rateHz, (rateHz * 3) / 2, hz, 30000));
    for (const voice of voices) {
      voice.fill(0, 0, rateHz / 4);
      voice.fill(0, rateHz);
    }
    const sum = sumOf([...voices, tone(rateHz, (rateHz * 3) / 2, 210, 12000)]);
    const gain = gains(sum, limit(rateHz, sum));
    const jumps: number[] = [];
    let last = 1;
    let lastAt = 0;
    for (let i = 0; i < gain.length; i++) {
      if (Number.isNaN(gain[i]!)) continue;
      // Three voices that begin together leave the 2 ms of look-ahead to get down to a third.
      const perMs = (1000 * (i - lastAt)) / rateHz;
      if (Math.abs(gain[i]! - last) > 0.35 * perMs + 0.001) jumps.push(i);
      last = gain[i]!;
      lastAt = i;
    }
    expect(jumps).toEqual([]);
    expect(last).toBeGreaterThan(0.9);
  });

  test('comes back within half a second, and then passes everything bit by bit', () => {
    const loud = sumOf([tone(rateHz, rateHz, 500, 32000), tone(rateHz, rateHz, 900, 32000)]);
    const quiet = tone(rateHz, 4 * rateHz, 300, 10000);
    const sum = new Int32Array(5 * rateHz);
    sum.set(loud);
    sum.set(quiet, rateHz);
    const out = limit(rateHz, sum);
    const gain = gains(sum, out);
    const halfASecondLater = gain.slice(1.5 * rateHz, 1.6 * rateHz).filter((value) => !Number.isNaN(value));
    expect(Math.min(...halfASecondLater)).toBeGreaterThan(0.93);
    expect(out.subarray(4 * rateHz)).toEqual(quiet.subarray(3 * rateHz));
  });

  test.each([100, 440, 1000])('a tone of %i Hz at three times full scale keeps its shape', (hz) => {
    const sum = sumOf([1, 2, 3].map(() => tone(rateHz, 2 * rateHz, hz, 32767)));
    const out = limit(rateHz, sum);
    // Distortion under 0.3 %.
    expect(distortionDb(out, rateHz, 2 * rateHz, hz, rateHz)).toBeLessThan(-50);
    expect(goertzelHannLevelDb(out, rateHz, rateHz, hz, rateHz)).toBeGreaterThan(-4);
  });
});

test('what fits 16 bits passes bit by bit, full scale both ways included', () => {
  const pcm = noise(48000, 32767);
  pcm[100] = -32768;
  pcm[101] = 32767;
  expect(limit(48000, Int32Array.from(pcm))).toEqual(pcm);
});

test('a talker hears the sum less their own voice, exactly', () => {
  const own = tone(16000, 16000, 300, 32767);
  const others = noise(16000, 30000, 3);
  expect(limit(16000, sumOf([own, others]), own)).toEqual(others);
});

test('a frame of any whole number of milliseconds is limited as well', () => {
  const limiter = new Limiter(48000);
  const sum = new Int32Array(1536).fill(60000);
  const out = new Int16Array(1536);
  limiter.process(sum, null, out, 96);
  for (const samples of [480, 48, 1536, 960]) {
    limiter.process(sum, null, out, samples);
    for (let i = 0; i < samples; i++) expect(out[i]!).toBeGreaterThan(10000);
  }
});

test.each(RATES)('at %i Hz a peak is met as gently at a frame’s beginning as anywhere else', (rateHz) => {
  // A tone of full scale on which another falls, 0 to 19 ms after the beginning of a frame.
  const steepest = Array.from({ length: 20 }, (_, ms) => {
    const sum = Int32Array.from(tone(rateHz, rateHz / 5, 300, 32000));
    const begin = (rateHz * (100 + ms)) / 1000;
    const other = tone(rateHz, rateHz / 10, 300, 30000, (2 * Math.PI * 300 * begin) / rateHz);
    for (let i = begin; i < sum.length; i++) sum[i]! += other[i - begin] ?? 0;
    const gain = gains(sum, limit(rateHz, sum));
    let most = 0;
    for (let i = begin - rateHz / 200; i < begin + rateHz / 100; i++) {
      const change = Math.abs(gain[i]! - gain[i - 1]!) * (rateHz / 1000);
      if (change > most) most = change;
    }
    return most;
  });
  expect(Math.max(...steepest)).toBeLessThan(0.3);
});

test('one who goes on from another limiter puts out the same from then on', () => {
  const sum = sumOf([tone(8000, 8000, 310, 30000), tone(8000, 8000, 470, 30000)]);
  const first = new Limiter(8000);
  const second = new Limiter(8000);
  const out = new Int16Array(160);
  const others = new Int16Array(160);
  for (let i = 0; i < 10; i++) first.process(sum.subarray(160 * i), null, out, 160);
  second.continueFrom(first);
  for (let i = 10; i < 20; i++) {
    first.process(sum.subarray(160 * i), null, out, 160);
    second.process(sum.subarray(160 * i), null, others, 160);
    expect(others).toEqual(out);
  }
});
