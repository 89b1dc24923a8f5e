import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DtmfDetector } from '../../mixer/audio/dtmf-detector.ts';
import { createG722Decoder } from '../../mixer/codec/g722.ts';
import { assetsDirectory } from '../../server/prompts/assets-directory.ts';
import { goertzelLevelDb } from '../audio/goertzel.ts';
import { levelDb } from '../audio/signals.ts';

const RATE_HZ = 16_000;
/** 20 ms. */
const FRAME = 320;
const LANGUAGES = ['en', 'de'] as const;

const assets = assetsDirectory();
const textsOf = (language: string): Record<string, string> =>
  JSON.parse(readFileSync(join(assets, 'prompts', language, 'prompts.json'), 'utf8'));
const filesIn = (folder: string): string[] =>
  readdirSync(join(assets, folder)).filter((name) => name.endsWith('.g722'));

function decoded(file: string): Int16Array {
  const bytes = readFileSync(join(assets, file));
  const pcm = new Int16Array(2 * bytes.length);
  expect(createG722Decoder().decode(bytes, pcm, 0)).toBe(pcm.length);
  return pcm;
}

const peak = (pcm: Int16Array): number => pcm.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const frameLevels = (pcm: Int16Array): number[] =>
  Array.from({ length: Math.floor(pcm.length / FRAME) }, (_, i) => levelDb(pcm, i * FRAME, (i + 1) * FRAME));

/** RMS of the 20 ms frames that are at most 20 dB below the loudest, dBov. */
function activeLevelDb(pcm: Int16Array): number {
  const levels = frameLevels(pcm);
  const active = levels.filter((level) => level >= Math.max(...levels) - 20);
  return 10 * Math.log10(active.reduce((sum, level) => sum + 10 ** (level / 10), 0) / active.length);
}

/** The strongest of some frequencies in a part of the sound. */
function strongest(pcm: Int16Array, fromSeconds: number, seconds: number, frequenciesHz: number[]): number {
  const level = (hz: number) => goertzelLevelDb(pcm, fromSeconds * RATE_HZ, seconds * RATE_HZ, hz, RATE_HZ);
  return frequenciesHz.reduce((best, hz) => (level(hz) > level(best) ? hz : best));
}

describe('the prompts that come with the server', () => {
  it('are the same in each language, but for the numbers', () => {
    const ids = (language: string) => Object.keys(textsOf(language)).filter((id) => !id.startsWith('number-'));
    expect(ids('de')).toEqual(ids('en'));
    expect(ids('en').length).toBeGreaterThan(50);
  });

  for (const language of LANGUAGES) {
    const texts = textsOf(language);
    const folder = join('prompts', language);

    it(`have a file for each text in ${language}, and none besides`, () => {
      expect(filesIn(folder).sort()).toEqual(
        Object.keys(texts)
          .map((id) => `${id}.g722`)
          .sort(),
      );
    });

    it.each(Object.entries(texts))(`are clean speech in ${language}: %s`, (id, text) => {
      const pcm = decoded(join(folder, `${id}.g722`));
      expect(pcm.length % FRAME).toBe(0);
      expect(activeLevelDb(pcm)).toBeGreaterThan(-23);
      expect(activeLevelDb(pcm)).toBeLessThan(-21);
      expect(peak(pcm)).toBeLessThan(32768 * 0.9);
      // Begins and ends in silence: no click between files.
      expect(levelDb(pcm, 0, FRAME)).toBeLessThan(-65);
      expect(levelDb(pcm, pcm.length - FRAME)).toBeLessThan(-65);
      // No text is spoken faster than 20 characters a second, or slower than a short word is.
      const seconds = pcm.length / RATE_HZ;
      expect(seconds).toBeGreaterThan(text.length / 20);
      expect(seconds).toBeLessThan(0.7 + text.length / 9);
    });
  }
});

describe('the sounds that come with the server', () => {
  it('are chimes that rise for who comes, and fall for who goes', () => {
    const notes = [659, 880];
    for (const [id, first, second] of [
      ['join', 659, 880],
      ['leave', 880, 659],
    ] as const) {
      const pcm = decoded(`sounds/${id}.g722`);
      expect(strongest(pcm, 0.02, 0.15, notes)).toBe(first);
      expect(strongest(pcm, 0.3, 0.2, notes)).toBe(second);
      expect(activeLevelDb(pcm)).toBeCloseTo(-26, 0);
      expect(pcm.length / RATE_HZ).toBeLessThan(1);
    }
  });

  it('are a recording tone of half a second of 1400 Hz', () => {
    const pcm = decoded('sounds/recording-tone.g722');
    const loud = frameLevels(pcm).filter((level) => level > -30).length;
    expect(loud).toBeGreaterThanOrEqual(24);
    expect(loud).toBeLessThanOrEqual(26);
    const level = goertzelLevelDb(pcm, 0.1 * RATE_HZ, 0.4 * RATE_HZ, 1400, RATE_HZ);
    expect(level).toBeGreaterThan(-23);
    expect(level).toBeLessThan(-21);
  });

  it('are a beep of a quarter of a second, and a pause', () => {
    expect(activeLevelDb(decoded('sounds/beep.g722'))).toBeCloseTo(-25, 0);
    const pause = decoded('sounds/pause.g722');
    expect(pause.length / RATE_HZ).toBe(0.4);
    expect(levelDb(pause)).toBeLessThan(-80);
  });
});

describe('the music that comes with the server', () => {
  const pcm = decoded('music/waiting.g722');

  it('is 30 to 60 seconds, quiet, with nothing that startles', () => {
    expect(pcm.length / RATE_HZ).toBeGreaterThan(30);
    expect(pcm.length / RATE_HZ).toBeLessThan(60);
    expect(levelDb(pcm)).toBeCloseTo(-30, 0);
    expect(peak(pcm)).toBeLessThan(32768 * 0.2);
  });

  it('can begin again at its end without a click or a long gap', () => {
    expect(levelDb(pcm, pcm.length - FRAME)).toBeLessThan(-75);
    expect(Math.abs(pcm[0]!)).toBeLessThan(10);
    const sounding = frameLevels(pcm).map((level) => level > -60);
    expect(sounding.indexOf(true)).toBeLessThan(5);
    expect(sounding.length - sounding.lastIndexOf(true)).toBeLessThan(150);
  });
});

describe('no sound that comes with the server', () => {
  const folders = ['prompts/en', 'prompts/de', 'sounds', 'music'];

  it.each(folders)('is taken for a key, where a phone sends it back: %s', (folder) => {
    const keys: string[] = [];
    for (const name of filesIn(folder)) {
      const pcm = decoded(join(folder, name));
      const detector = new DtmfDetector(RATE_HZ);
      for (let at = 0; at < pcm.length; at += FRAME) {
        if (detector.process(pcm, at, FRAME)) keys.push(`${name} ${detector.key}`);
      }
    }
    expect(keys).toEqual([]);
  });
});
