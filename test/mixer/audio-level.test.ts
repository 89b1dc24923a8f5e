import { describe, expect, it } from 'vitest';
import { levelSaysSilence, NO_AUDIO_LEVEL, SilenceClaims } from '../../mixer/audio/silence-claims.ts';
import { createOpusEncoder } from '../../mixer/codec/opus.ts';
import type { AudioCodecName } from '../../mixer/protocol.ts';
import { levelDb } from '../audio/signals.ts';
import { speech } from '../speech/speech.ts';
import { type PhoneOptions, SimulatedRoom } from './simulated-room.ts';

/** Opus whose packets have no voice flag: CELT. */
const CELT: PhoneOptions = { codec: 'opus', bitrateBps: 128_000, audioLevelId: 1 };

/** Three seconds of silence, then speech. */
function lateSpeech(rateHz: 8000 | 16000 | 48000): Int16Array {
  const spoken = speech('low', rateHz);
  const sound = new Int16Array(3 * rateHz + spoken.length);
  sound.set(spoken, 3 * rateHz);
  return sound;
}

describe('the level of a packet (RFC 6464)', () => {
  it('says silence below −65 dBov, and below −45 where the voice bit says that there is no voice', () => {
    expect(levelSaysSilence(NO_AUDIO_LEVEL, true)).toBe(false);
    expect(levelSaysSilence(127, false)).toBe(true);
    expect(levelSaysSilence(65, false)).toBe(true);
    expect(levelSaysSilence(64, false)).toBe(false);
    expect(levelSaysSilence(0x80 | 65, true)).toBe(true);
    expect(levelSaysSilence(0x80 | 64, true)).toBe(false);
    expect(levelSaysSilence(45, true)).toBe(true);
    expect(levelSaysSilence(44, true)).toBe(false);
  });
});

describe('a sender who says that it sends silence', () => {
  /** How many of `packets` may rest. */
  const resting = (claims: SilenceClaims, packets: number, atMs: number): number => {
    let rested = 0;
    let inRow = 0;
    for (let index = 0; index < packets; index++) {
      const rests = claims.mayRest(true, inRow, atMs + 20 * index);
      inRow = rests ? inRow + 1 : 0;
      if (rests) rested++;
    }
    return rested;
  };

  it('is believed but for one packet in a second, then in two, then in 3.2', () => {
    const claims = new SilenceClaims(() => 0.5);
    expect(resting(claims, 51 + 101, 0)).toBe(50 + 100);
    expect(resting(claims, 4 * 161, 4000)).toBe(4 * 160);
  });

  it('is not checked in the same tick as others who fell silent together', () => {
    const all = Array.from({ length: 400 }, (_, index) => new SilenceClaims(() => (index * 0.618) % 1));
    const inRow = new Array<number>(400).fill(0);
    let most = 0;
    for (let tick = 0; tick < 1000; tick++) {
      let checked = 0;
      for (const [index, claims] of all.entries()) {
        const rests = claims.mayRest(true, inRow[index]!, 20 * tick);
        inRow[index] = rests ? inRow[index]! + 1 : 0;
        if (!rests) checked++;
      }
      most = Math.max(most, checked);
    }
    expect(most).toBeLessThan(20);
  });

  it('is checked each second again after it was wrong', () => {
    const claims = new SilenceClaims(() => 0.5);
    resting(claims, 51 + 101 + 160, 0);
    expect(claims.mayRest(true, 160, 20 * (51 + 101 + 160))).toBe(false);
    claims.sounded(10_000);
    expect(resting(claims, 51, 30_000)).toBe(50);
  });

  it('is not believed for 10 s when it was wrong, then for 20, 40 …; after it announced its sound for 10 again', () => {
    const claims = new SilenceClaims(() => 0.5);
    const lie = (atMs: number): void => {
      claims.mayRest(true, 0, atMs - 1000);
      expect(claims.mayRest(true, 50, atMs)).toBe(false);
      claims.sounded(atMs);
    };
    lie(0);
    expect(claims.mayRest(true, 0, 9999)).toBe(false);
    expect(claims.mayRest(true, 0, 10_000)).toBe(true);
    lie(11_000);
    expect(claims.mayRest(true, 0, 30_999)).toBe(false);
    expect(claims.mayRest(true, 0, 31_000)).toBe(true);
    expect(claims.mayRest(false, 0, 32_000)).toBe(false);
    claims.sounded(32_000);
    lie(33_000);
    expect(claims.mayRest(true, 0, 43_000)).toBe(true);
  });

  it('is not caught by sound that it announced, or of which it said nothing', () => {
    const claims = new SilenceClaims(() => 0.5);
    claims.mayRest(false, 50, 0);
    claims.sounded(0);
    claims.nothing();
    claims.sounded(0);
    expect(claims.mayRest(true, 0, 20)).toBe(true);
  });
});

describe('in a room', () => {
  it('CELT at this bit rate has no voice flags, so that the level decides', () => {
    const options = { complexity: 5, bitrateBps: 128_000, inbandFec: false, dtx: false, expectedLossPercent: 0 };
    const encoder = createOpusEncoder(48000, options);
    const payload = new Uint8Array(1500);
    for (let index = 0; index < 10; index++) {
      encoder.encode(new Int16Array(960), 0, 960, payload, 0);
      expect(payload[0]! >> 3).toBeGreaterThanOrEqual(16);
    }
    encoder.close();
  });

  it.each([1, 14, 200])('silent CELT callers are decoded once a second (extension %i)', (audioLevelId) => {
    const room = new SimulatedRoom();
    for (let index = 0; index < 10; index++) room.join(`silent${index}`, { ...CELT, audioLevelId });
    room.run(1000);
    const before = room.counts.decodes;
    room.run(5000);
    // Of each 5 to check, each with 4 of history.
    expect(room.counts.decodes - before).toBeLessThanOrEqual(10 * 5 * 5);
  });

  it('without the level each of their packets is', () => {
    const room = new SimulatedRoom();
    for (let index = 0; index < 10; index++) room.join(`silent${index}`, { ...CELT, audioLevelId: 0 });
    room.run(1000);
    const before = room.counts.decodes;
    room.run(5000);
    expect(room.counts.decodes - before).toBe(10 * 250);
  });

  it.each([
    ['opus', 48000],
    ['G722', 16000],
  ] as const)('the first syllable of %s after silence is as loud as if all had been decoded', (codec, rateHz) => {
    const heardWith = (audioLevelId: number): Int16Array => {
      const room = new SimulatedRoom({ comfortNoiseDb: -127, automaticGain: 'off' });
      const options = { ...CELT, codec: codec as AudioCodecName, audioLevelId, sound: lateSpeech(rateHz) };
      room.join('late', options);
      const listener = room.join('listener', { codec: 'L16/16000' });
      room.run(4500);
      return listener.heard(2900).pcm;
    };
    const attentive = heardWith(0);
    const resting = heardWith(1);
    let compared = 0;
    for (let at = 0; at + 320 <= attentive.length; at += 320) {
      const level = levelDb(attentive, at, at + 320);
      if (level < -45) continue;
      expect(Math.abs(levelDb(resting, at, at + 320) - level)).toBeLessThan(1);
      compared++;
    }
    expect(compared).toBeGreaterThan(30);
  });

  it('one who says silence while speaking is found out within a second and a half, and heard from then on', () => {
    const room = new SimulatedRoom();
    const liar = room.join('liar', { ...CELT, toneHz: 500 });
    liar.saysLevelDb = () => -127;
    const listener = room.join('listener', { codec: 'opus' });
    room.run(2000);
    expect(Math.abs(listener.levelDb(500, 1750) + 20)).toBeLessThan(1.5);
    for (let turn = 0; turn < 5; turn++) {
      liar.toneHz = 0;
      room.run(600);
      liar.toneHz = 500;
      const fromMs = room.nowMs;
      room.run(500);
      expect(Math.abs(listener.levelDb(500, fromMs + 120) + 20)).toBeLessThan(1.5);
    }
  });
});
