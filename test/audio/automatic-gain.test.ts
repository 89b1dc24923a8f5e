import { describe, expect, test } from 'vitest';
import { AutomaticGain, type AutomaticGainMode } from '../../mixer/audio/automatic-gain.ts';
import { DcBlocker } from '../../mixer/audio/dc-blocker.ts';
import { KWeighting, loudnessLufs } from '../../mixer/audio/k-weighting.ts';
import { VoiceActivity } from '../../mixer/audio/voice-activity.ts';
import { speech } from '../speech/speech.ts';
import { levelDb, noise, tone } from './signals.ts';

const RATES = [8000, 16000, 48000] as const;
const amplitude = (db: number) => 32768 * Math.SQRT2 * 10 ** (db / 20);

function lufs(rateHz: number, pcm: Int16Array, from = 0): number {
  const weighting = new KWeighting(rateHz);
  weighting.process(pcm, 0, from);
  return loudnessLufs(weighting.process(pcm, from, pcm.length - from));
}

describe.each(RATES)('K-weighted loudness (ITU-R BS.1770) at %i Hz', (rateHz) => {
  test('a full-scale sine at 997 Hz in one channel is −3.01 LUFS', () => {
    expect(lufs(rateHz, tone(rateHz, 2 * rateHz, 997, 32767), rateHz)).toBeCloseTo(-3.01, 1);
  });

  test('low tones count less, high ones more', () => {
    const at = (hz: number) => lufs(rateHz, tone(rateHz, 2 * rateHz, hz, 3277), rateHz) + 23.01;
    expect(at(38)).toBeCloseTo(-6.7, 0);
    expect(at(200)).toBeCloseTo(-0.7, 0);
    expect(at(3000)).toBeGreaterThan(2.5);
    expect(at(3000)).toBeLessThan(4.1);
  });
});

/** Runs speech through, round and round; returns the processed PCM of the last round, and the gain's way. */
function amplified(mode: Exclude<AutomaticGainMode, 'off'>, pcm: Int16Array, rounds: number) {
  const automatic = new AutomaticGain(16000, mode);
  const activity = new VoiceActivity(16000);
  const gains: number[] = [];
  let out = new Int16Array(0);
  for (let round = 0; round < rounds; round++) {
    out = pcm.slice();
    for (let i = 0; i + 320 <= out.length; i += 320) {
      activity.process(out, i, 320);
      automatic.process(out, i, 320, activity.speaking && activity.settled, activity.noiseDb);
      gains.push(automatic.gainDb);
    }
  }
  return { out, gains, loudness: automatic.loudnessLufs, gainDb: automatic.gainDb };
}

/** Speech of this loudness in a room with some noise. */
function talker(loudnessDb: number, noiseDb = -75): Int16Array {
  const spoken = speech('low', 16000);
  const { loudness } = amplified('on', spoken, 2);
  const gain = 10 ** ((loudnessDb - loudness) / 20);
  const hiss = noise(spoken.length, 32768 * Math.sqrt(3) * 10 ** (noiseDb / 20));
  return spoken.map((sample, i) => Math.max(-32768, Math.min(32767, sample * gain + hiss[i]!)));
}

describe('automatic gain', () => {
  test.each([-32, -24, -12])('"on" brings a talker of %i LUFS to −18', (loudnessDb) => {
    const { loudness, gainDb } = amplified('on', talker(loudnessDb), 4);
    expect(Math.abs(loudness + gainDb + 18)).toBeLessThan(1);
  });

  test('"gentle" leaves those alone who are within 5 dB, and helps the others to there', () => {
    for (const loudnessDb of [-22, -18, -14]) {
      expect(Math.abs(amplified('gentle', talker(loudnessDb), 3).gainDb)).toBeLessThan(0.7);
    }
    const quiet = amplified('gentle', talker(-29), 5);
    expect(Math.abs(quiet.loudness + quiet.gainDb + 23)).toBeLessThan(1);
    expect(amplified('gentle', talker(-45), 6).gainDb).toBeCloseTo(9, 0);
  });

  test('does not move in pauses', () => {
    const { gains } = amplified('on', talker(-30), 3);
    // Speech begins and ends with half a second of silence.
    const perRound = gains.length / 3;
    for (const round of [1, 2]) {
      const pause = gains.slice(round * perRound - 20, round * perRound + 15);
      expect(Math.max(...pause) - Math.min(...pause)).toBe(0);
    }
  });

  test('does not lift a noise above −45 dBov', () => {
    const { gainDb } = amplified('on', talker(-34, -54), 5);
    expect(gainDb).toBeGreaterThan(5);
    expect(gainDb - 54).toBeLessThan(-43);
  });

  test('leaves a tone alone, which has no pauses', () => {
    for (const level of [-12, -20, -36]) {
      const pcm = tone(16000, 16000 * 10, 500, amplitude(level));
      expect(Math.abs(amplified('gentle', pcm, 1).gainDb)).toBe(0);
    }
  });

  test('never drives peaks over full scale', () => {
    const pcm = talker(-30);
    for (let i = 8000; i < pcm.length; i += 4000) pcm[i] = 20000;
    const { out } = amplified('on', pcm, 3);
    expect(out.filter((sample) => sample === 32767).length).toBe(0);
  });
});

test.each(RATES)('the DC blocker at %i Hz takes an offset away and leaves a voice', (rateHz) => {
  const pcm = tone(rateHz, rateHz, 200, 8000).map((sample) => sample + 6000);
  new DcBlocker(rateHz).process(pcm, 0, pcm.length);
  const settled = pcm.subarray(rateHz / 5);
  const mean = settled.reduce((sum, sample) => sum + sample, 0) / settled.length;
  expect(Math.abs(mean)).toBeLessThan(2);
  expect(levelDb(pcm, rateHz / 5)).toBeCloseTo(20 * Math.log10(8000 / Math.SQRT2 / 32768), 1);
});
