import { describe, expect, test } from 'vitest';
import { VoiceActivity } from '../../mixer/audio/voice-activity.ts';
import { noise, speechLike, tone } from './signals.ts';

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
      const talk = tone(rateHz, 2 * rateHz, 300, amplitude(levelDb + 12));
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
