import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSealed } from '../../sealed/read-sealed.ts';
import { sealStream } from '../../sealed/sealer.ts';
import { findFfmpeg } from '../../server/recordings/finishing/ffmpeg-binary.ts';
import { type FinishedFile, Finishing, type FinishingOptions } from '../../server/recordings/finishing/finishing.ts';
import { parseLoudness } from '../../server/recordings/finishing/loudness.ts';
import type { FinishedSource } from '../../server/recordings/finishing/source.ts';
import type { RecordingFileView, RecordingFormat } from '../../server/rooms/views.ts';
import { LONG_TESTS } from '../long-tests.ts';
import { bursts, onsetsMs, type Signal, type Stretch, sine, writeCapture, writePackets } from './captures.ts';
import { play, toneDb } from './tone.ts';

const system = await findFfmpeg(process.env['PATH'] ?? '');
const packaged = await findFfmpeg('');
const KEY = createHash('sha256').update('a key').digest();
/** An Opus encoder's look-ahead, which is in the sound of everybody who hears it. */
const OPUS_DELAY_MS = 6.5;

let directory = '';
let told: RecordingFileView[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'parley-finishing-'));
  told = [];
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function source(durationMs: number, more: Partial<FinishedSource> = {}): FinishedSource {
  const parts = [{ number: 1, startMs: 0 }];
  return {
    id: 'a',
    room: 'demo "x"',
    directory,
    parts,
    videoParts: [],
    durationMs,
    startedAt: '2026-01-02T03:04:05.000Z',
    sealed: false,
    ...more,
  };
}

function finishing(options: Partial<FinishingOptions> = {}): Finishing {
  const log = { warn: () => undefined };
  return new Finishing({ log, key: KEY, changed: (_id, view) => told.push(view), ...options });
}

async function made(
  from: FinishedSource,
  format: RecordingFormat,
  { normalized = false, ...options }: Partial<FinishingOptions> & { normalized?: boolean } = {},
): Promise<Extract<FinishedFile, { ok: true }>> {
  const file = await finishing(options).file(from, format, normalized);
  if (!file.ok) throw new Error(file.reason);
  return file;
}

const path = (name: string): string => join(directory, name);
const whole = (toMs: number) => [{ fromMs: 0, toMs }];
const timeline = (...lines: object[]) =>
  writeFile(path('timeline.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
const joined = (participant: string, name: string) => ({
  t: 0,
  at: '',
  type: 'joined',
  participant,
  name,
  uri: `sip:${participant}`,
});

/** Positions of bursts that are at whole seconds, and how far from them they came out. */
function offsetsMs(samples: Int16Array): { seconds: number[]; worstMs: number } {
  const onsets = onsetsMs(samples);
  const seconds = onsets.map((ms) => Math.round(ms / 1_000));
  return { seconds, worstMs: Math.max(...onsets.map((ms, index) => Math.abs(ms - 1_000 * seconds[index]!))) };
}

function loudnessOf(file: string): { integrated: number; truePeakDb: number } {
  const options = [
    '-hide_banner',
    '-nostdin',
    '-i',
    file,
    '-af',
    'ebur128=peak=true:framelog=verbose',
    '-f',
    'null',
    '-',
  ];
  return parseLoudness(spawnSync(system ?? packaged!, options, { encoding: 'utf8' }).stderr)!;
}

/** An ffmpeg that says what it can do, as is asked of it first, and does something else in the end. */
async function brokenFfmpeg(ending: string): Promise<string> {
  const real = system ?? packaged;
  await writeFile(path('ffmpeg'), `#!/bin/sh\ncase "$1" in -formats|-encoders) exec ${real} "$@";; esac\n${ending}\n`);
  chmodSync(path('ffmpeg'), 0o755);
  return path('ffmpeg');
}

const LOSSLESS_LENGTH: readonly RecordingFormat[] = ['wav', 'mka', 'webm', 'ogg'];

describe.runIf(system !== null || packaged !== null)('sound', () => {
  describe.each([
    ['the system', system],
    ['npm', packaged],
  ])('by the ffmpeg of %s', (_of, ffmpeg) => {
    it.runIf(ffmpeg !== null).each<[RecordingFormat, string]>([
      ['wav', 'pcm_s16le'],
      ['mp3', 'mp3'],
      ['m4a', 'aac'],
      ['mp4', 'aac'],
      ['webm', 'opus'],
      ['ogg', 'opus'],
      ['mka', 'opus'],
    ])('as %s has its place and length, over parts and gaps', { timeout: 60_000 }, async (format, codec) => {
      await writeCapture(path('mix-1.mka'), 'opus', [{ fromMs: 0, toMs: 3_000 }], bursts(440));
      await writeCapture(path('mix-2.mka'), 'opus', whole(2_000), bursts(440), 6_345);
      const parts = [1, 2].map((number) => ({ number, startMs: number === 1 ? 0 : 6_345 }));
      const from = source(9_001, { parts });
      const file = await made(from, format, { findFfmpeg: async () => ffmpeg });

      const bytes = await readFile(file.path);
      expect(file).toMatchObject({ bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });
      expect(statSync(file.path).mode & 0o007).toBe(0);
      const probe = spawnSync(ffmpeg!, ['-hide_banner', '-i', file.path], { encoding: 'utf8' }).stderr;
      expect(probe).toMatch(new RegExp(`Audio: ${codec}.* 48000 Hz, mono`));
      expect(probe).toContain('demo "x"');
      const samples = await play(file.path);
      if (format === 'wav') expect(samples.length).toBe(9_001 * 48);
      else
        expect(Math.abs(samples.length / 48 - 9_001)).toBeLessThanOrEqual(LOSSLESS_LENGTH.includes(format) ? 20 : 50);
      const { seconds, worstMs } = offsetsMs(samples);
      expect(seconds).toEqual([0, 1, 2, 7, 8]);
      expect(worstMs).toBeLessThan(OPUS_DELAY_MS + 3);
      if (format === 'wav') expect(samples.subarray(3_020 * 48, 6_345 * 48).every((sample) => sample === 0)).toBe(true);
      expect(readdirSync(directory).filter((name) => name.endsWith('.part'))).toEqual([]);
      expect(told.at(-1)).toMatchObject({ format, state: 'ready', progress: 1, bytes: bytes.length });
    });
  });

  const speech: Signal = (seconds) => (seconds % 1 < 0.7 ? sine(300, 1)(seconds) + sine(1_100, 0.5)(seconds) : 0);
  it.each<[string, Signal, number]>([
    ['quiet sound', (seconds) => 600 * speech(seconds), 0],
    ['loud sound', (seconds) => 18_000 * speech(seconds), 0],
    // One click in all of it, far above the rest: it may not decide how loud the rest is.
    ['quiet sound with peaks', (s) => (s % 5 < 0.01 ? 30_000 * speech(s) : 900 * speech(s)), 1],
  ])('is brought to -16 LUFS and below -1.5 dB true peak: %s', { timeout: 60_000 }, async (_of, signal, lessLufs) => {
    await writeCapture(path('mix-1.mka'), 'opus', whole(10_000), signal);
    const plain = await made(source(10_000), 'wav');
    const file = await made(source(10_000), 'wav', { normalized: true });
    expect(file.path).not.toBe(plain.path);
    const { integrated, truePeakDb } = loudnessOf(file.path);
    expect(Math.abs(integrated + 16)).toBeLessThanOrEqual(0.2 + lessLufs);
    expect(truePeakDb).toBeLessThanOrEqual(-1.5);
    const [before, after] = [await play(plain.path), await play(file.path)];
    expect(after.length).toBe(before.length);
    // One gain for all of it: where there are no peaks, the ratio is the same at the beginning and at the end.
    const ratioDb = (from: number) =>
      toneDb(after.subarray(from, from + 24_000), 300) - toneDb(before.subarray(from, from + 24_000), 300);
    expect(Math.abs(ratioDb(48_000) - ratioDb(48_000 * 9))).toBeLessThan(0.1);
    expect(Math.abs(onsetsMs(after)[1]! - onsetsMs(before, 48_000, 100)[1]!)).toBeLessThan(20);
  });

  it('of a silent room stays silent when it is normalised', async () => {
    await writeCapture(path('mix-1.mka'), 'opus', whole(1_000), () => 0);
    const samples = await play((await made(source(1_000), 'wav', { normalized: true })).path);
    expect(samples.length).toBe(48_000);
    expect(samples.every((sample) => Math.abs(sample) <= 1)).toBe(true);
  });

  it('is made of what a crash left: a torn packet, noise behind it, a part without sound', async () => {
    await writeCapture(path('mix-1.mka'), 'opus', whole(2_000), sine(440));
    await truncate(path('mix-1.mka'), statSync(path('mix-1.mka')).size - 10);
    await writeFile(path('mix-2.mka'), '');
    await writeCapture(path('mix-3.mka'), 'opus', whole(1_000), sine(440));
    await writeFile(path('mix-3.mka'), Buffer.alloc(4_096), { flag: 'a' });
    const parts = [1, 2, 3].map((number) => ({ number, startMs: (number - 1) * 2_500 }));
    const samples = await play((await made(source(6_000, { parts }), 'wav')).path);
    expect(samples.length).toBe(6_000 * 48);
    expect(toneDb(samples.subarray(5_100 * 48, 5_900 * 48), 440)).toBeGreaterThan(-16);
    expect(toneDb(samples.subarray(2_100 * 48, 4_900 * 48), 440)).toBeLessThan(-90);
  });

  it('that is not there is no file', async () => {
    expect(await finishing().file(source(1_000), 'wav', false)).toEqual({
      ok: false,
      reason: 'there is no sound in what was captured',
    });
    expect(await finishing().file(source(0), 'wav', false)).toEqual({ ok: false, reason: 'nothing was recorded' });
    expect(told.at(-1)).toMatchObject({ state: 'failed', error: 'nothing was recorded' });
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe.runIf(system !== null || packaged !== null)("participants' tracks", () => {
  /** Three participants: codecs change, a mixer dies, packets are missing, somebody comes late. */
  async function captured(): Promise<FinishedSource> {
    const tone = bursts(600);
    await writeCapture(
      path('track-1-aa-1.mka'),
      'PCMU',
      [
        { fromMs: 900, toMs: 2_500 },
        { fromMs: 2_540, toMs: 4_500 },
      ],
      tone,
    );
    await writeCapture(path('track-1-aa-2.mka'), 'G722', [{ fromMs: 4_600, toMs: 5_500 }], tone);
    await writeCapture(path('track-2-aa-1.mka'), 'G722', [{ fromMs: 500, toMs: 3_000 }], tone, 6_210);
    await writeCapture(
      path('track-1-bb-1.mka'),
      'opus',
      [
        { fromMs: 0, toMs: 1_500 },
        { fromMs: 4_500, toMs: 5_500 },
      ],
      tone,
    );
    await writeCapture(path('track-2-bb-1.mka'), 'L16/16000', [{ fromMs: 0, toMs: 3_000 }], tone, 6_210);
    await writeCapture(path('track-2-cc-1.mka'), 'PCMA', [{ fromMs: 2_000, toMs: 3_000 }], tone, 6_210);
    await timeline(joined('aa', 'Ann'), joined('bb', '../../Bob: "B" \u202e\n'), {
      t: 1_000,
      at: '',
      type: 'talking',
      participant: 'aa',
      on: true,
    });
    return source(9_500, {
      parts: [
        { number: 1, startMs: 0 },
        { number: 2, startMs: 6_210 },
      ],
    });
  }
  const SECONDS: Record<string, number[]> = { aa: [1, 2, 3, 4, 5, 7, 8, 9], bb: [0, 1, 5, 7, 8, 9], cc: [9] };

  it('are FLAC of the same length in a zip, each in its place', { timeout: 60_000 }, async () => {
    const { path: zip } = await made(await captured(), 'zip');
    const unzipped = spawnSync('python3', ['-m', 'zipfile', '-e', zip, path('out')], { encoding: 'utf8' });
    expect(unzipped.stderr).toBe('');
    const names = readdirSync(path('out')).sort();
    expect(names).toEqual(['01 _.._Bob_ _B_ _.flac', '02 Ann.flac', '03 cc.flac', 'captions.vtt', 'timeline.jsonl']);
    for (const [index, leg] of [
      [0, 'bb'],
      [1, 'aa'],
      [2, 'cc'],
    ] as const) {
      const samples = await play(join(directory, 'out', names[index]!));
      expect(samples.length).toBe(9_500 * 48);
      const { seconds, worstMs } = offsetsMs(samples);
      expect([leg, seconds]).toEqual([leg, SECONDS[leg]]);
      expect(worstMs).toBeLessThan(10);
    }
    expect(readFileSync(path('out/timeline.jsonl'))).toEqual(readFileSync(path('timeline.jsonl')));
    expect(readFileSync(path('out/captions.vtt'), 'utf8')).toContain('00:00:01.000 --> 00:00:09.500\n<v Ann>');
    expect(readdirSync(directory).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('are in one file, each with its name', { timeout: 60_000 }, async () => {
    const { path: file } = await made(await captured(), 'tracks');
    const probe = spawnSync(system ?? packaged!, ['-hide_banner', '-i', file], { encoding: 'utf8' }).stderr;
    expect(probe.match(/Audio: flac.*mono/g)).toHaveLength(3);
    expect(probe.match(/title +: (Ann|cc|.*Bob)/g)).toHaveLength(3);
    expect(probe).toContain('Duration: 00:00:09.50');
  });

  it.each(['PCMU', 'G722', 'opus'] as const)(
    'of %s stay in their places while their time line is set anew, forth and back',
    { timeout: 60_000 },
    async (codec) => {
      // Clocks that run 0.5 % fast and slow: each 3 s they are 15 ms off, and are set right.
      const [fast, slow]: Stretch[][] = [[], []];
      for (let ms = 0; ms < 60_000; ms += 3_000) {
        fast!.push({ fromMs: ms, toMs: ms + 2_980 });
        slow!.push({ fromMs: ms, toMs: ms + 3_020 });
      }
      await writeCapture(path('track-1-aa-1.mka'), codec, fast!, bursts(600));
      await writeCapture(path('track-1-bb-1.mka'), codec, slow!, bursts(600));
      const { path: zip } = await made(source(60_000), 'zip');
      spawnSync('python3', ['-m', 'zipfile', '-e', zip, path('out')]);
      for (const name of ['01 aa.flac', '02 bb.flac']) {
        const samples = await play(join(directory, 'out', name));
        expect(samples.length).toBe(60_000 * 48);
        const { seconds, worstMs } = offsetsMs(samples);
        expect(seconds).toEqual(Array.from({ length: 60 }, (_, second) => second));
        expect(worstMs).toBeLessThan(20);
      }
    },
  );

  it.each([
    ['PCMU', 0],
    ['opus', 1],
    ['L16/16000', 0],
    // It has no code for nothing; -56 dBFS, for 2 ms each ten seconds.
    ['G722', 64],
  ] as const)(
    'of %s are silent in a long gap, also when sound was cut off',
    { timeout: 60_000 },
    async (codec, most) => {
      const stretches = [
        { fromMs: 0, toMs: 1_030 },
        { fromMs: 40_950, toMs: 41_500 },
      ];
      await writeCapture(path('track-1-aa-1.mka'), codec, stretches, bursts(600));
      const { path: file } = await made(source(70_000), 'tracks');
      const samples = await play(file);
      expect(offsetsMs(samples).seconds).toEqual([0, 1, 41]);
      const loudest = (fromMs: number, toMs: number) =>
        samples.subarray(fromMs * 48, toMs * 48).reduce((loud, sample) => Math.max(loud, Math.abs(sample)), 0);
      expect(loudest(1_150, 40_940)).toBeLessThanOrEqual(most);
      expect(loudest(41_600, 70_000)).toBeLessThanOrEqual(most);
    },
  );

  it('are in step at the end of a long recording as at its beginning', { timeout: 180_000 }, async () => {
    const endMs = (LONG_TESTS ? 30 : 5) * 60_000;
    await writeCapture(path('track-1-aa-1.mka'), 'PCMU', whole(endMs), bursts(600));
    const brief = [
      { fromMs: 1_000, toMs: 2_000 },
      { fromMs: endMs - 2_000, toMs: endMs },
    ];
    await writeCapture(path('track-1-bb-1.mka'), 'G722', brief, bursts(600));
    const { path: zip } = await made(source(endMs), 'zip');
    spawnSync('python3', ['-m', 'zipfile', '-e', zip, path('out')]);
    for (const [name, count] of [
      ['01 aa.flac', endMs / 1_000],
      ['02 bb.flac', 3],
    ] as const) {
      const samples = await play(join(directory, 'out', name));
      expect(samples.length).toBe(endMs * 48);
      const { seconds, worstMs } = offsetsMs(samples);
      expect(seconds).toHaveLength(count);
      expect(seconds.at(-1)).toBe(endMs / 1_000 - 1);
      expect(worstMs).toBeLessThan(3);
    }
  });

  it.each([
    ['the system', system],
    ['npm', packaged],
  ])('of what is no sound harm nobody: by the ffmpeg of %s', { timeout: 60_000 }, async (_of, ffmpeg) => {
    const noise = (index: number) =>
      createHash('shake256', { outputLength: index % 300 })
        .update(String(index))
        .digest();
    const packets = Array.from({ length: 500 }, (_, index) => noise(index));
    for (const codec of ['opus', 'G722', 'PCMU', 'L16/16000'] as const) {
      await writePackets(path(`track-1-${codec.slice(0, 3)}-1.mka`), codec, packets);
    }
    await writePackets(path('track-1-no-1.mka'), 'opus', Array(500).fill(Uint8Array.of(0xff, 0xff, 0xff)));
    await writeCapture(path('track-1-xx-1.mka'), 'opus', whole(10_000), bursts(600));
    const { path: zip } = await made(source(10_000), 'zip', { findFfmpeg: async () => ffmpeg });
    spawnSync('python3', ['-m', 'zipfile', '-e', zip, path('out')]);
    const tracks = readdirSync(path('out')).filter((name) => name.endsWith('.flac'));
    expect(tracks).toHaveLength(6);
    for (const name of tracks) {
      const samples = await play(join(directory, 'out', name));
      expect(samples.length).toBe(10_000 * 48);
      if (name.includes('xx')) expect(offsetsMs(samples).seconds).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
  });

  it('that were not captured make no file', async () => {
    await writeCapture(path('mix-1.mka'), 'opus', whole(1_000), sine(440));
    expect(await finishing().file(source(1_000), 'zip', false)).toEqual({
      ok: false,
      reason: 'no tracks of participants were captured',
    });
  });
});

describe.runIf(system !== null || packaged !== null)('other files', () => {
  it('the waveform is a picture of 1200 by 200, dark where there is sound', async () => {
    await writeCapture(path('mix-1.mka'), 'opus', whole(4_000), (s) => (s >= 1 && s < 2 ? sine(440, 16_000)(s) : 0));
    const { path: picture } = await made(source(4_000), 'png');
    const bytes = await readFile(picture);
    expect(bytes.subarray(1, 4).toString()).toBe('PNG');
    expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([1_200, 200]);
    const raw = spawnSync(
      system ?? packaged!,
      ['-v', 'error', '-i', picture, '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'],
      {
        maxBuffer: 1 << 24,
      },
    ).stdout;
    const accentIn = (fromColumn: number, toColumn: number): number => {
      let count = 0;
      for (let y = 0; y < 200; y++)
        for (let x = fromColumn; x < toColumn; x++) if (raw[(y * 1_200 + x) * 3]! === 0x0b) count++;
      return count / (200 * (toColumn - fromColumn));
    };
    // √(16000/32768/√2) of the height.
    expect(accentIn(310, 590)).toBeGreaterThan(0.55);
    expect(accentIn(310, 590)).toBeLessThan(0.62);
    expect(accentIn(0, 290) + accentIn(615, 1_200)).toBeLessThan(0.01);
  });

  it('captions and time line need no sound and no ffmpeg', async () => {
    await timeline(joined('a', 'Ann'), { t: 10, at: '', type: 'talking', participant: 'a', on: true });
    const findNone = { findFfmpeg: async () => null };
    const vtt = await made(source(2_000), 'vtt', findNone);
    expect(await readFile(vtt.path, 'utf8')).toBe('WEBVTT\n\n00:00:00.010 --> 00:00:02.000\n<v Ann>Ann</v>\n');
    const jsonl = await made(source(2_000), 'jsonl', findNone);
    expect(await readFile(jsonl.path)).toEqual(await readFile(path('timeline.jsonl')));
    expect(await finishing(findNone).file(source(2_000), 'wav', false)).toEqual({
      ok: false,
      reason: 'there is no ffmpeg on this machine',
    });
  });
});

describe.runIf(system !== null || packaged !== null)('an encrypted recording', () => {
  async function seal(name: string): Promise<void> {
    const { createReadStream, createWriteStream } = await import('node:fs');
    const { pipeline } = await import('node:stream/promises');
    await pipeline(createReadStream(path(name)), sealStream(KEY), createWriteStream(path(`${name}.sealed`)));
    await rm(path(name));
  }

  it('has nothing but encrypted files, which hold what plain ones do', { timeout: 60_000 }, async () => {
    await writeCapture(path('mix-1.mka'), 'opus', whole(3_000), bursts(440));
    await writeCapture(path('track-1-aa-1.mka'), 'PCMU', whole(3_000), bursts(440));
    await timeline(joined('aa', 'Ann'));
    for (const name of ['mix-1.mka', 'track-1-aa-1.mka', 'timeline.jsonl']) await seal(name);
    for (const format of ['wav', 'mp4', 'zip', 'vtt', 'png'] as const) {
      const file = await made(source(3_000, { sealed: true }), format);
      expect(file.path).toMatch(/finished-.*\.sealed$/);
      const plain: Buffer[] = [];
      for await (const piece of readSealed(file.path, KEY)) plain.push(piece);
      const bytes = Buffer.concat(plain);
      expect(file).toMatchObject({ bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });
      if (format !== 'wav') continue;
      await writeFile(path('out.wav'), bytes);
      expect(offsetsMs(await play(path('out.wav'))).seconds).toEqual([0, 1, 2]);
      await rm(path('out.wav'));
    }
    expect(readdirSync(directory).filter((name) => !name.endsWith('.sealed'))).toEqual([]);
  });

  it('cannot be finished without its key, or with another', async () => {
    await writeCapture(path('mix-1.mka'), 'opus', whole(1_000), sine(440));
    await seal('mix-1.mka');
    const from = source(1_000, { sealed: true });
    expect(await finishing({ key: null }).file(from, 'wav', false)).toEqual({
      ok: false,
      reason: 'it is encrypted, and there is no recordingKey',
    });
    const wrong = await finishing({ key: Buffer.alloc(32) }).file(from, 'wav', false);
    expect(wrong).toMatchObject({ ok: false, reason: expect.stringContaining('wrong-key') });
    expect(readdirSync(directory)).toEqual(['mix-1.mka.sealed']);
  });
});

describe.runIf(system !== null || packaged !== null)('ffmpeg', () => {
  beforeEach(() => writeCapture(path('mix-1.mka'), 'opus', whole(2_000), sine(440)));

  it('that is killed once is started again, and the file is whole', async () => {
    const ending = `if [ -e ${path('killed')} ]; then exec ${system ?? packaged} "$@"; fi; touch ${path('killed')}; kill -9 $$`;
    const ffmpeg = await brokenFfmpeg(ending);
    const file = await made(source(2_000), 'wav', { findFfmpeg: async () => ffmpeg });
    expect((await play(file.path)).length).toBe(96_000);
    expect(told.map(({ state }) => state)).toContain('ready');
  });

  it('that is killed again and again makes the job fail', async () => {
    const ffmpeg = await brokenFfmpeg(`echo x >> ${path('runs')}; echo "last words" >&2; kill -9 $$`);
    const file = await finishing({ findFfmpeg: async () => ffmpeg }).file(source(2_000), 'wav', false);
    expect(file).toEqual({ ok: false, reason: expect.stringMatching(/SIGKILL.*last words/) });
    expect(readFileSync(path('runs'), 'utf8')).toBe('x\nx\nx\nx\n');
    expect(readdirSync(directory).sort()).toEqual(['ffmpeg', 'mix-1.mka', 'runs']);
  });

  it('of a server before this one may have left something, which goes', async () => {
    for (const name of ['finished-mix.wav.part', 'finished-mix.wav.sealed.part']) await writeFile(path(name), 'half');
    const file = await made(source(2_000), 'wav');
    expect((await play(file.path)).length).toBe(96_000);
    expect(readdirSync(directory).sort()).toEqual(['finished-mix.wav', 'mix-1.mka']);
  });

  it('that fails says why, and is not started again', async () => {
    const words = 'av_interleaved_write_frame(): No space left on device';
    const full = await brokenFfmpeg(`echo x >> ${path('runs')}; echo "${words}" >&2; exit 1`);
    expect(await finishing({ findFfmpeg: async () => full }).file(source(2_000), 'wav', false)).toEqual({
      ok: false,
      reason: 'the disk is full',
    });
    const other = await brokenFfmpeg('echo "Disk quota exceeded" >&2; exit 1');
    expect(await finishing({ findFfmpeg: async () => other }).file(source(2_000), 'wav', false)).toEqual({
      ok: false,
      reason: expect.stringContaining('Disk quota exceeded'),
    });
    expect(readFileSync(path('runs'), 'utf8')).toBe('x\n');
    expect(readdirSync(directory).sort()).toEqual(['ffmpeg', 'mix-1.mka', 'runs']);
  });

  it('that says that it could not write the end has made no file, though it calls that no failure', async () => {
    const real = system ?? packaged;
    const words = 'Error writing trailer of x: No space left on device';
    const ffmpeg = await brokenFfmpeg(`${real} "$@"; echo "${words}" >&2; exit 0`);
    expect(await finishing({ findFfmpeg: async () => ffmpeg }).file(source(2_000), 'wav', false)).toEqual({
      ok: false,
      reason: 'the disk is full',
    });
    expect(readdirSync(directory).sort()).toEqual(['ffmpeg', 'mix-1.mka']);
  });

  it('that makes a file of another length has made none', async () => {
    const real = system ?? packaged;
    const ffmpeg = await brokenFfmpeg(
      `for last; do :; done; exec ${real} -v error -f lavfi -i sine=d=1 -y -f wav "$last"`,
    );
    expect(await finishing({ findFfmpeg: async () => ffmpeg }).file(source(2_000), 'wav', false)).toEqual({
      ok: false,
      reason: 'the file came out 1000 ms long instead of 2000',
    });
    expect(readdirSync(directory).sort()).toEqual(['ffmpeg', 'mix-1.mka']);
  });

  it('is stopped at once when the recording is removed, and leaves nothing', async () => {
    const ffmpeg = await brokenFfmpeg(`touch ${path('runs')}; exec sleep 60`);
    const jobs = finishing({ findFfmpeg: async () => ffmpeg });
    const file = jobs.file(source(2_000), 'wav', false);
    await expect.poll(() => readdirSync(directory), { timeout: 10_000 }).toContain('runs');
    await jobs.remove('a');
    expect(await file).toEqual({ ok: false, reason: 'it was cancelled' });
    expect(readdirSync(directory).sort()).toEqual(['ffmpeg', 'mix-1.mka', 'runs']);
  });
});
