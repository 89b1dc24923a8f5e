import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { inspectSoundFile, openFromDisk } from '../../mixer/playback/sound-file.ts';
import { findFfmpeg } from '../../server/recordings/finishing/ffmpeg-binary.ts';
import { SOUND_LIMIT_BYTES, SoundLibrary } from '../../server/sounds/sound-library.ts';
import { distortionDb, levelDb } from '../audio/signals.ts';

const NOW_MS = Date.parse('2026-11-22T12:00:00Z');
let ffmpeg: string;
let made: string;
let directory: string;
let library: SoundLibrary;

beforeAll(async () => {
  ffmpeg = (await findFfmpeg(process.env['PATH'] ?? ''))!;
  made = mkdtempSync(join(tmpdir(), 'parley-made-'));
});
afterAll(() => rmSync(made, { recursive: true }));
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'parley-library-'));
  library = await opened();
});
afterEach(async () => {
  await library.close();
  rmSync(directory, { recursive: true });
});

async function opened(options: Partial<ConstructorParameters<typeof SoundLibrary>[0]> = {}): Promise<SoundLibrary> {
  const log = { info: () => {}, warn: () => {} };
  const usual = { directory, log, findFfmpeg: async () => ffmpeg, epochMs: () => NOW_MS };
  const one = new SoundLibrary({ ...usual, ...options });
  await one.open();
  return one;
}

/** A second of 1 kHz, as ffmpeg writes it to a file of that name. */
function tone(name: string, ...options: string[]): string {
  const path = join(made, name);
  const source = ['-f', 'lavfi', '-i', 'sine=frequency=1000:duration=1:sample_rate=44100'];
  execFileSync(ffmpeg, ['-y', '-loglevel', 'error', ...source, ...options, path]);
  return path;
}

function from(bytes: Uint8Array | string): Readable {
  return Readable.from([Buffer.from(bytes)]);
}

function pcmOf(path: string): Int16Array {
  const wav = readFileSync(path);
  return new Int16Array(wav.buffer.slice(wav.byteOffset + 44, wav.byteOffset + wav.length - (wav.length % 2)));
}

describe('a sound library', () => {
  it.each([
    ['mono.wav', []],
    ['low.wav', ['-ar', '8000']],
    ['stereo.wav', ['-ac', '2', '-ar', '96000']],
    ['alaw.wav', ['-c:a', 'pcm_alaw', '-ar', '8000']],
    ['a.mp3', []],
    ['stereo.mp3', ['-ac', '2']],
    ['a.ogg', []],
    ['opus.ogg', ['-c:a', 'libopus']],
    ['a.m4a', []],
    ['fragments.m4a', ['-movflags', 'frag_keyframe+empty_moov']],
    ['a.flac', []],
    ['a.mka', ['-c:a', 'libopus']],
    ['a.webm', ['-c:a', 'libopus']],
    ['a.aiff', []],
  ])('takes %s, and makes of it what a mixer can play', async (name, options) => {
    const sound = await library.add(from(readFileSync(tone(name, ...options))), name);
    expect(sound).toMatchObject({ name, createdAt: '2026-11-22T12:00:00.000Z' });
    expect(Math.abs(sound.durationMs - 1000)).toBeLessThan(60);
    const path = library.file(sound.id);
    const file = await inspectSoundFile(path, openFromDisk);
    expect(file).toMatchObject({ coding: 'pcm', sampleRateHz: 48_000 });
    expect(Math.abs(1000 * (file.samples / 48_000) - sound.durationMs)).toBeLessThan(1);
    const middle = pcmOf(path).subarray(9600, 38_400);
    expect(distortionDb(middle, 0, middle.length, 1000, 48_000)).toBeLessThan(-20);
    expect(levelDb(middle)).toBeGreaterThan(-28);
    expect(readdirSync(directory).sort()).toEqual([`${sound.id}.json`, `${sound.id}.wav`]);
  });

  const secret = join(tmpdir(), 'parley-not-to-be-read.wav');
  const hostile: [string, () => Buffer | string][] = [
    ['nothing', () => ''],
    ['noise', () => randomBytes(100_000)],
    ['a text', () => 'These are words.\n'.repeat(1000)],
    ['a picture', () => readFileSync(tone('a.png', '-filter_complex', 'showwavespic', '-frames:v', '1'))],
    ['a list of files', () => `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://${secret}\n#EXT-X-ENDLIST\n`],
    ['a list for concat', () => `ffconcat version 1.0\nfile '${secret}'\n`],
    ['a session description', () => 'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nm=audio 4000 RTP/AVP 0\n'],
    ['a play list with an address', () => '#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n'],
    ['a film without sound', () => readFileSync(tone('mute.mp4', ...filmOptions))],
    ['a header and no more', () => readFileSync(tone('cut.wav')).subarray(0, 44)],
    ['an M4A that is cut off before its index', () => readFileSync(tone('cut.m4a')).subarray(0, 4000)],
    ['an Ogg page with a lie for a length', () => Buffer.concat([Buffer.from('OggS\0\x02'), Buffer.alloc(300, 255)])],
  ];
  const filmOptions = ['-f', 'lavfi', '-i', 'color=red:size=64x64:duration=1', '-map', '1:v', '-c:v', 'mpeg4'];

  it.each(hostile)('refuses %s, keeps nothing of it, and goes on', async (_what, content) => {
    writeFileSync(secret, readFileSync(tone('secret.wav')));
    try {
      const refused = library.add(from(content()), 'hostile');
      await expect(refused).rejects.toMatchObject({ code: 'sound-invalid' });
      await expect(refused).rejects.not.toThrow(directory);
    } finally {
      rmSync(secret);
    }
    expect(readdirSync(directory)).toEqual([]);
    expect(library.list()).toEqual([]);
    await expect(library.add(from(readFileSync(tone('good.wav'))), 'good')).resolves.toMatchObject({ name: 'good' });
  });

  it('takes what is there of a file whose header promises more', async () => {
    const wav = readFileSync(tone('liar.wav'));
    wav.writeUInt32LE(0xfffffff0, 4);
    wav.writeUInt32LE(0xffffff00, wav.indexOf('data') + 4);
    const sound = await library.add(from(wav), 'liar');
    expect(Math.abs(sound.durationMs - 1000)).toBeLessThan(60);
  });

  it('says so when an upload is too large or breaks off, and keeps nothing', async () => {
    const piece = Buffer.alloc(10_000_000);
    const endless = Readable.from({
      *[Symbol.iterator]() {
        for (let bytes = 0; bytes <= SOUND_LIMIT_BYTES; bytes += piece.length) yield piece;
      },
    });
    await expect(library.add(endless, 'large')).rejects.toMatchObject({ code: 'sound-too-large' });
    const broken = new PassThrough();
    broken.write('RIFF');
    const adding = library.add(broken, 'broken');
    broken.destroy();
    await expect(adding).rejects.toMatchObject({ code: 'sound-invalid', message: 'the upload broke off' });
    expect(readdirSync(directory)).toEqual([]);
  });

  it('has only so many in the making', async () => {
    const uploads = [1, 2, 3, 4].map(() => new PassThrough());
    const adding = Promise.allSettled(uploads.map((upload) => library.add(upload, 'slow')));
    await expect(library.add(from('x'), 'fifth')).rejects.toMatchObject({ code: 'sounds-unavailable' });
    for (const upload of uploads) upload.destroy();
    const invalid = { status: 'rejected', reason: { code: 'sound-invalid' } };
    expect(await adding).toMatchObject([invalid, invalid, invalid, invalid]);
  });

  it('knows after a start what it had, but for what was in the making or cannot be read', async () => {
    const sound = await library.add(from(readFileSync(tone('kept.wav'))), 'kept');
    writeFileSync(join(directory, '0123456789ab.wav.part'), 'half');
    writeFileSync(join(directory, '0123456789ac.json'), '{');
    const again = await opened();
    expect(again.list()).toEqual([sound]);
    expect(existsSync(join(directory, '0123456789ab.wav.part'))).toBe(false);
    await again.remove(sound.id);
    expect(readdirSync(directory)).toEqual(['0123456789ac.json']);
    expect(() => again.file(sound.id)).toThrow('there is no sound');
    await expect(again.remove('../../etc/passwd')).rejects.toMatchObject({ code: 'sound-not-found' });
  });

  it('says that there is no ffmpeg', async () => {
    const without = await opened({ findFfmpeg: async () => null });
    await expect(without.add(from('x'), 'any')).rejects.toMatchObject({ code: 'sounds-unavailable' });
  });

  it('gives up what is being made when the server stops', async () => {
    const upload = new PassThrough();
    upload.write('RIFF');
    const adding = library.add(upload, 'slow');
    await library.close();
    await expect(adding).rejects.toThrow();
    expect(readdirSync(directory)).toEqual([]);
  });
});
