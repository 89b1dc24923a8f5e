import { describe, expect, test } from 'vitest';
import { DtmfDetector } from '../../mixer/audio/dtmf-detector.ts';
import { speech } from '../speech/speech.ts';
import { noise } from './signals.ts';

const LOW_HZ = [697, 770, 852, 941];
const HIGH_HZ = [1209, 1336, 1477, 1633];
const KEYS = '123A456B789C*0#D';

interface Press {
  key: string;
  ms: number;
  pauseMs?: number;
  /** Each tone, dBov. */
  lowDb?: number;
  highDb?: number;
  /** Off the frequencies, as a share. */
  off?: number;
}

/** Keys one after the other, the first after `leadMs` of silence, each followed by its pause. */
function keypad(rateHz: number, presses: Press[], leadMs = 50): Int16Array {
  const pieces = presses.flatMap(({ key, ms, pauseMs = 100, lowDb = -13, highDb = -13, off = 0 }) => {
    const index = KEYS.indexOf(key);
    const low = 32768 * Math.SQRT2 * 10 ** (lowDb / 20);
    const high = 32768 * Math.SQRT2 * 10 ** (highDb / 20);
    const piece = new Int16Array((rateHz * (ms + pauseMs)) / 1000);
    for (let i = 0; i < (rateHz * ms) / 1000; i++) {
      const t = (2 * Math.PI * i * (1 + off)) / rateHz;
      piece[i] = Math.round(low * Math.sin(LOW_HZ[index >> 2]! * t) + high * Math.sin(HIGH_HZ[index & 3]! * t));
    }
    return [...piece];
  });
  const all = [...new Int16Array((rateHz * leadMs) / 1000), ...pieces, ...new Int16Array(rateHz / 10)];
  return Int16Array.from(all.slice(0, Math.floor(all.length / (rateHz / 50)) * (rateHz / 50)));
}

interface Found {
  keys: string;
  durationsMs: number[];
  /** Frames of 20 ms that are kept from others. */
  muted: number[];
}

function find(rateHz: number, pcm: Int16Array): Found {
  const detector = new DtmfDetector(rateHz);
  const frame = rateHz / 50;
  const found: Found = { keys: '', durationsMs: [], muted: [] };
  for (let i = 0; i + frame <= pcm.length; i += frame) {
    if (detector.process(pcm, i, frame)) {
      found.keys += detector.key;
      found.durationsMs.push(detector.durationMs);
    }
    if (detector.sounding) found.muted.push(i / frame);
  }
  return found;
}

/** With the key beginning anywhere in a frame. */
const leads = Array.from({ length: 20 }, (_, ms) => 50 + ms);
const share = (rateHz: number, press: Press) =>
  leads.filter((leadMs) => find(rateHz, keypad(rateHz, [press], leadMs)).keys === press.key).length / leads.length;

describe.each([8000, 16000, 48000])('keys in the sound at %i Hz', (rateHz) => {
  test('all sixteen are found, once each, with how long they were pressed', () => {
    const { keys, durationsMs } = find(
      rateHz,
      keypad(
        rateHz,
        [...KEYS].map((key) => ({ key, ms: 100 })),
      ),
    );
    expect(keys).toBe(KEYS);
    for (const durationMs of durationsMs) expect(Math.abs(durationMs - 100)).toBeLessThanOrEqual(20);
  });

  test('a key held for three seconds is one key', () => {
    const { keys, durationsMs } = find(rateHz, keypad(rateHz, [{ key: '5', ms: 3000 }]));
    expect(keys).toBe('5');
    expect(Math.abs(durationsMs[0]! - 3000)).toBeLessThanOrEqual(20);
  });
});

describe('tolerances in the manner of ITU-T Q.24', () => {
  test.each([...KEYS])('%s of 40 ms is found, of 20 ms is not, wherever it begins', (key) => {
    expect(share(8000, { key, ms: 40 })).toBe(1);
    expect(share(8000, { key, ms: 20 })).toBe(0);
  });

  test.each([0.015, -0.015])('frequencies off by %f are those of a key', (off) => {
    for (const key of KEYS) expect(share(8000, { key, ms: 60, off }), key).toBe(1);
  });

  test.each([0.035, -0.035])('frequencies off by %f are not', (off) => {
    for (const key of KEYS) expect(share(8000, { key, ms: 100, off }), key).toBe(0);
  });

  test.each([
    [-10, -18, 1],
    [-18, -14, 1],
    [-10, -22, 0],
    [-20, -10, 0],
    [-36, -36, 1],
    [-9.5, -9.5, 1],
    [-46, -46, 0],
  ])('the lower tone at %f and the higher at %f dBov: %i', (lowDb, highDb, expected) => {
    for (const key of KEYS) expect(share(8000, { key, ms: 60, lowDb, highDb }), key).toBe(expected);
  });

  test('the same key twice with 40 ms between is two keys; a break of 10 ms makes no second one', () => {
    for (const leadMs of leads) {
      const twice = keypad(
        8000,
        [
          { key: '7', ms: 50, pauseMs: 40 },
          { key: '7', ms: 50 },
        ],
        leadMs,
      );
      expect(find(8000, twice).keys).toBe('77');
      const broken = keypad(
        8000,
        [
          { key: '7', ms: 60, pauseMs: 10 },
          { key: '7', ms: 60 },
        ],
        leadMs,
      );
      expect(find(8000, broken).keys).toBe('7');
    }
  });

  test('keys are found in noise 15 dB below them', () => {
    const pcm = keypad(
      8000,
      [...KEYS].map((key) => ({ key, ms: 50, pauseMs: 50 })),
    );
    const hiss = noise(pcm.length, 32768 * Math.sqrt(3) * 10 ** (-25 / 20));
    expect(
      find(
        8000,
        pcm.map((sample, i) => sample + hiss[i]!),
      ).keys,
    ).toBe(KEYS);
  });
});

test.each(['low', 'high'] as const)('talk-off: in speech there is no key, and it is not muted (%s voice)', (voice) => {
  for (const rateHz of [8000, 16000] as const) {
    for (const gain of [1, 4]) {
      const pcm = speech(voice, rateHz).map((sample) => Math.max(-32768, Math.min(32767, sample * gain)));
      const { keys, muted } = find(rateHz, pcm);
      expect(keys).toBe('');
      expect(muted.length / (pcm.length / (rateHz / 50))).toBeLessThan(0.002);
    }
  }
});

test('a key is kept from others but for its first 30 ms', () => {
  for (const leadMs of leads) {
    const { muted } = find(8000, keypad(8000, [{ key: '9', ms: 200 }], leadMs));
    const heardMs = muted[0]! * 20 - leadMs;
    expect(heardMs).toBeLessThanOrEqual(30);
    for (let frame = muted[0]!; frame * 20 < leadMs + 200; frame++) expect(muted).toContain(frame);
  }
});
