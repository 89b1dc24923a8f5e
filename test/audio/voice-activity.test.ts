import { describe, expect, test } from 'vitest';
import { VoiceActivity } from '../../mixer/audio/voice-activity.ts';
import { speech } from '../speech/speech.ts';
import { levelDb, noise, speechLike, tone } from './signals.ts';

/** The decision for each frame of 20 ms. */
function decisions(sampleRateHz: number, pcm: Int16Array): boolean[] {
  const detector = new VoiceActivity(sampleRateHz);
  const frame = sampleRateHz / 50;
  const result: boolean[] = [];
  for (let i = 0; i < pcm.length; i += frame) result.push(detector.process(pcm, i, frame));
  return result;
}

/** Amplitude of a sine of this level in dBov. */
const amplitude = (levelDb: number) => 32768 * Math.SQRT2 * 10 ** (levelDb / 20);

describe.each([8000, 16000, 48000])('at %i Hz', (rateHz) => {
  test.each([-39, -20, -3])('a tone of %i dBov is active at once and for as long as it sounds', (levelDb) => {
    const active = decisions(rateHz, tone(rateHz, 30 * rateHz, 440, amplitude(levelDb)));
    expect(active.every((value) => value)).toBe(true);
  });

  test('a steady sound under −40 dBov is active at once, and is the noise of the line after some seconds', () => {
    const active = decisions(rateHz, tone(rateHz, 30 * rateHz, 440, amplitude(-54)));
    expect(active.slice(0, 100).every((value) => value)).toBe(true);
    expect(active.slice(200).some((value) => value)).toBe(false);
  });

  test.each([-60, -50, -42])('over a hiss of %i dBov one is heard who speaks, and the hiss alone is not', (levelDb) => {
    const hiss = noise(20 * rateHz, amplitude(levelDb) * Math.sqrt(3 / 2));
    for (let second = 6; second < 20; second += 4) {
      const talk = tone(rateHz, 2 * rateHz, 500, amplitude(levelDb + 12));
      for (let i = 0; i < talk.length; i++) hiss[second * rateHz + i]! += talk[i]!;
    }
    const active = decisions(rateHz, hiss);
    for (let second = 4; second < 20; second++) {
      const talks = second >= 6 && (second - 6) % 4 < 2;
      // What lasts as long as a word hangs over into the next second.
      const frames = active.slice(second * 50 + (talks ? 0 : 16), second * 50 + 50);
      expect(
        frames.every((value) => value === talks),
        `second ${second}`,
      ).toBe(true);
    }
  });

  test('silence is not active, nor is the idle noise of PCMA', () => {
    expect(decisions(rateHz, new Int16Array(rateHz)).some((value) => value)).toBe(false);
    const idle = noise(rateHz, 1).map((sample) => (sample < 0 ? -8 : 8));
    expect(decisions(rateHz, idle).some((value) => value)).toBe(false);
  });

  test('speech stays active in its pauses, and for 300 ms afterwards', () => {
    const pcm = new Int16Array(3 * rateHz);
    pcm.set(speechLike(rateHz, rateHz, 8000));
    const active = decisions(rateHz, pcm);
    expect(active.slice(1, 50).every((value) => value)).toBe(true);
    expect(active.slice(50, 65).every((value) => value)).toBe(true);
    expect(active.slice(66).some((value) => value)).toBe(false);
  });

  test('the first milliseconds of a word at the end of a frame count', () => {
    const pcm = new Int16Array(rateHz / 50);
    const onset = tone(rateHz, rateHz / 500, 400, amplitude(-48));
    pcm.set(onset, pcm.length - onset.length);
    expect(decisions(rateHz, pcm)).toEqual([true]);
  });
});

test('in a quiet room a faint talker at −60 dBov is heard; a steady hiss of that level is not, in the long run', () => {
  const room = noise(8000 * 10, amplitude(-80));
  const talker = tone(8000, 8000, 300, amplitude(-60));
  const pcm = new Int16Array(room.length + talker.length);
  pcm.set(room);
  pcm.set(talker, room.length);
  const active = decisions(8000, pcm);
  expect(active.slice(0, 500).some((value) => value)).toBe(false);
  expect(active.slice(500).every((value) => value)).toBe(true);

  const hiss = decisions(8000, noise(8000 * 30, amplitude(-60)));
  expect(hiss.slice(-500).some((value) => value)).toBe(false);
});

test('the level is dBov: 0 for a full-scale square wave, −3.01 for a sine, −127 for silence', () => {
  const detector = new VoiceActivity(8000);
  detector.process(new Int16Array(160).fill(-32768), 0, 160);
  expect(detector.levelDb).toBeCloseTo(0, 5);
  detector.process(tone(8000, 160, 500, 32767), 0, 160);
  expect(detector.levelDb).toBeCloseTo(-3.01, 2);
  detector.process(new Int16Array(160), 0, 160);
  expect(detector.levelDb).toBe(-127);
});

/** Noise that falls off above a frequency, as of an engine. */
function rumble(rateHz: number, samples: number, levelDb: number, cornerHz: number): Int16Array {
  const pole = Math.exp((-2 * Math.PI * cornerHz) / rateHz);
  const white = noise(samples, 10_000, 7);
  const filtered = new Float64Array(samples);
  let value = 0;
  let power = 0;
  for (let i = 0; i < samples; i++) {
    value = pole * value + white[i]!;
    filtered[i] = value;
    power += value * value;
  }
  const gain = (32768 * 10 ** (levelDb / 20)) / Math.sqrt(power / samples);
  return Int16Array.from(filtered, (sample) => Math.round(sample * gain));
}

describe.each([8000, 16000, 48000] as const)('speech over noise at %i Hz', (rateHz) => {
  const spoken = speech('low', rateHz);
  const frame = rateHz / 50;
  const gapFrames = 400;

  test.each([
    ['a quiet room', -22, -70, 1000],
    ['a quiet room, a quiet talker', -40, -70, 1000],
    ['hiss', -22, -42, 4000],
    ['hiss, a quiet talker', -36, -48, 4000],
    ['a fan', -28, -50, 100],
    ['an engine', -22, -47, 50],
  ])('in %s no syllable is lost, and the noise alone is not active', (_, speechDb, noiseDb, cornerHz) => {
    const scale = 10 ** ((speechDb - levelDb(spoken)) / 20);
    const clean = new Int16Array(gapFrames * frame + spoken.length);
    for (let i = 0; i < spoken.length; i++) clean[gapFrames * frame + i] = spoken[i]! * scale;
    const background = rumble(rateHz, clean.length, noiseDb, cornerHz);
    const active = decisions(
      rateHz,
      clean.map((sample, i) => sample + background[i]!),
    );
    const audible = active.flatMap((_value, k) => {
      const level = k < gapFrames ? -127 : levelDb(clean, k * frame, (k + 1) * frame);
      return level > Math.max(-50, noiseDb + 9) ? [k] : [];
    });
    expect(audible.length).toBeGreaterThan(100);
    expect(audible.filter((k) => !active[k])).toEqual([]);
    const wrong = active.slice(200, gapFrames).filter((value) => value).length;
    expect(wrong / 200).toBeLessThan(0.1);
  });
});
