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
  test.each([-54, -40, -10])('a tone of %i dBov is active at once and for as long as it sounds', (levelDb) => {
    const active = decisions(rateHz, tone(rateHz, 30 * rateHz, 440, amplitude(levelDb)));
    expect(active.every((value) => value)).toBe(true);
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
