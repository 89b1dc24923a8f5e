import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { assetsDirectory } from '../../server/prompts/assets-directory.ts';
import { Prompts } from '../../server/prompts/prompts.ts';
import { LANGUAGES, USUAL_KEYS } from '../../server/rooms/policy.ts';

let ownDir: string;
let logged: Record<string, unknown>[];

beforeEach(() => {
  ownDir = mkdtempSync(join(tmpdir(), 'parley-prompts-'));
  logged = [];
});
afterEach(() => rmSync(ownDir, { recursive: true, force: true }));

function prompts(own: string | null = ownDir): Prompts {
  const log = pino({ base: null }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  return new Prompts({ assetsDir: assetsDirectory(), ownDir: own, log });
}

const names = (files: readonly string[]): string[] => files.map((file) => basename(file, '.g722'));

interface Wav {
  tag?: number;
  channels?: number;
  rateHz?: number;
  bits?: number;
  samples?: number;
  /** A chunk before the samples, of so many octets. */
  list?: number;
}

function wav({ tag = 1, channels = 1, rateHz = 16_000, bits = 16, samples = 320, list = 0 }: Wav = {}): Buffer {
  const chunk = (id: string, body: Buffer): Buffer => {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(body.length);
    return Buffer.concat([Buffer.from(id, 'latin1'), size, body, Buffer.alloc(body.length & 1)]);
  };
  const format = Buffer.alloc(16);
  format.writeUInt16LE(tag, 0);
  format.writeUInt16LE(channels, 2);
  format.writeUInt32LE(rateHz, 4);
  format.writeUInt16LE(bits, 14);
  const extra = list > 0 ? [chunk('LIST', Buffer.alloc(list))] : [];
  const body = [chunk('fmt ', format), ...extra, chunk('data', Buffer.alloc(2 * samples))];
  return chunk('RIFF', Buffer.concat([Buffer.from('WAVE', 'latin1'), ...body]));
}

function put(path: string, content: Buffer = wav()): string {
  const file = join(ownDir, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, content);
  return file;
}

describe('prompts without own files', () => {
  it('are files that are there', () => {
    const ours = prompts(null);
    for (const language of LANGUAGES) expect(existsSync(ours.file(language, 'enter-pin'))).toBe(true);
    for (const id of ['join', 'leave', 'recording-tone', 'beep', 'pause'] as const) {
      expect(existsSync(ours.sound(id))).toBe(true);
    }
    expect(ours.music().map((file) => existsSync(file))).toEqual([true]);
    expect(ours.file('en', 'goodbye')).not.toBe(ours.file('de', 'goodbye'));
  });

  it('say how many people there are', () => {
    const ours = prompts(null);
    expect(names(ours.count('en', 0))).toEqual(['participants-none']);
    expect(names(ours.count('de', 1))).toEqual(['participant-one']);
    expect(names(ours.count('en', 14))).toEqual(['there-are', 'number-14', 'participants']);
    expect(names(ours.count('en', 105))).toEqual(['there-are', 'number-100-and', 'number-5', 'participants']);
    expect(names(ours.count('de', 105))).toEqual(['there-are', 'number-100', 'number-5', 'participants']);
    expect(() => ours.count('en', 10_001)).toThrow(RangeError);
  });

  it('say what the keys do', () => {
    const ours = prompts(null);
    expect(names(ours.menuEntry('en', 'count', '*#'))).toEqual(['menu-count', 'key-star', 'key-hash']);
    const short = ours.menu('de', { '*6': 'mute' }, { '*12': 'end' });
    const everybody = ['menu-participant', 'pause', 'menu-mute', 'key-star', 'number-6'];
    const moderators = ['menu-moderator', 'pause', 'menu-end', 'key-star', 'number-1', 'number-2'];
    expect(names(short)).toEqual([...everybody, 'pause', ...moderators]);
    expect(names(ours.menu('en', { '*6': 'mute' }, null))).toEqual(everybody);
    expect(names(ours.menu('en', { '*6': 'mute' }, {}))).toEqual(everybody);
  });

  it('have an entry for each action that keys have', () => {
    const ours = prompts(null);
    for (const language of LANGUAGES) {
      const files = ours.menu(language, USUAL_KEYS.everybody, USUAL_KEYS.moderators);
      expect(names(files).filter((name) => name === 'pause')).toHaveLength(12);
    }
  });

  it('say so when there is none', () => {
    expect(prompts(null).has('en', 'no-such')).toBe(false);
    expect(() => prompts(null).file('en', 'no-such')).toThrow('there is no prompt no-such in en');
    expect(() => prompts(null).menuEntry('en', 'no-such', '*1')).toThrow('there is no prompt menu-no-such in en');
  });
});

describe('own prompts', () => {
  it('go before ours, in their language only, with ours for the rest', () => {
    const file = put('de/goodbye.wav');
    const raw = put('en/number-14.g722', Buffer.alloc(160, 0xfa));
    const own = prompts();
    expect(own.file('de', 'goodbye')).toBe(file);
    expect(own.file('en', 'goodbye')).toBe(prompts(null).file('en', 'goodbye'));
    expect(own.count('en', 14)[1]).toBe(raw);
    expect(logged).toEqual([]);
  });

  it('may be new ones', () => {
    const file = put('en/welcome-acme.wav', wav({ rateHz: 48_000, list: 333 }));
    const own = prompts();
    expect(own.has('en', 'welcome-acme')).toBe(true);
    expect(own.has('de', 'welcome-acme')).toBe(false);
    expect(own.file('en', 'welcome-acme')).toBe(file);
  });

  it('may be chimes and music; own music takes the place of ours', () => {
    const chime = put('sounds/join.wav');
    const second = put('music/b.wav');
    const first = put('music/a.g722', Buffer.alloc(8000, 0xfa));
    const own = prompts();
    expect(own.sound('join')).toBe(chime);
    expect(own.sound('leave')).toBe(prompts(null).sound('leave'));
    expect(own.music()).toEqual([first, second]);
  });

  const bad: [name: string, content: Buffer, reason: RegExp][] = [
    ['goodbye.mp3', Buffer.from('ID3'), /^must be WAV \(PCM, 16 bit, mono, 8, 16 or 48 kHz\) or raw G\.722/],
    ['goodbye.g722', Buffer.alloc(0), /^is empty$/],
    ['goodbye.g722', wav(), /^is a WAV file, so must be called \.wav$/],
    ['goodbye.wav', Buffer.from('not at all'), /^is not a WAV file$/],
    ['goodbye.wav', wav({ channels: 2 }), /^has 2 channels, and must be mono$/],
    ['goodbye.wav', wav({ rateHz: 44_100 }), /^has 44100 Hz, and must have 8000, 16000 or 48000$/],
    ['goodbye.wav', wav({ bits: 24 }), /^has samples of format 1 with 24 bits/],
    ['goodbye.wav', wav({ tag: 3, bits: 32 }), /^has samples of format 3 with 32 bits/],
    ['goodbye.wav', wav({ samples: 0 }), /^has no samples$/],
    ['goodbye.wav', wav().subarray(0, 40), /^has no samples$/],
    ['goodbye.wav', wav().subarray(0, 18), /^has no samples$/],
    ['Good bye.wav', wav(), /^must be called by 1 to 64 of a-z, 0-9 and "-"/],
  ];
  it.each(bad)('that are no good (%s, case %#) are logged, and ours is used', (name, content, reason) => {
    const file = put(`en/${name}`, content);
    const own = prompts();
    expect(own.file('en', 'goodbye')).toBe(prompts(null).file('en', 'goodbye'));
    expect(logged).toHaveLength(1);
    expect(logged[0]).toMatchObject({ level: 40, file, reason: expect.stringMatching(reason) });
  });

  it('that are no files, or not there, are logged, and ours are used', () => {
    mkdirSync(join(ownDir, 'en/goodbye.wav'), { recursive: true });
    symlinkSync('nowhere.wav', join(ownDir, 'en/removed.wav'));
    const own = prompts();
    for (const id of ['goodbye', 'removed']) expect(own.file('en', id)).toBe(prompts(null).file('en', id));
    expect(logged.map(({ reason }) => reason)).toEqual([
      'is no file',
      expect.stringMatching(/^cannot be read: ENOENT/),
    ]);
  });

  it('that are there twice are taken once', () => {
    const raw = put('en/goodbye.g722', Buffer.alloc(160, 0xfa));
    put('en/goodbye.wav');
    expect(prompts().file('en', 'goodbye')).toBe(raw);
    expect(logged[0]).toMatchObject({ reason: `${raw} is there too` });
  });

  it('that nothing plays are logged', () => {
    put('sounds/gong.wav');
    put('fr/goodbye.wav');
    put('.hidden/x.wav');
    prompts();
    expect(logged.map(({ reason }) => reason)).toEqual([
      'only these are looked into: en, de, sounds, music',
      'must be one of join, leave, recording-tone, beep, pause',
    ]);
  });

  it('are at most 1000 in a directory', () => {
    for (let i = 0; i < 1002; i++) put(`en/own-${String(i).padStart(4, '0')}.g722`, Buffer.alloc(1));
    const own = prompts();
    expect(own.has('en', 'own-0999')).toBe(true);
    expect(own.has('en', 'own-1000')).toBe(false);
    expect(logged).toMatchObject([{ files: 1002, used: 1000 }]);
  });

  it('need a directory', () => {
    expect(() => prompts(join(ownDir, 'not-there'))).toThrow(
      /^promptsDir must be a directory that can be read: ENOENT/,
    );
    expect(() => prompts(put('file'))).toThrow(/^promptsDir must be a directory that can be read: ENOTDIR/);
  });
});
