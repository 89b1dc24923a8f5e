import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Sealer } from '../../sealed/sealer.ts';
import type { ControlError } from '../../server/focus/control.ts';
import type { FileToMake, MakeResult } from '../../server/recordings/finishing/finished-file.ts';
import { Recordings, type RecordingsOptions } from '../../server/recordings/recordings.ts';
import { Timeline } from '../../server/recordings/timeline.ts';
import type { RecordingView } from '../../server/rooms/views.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';
import { sine, writeCapture } from './captures.ts';

const startedMs = Date.parse('2026-01-02T03:04:05.678Z');
const KEY = Buffer.alloc(32, 7);

let directory = '';
let warnings: string[] = [];
let nowMs = startedMs;
const open: Recordings[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'parley-recordings-'));
  warnings = [];
  nowMs = startedMs;
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((recordings) => recordings.close(0)));
  await rm(directory, { recursive: true, force: true });
});

/** With files that are made at once, of nothing. */
async function openRecordings(options: Partial<RecordingsOptions> = {}): Promise<Recordings> {
  const log = { info: () => undefined, warn: (_fields: object, message: string) => warnings.push(message) };
  const finishing = { make: makeNothing, findFfmpeg: async () => null };
  const recordings = new Recordings({ directory, log, now: () => nowMs, finishing, ...options });
  open.push(recordings);
  await recordings.open();
  return recordings;
}

async function makeNothing({ source, format }: FileToMake): Promise<MakeResult> {
  const path = join(source.directory, `finished-${format}`);
  await writeFile(path, source.id);
  return { ok: true, path, bytes: source.id.length, sha256: 'ab' };
}

/** Until what goes on with files is over, however long the disk takes. */
const until = (condition: () => void | Promise<void>) => vi.waitFor(condition, { timeout: 15_000 });

/** What a mixer does between `begin` and `ended`. */
const capture = (path: string, seconds: number) =>
  writeCapture(path, 'opus', [{ fromMs: 0, toMs: seconds * 1000 }], sine(440));

const begin = async (recordings: Recordings, room = 'demo') => {
  const begun = await recordings.begin({ room, startedBy: 'moderator', tracks: false });
  recordings.begun(begun.id, ['Ann']);
  return begun;
};

async function record(recordings: Recordings, seconds: number, room = 'demo'): Promise<string> {
  const { id, directory: place } = await begin(recordings, room);
  await capture(join(place, 'mix-1.mka'), seconds);
  nowMs = startedMs + 3000;
  await recordings.ended(id, { durationMs: seconds * 1000, error: null });
  return id;
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: ControlError) => error.code,
  );

describe('recordings', () => {
  it('are listed from their beginning to their end, by room', async () => {
    const recordings = await openRecordings();
    const { id, directory: place, key } = await recordings.begin({ room: 'demo', startedBy: 'keys', tracks: true });
    expect([place, key, recordings.list()]).toEqual([join(directory, id), null, []]);
    const begun = recordings.begun(id, ['Ann']);
    expect(begun).toEqual({
      ...{ id, room: 'demo', state: 'recording', startedAt: '2026-01-02T03:04:05.678Z', stoppedAt: null },
      ...{ durationMs: null, bytes: null, error: null, startedBy: 'keys', tracks: true, encrypted: false },
      ...{ participants: ['Ann'], files: [], video: false, videoError: null },
    });
    await capture(join(place, 'mix-1.mka'), 2);
    nowMs += 3000;
    const ended = await recordings.ended(id, { durationMs: 2000, error: null });
    const { size: bytes } = await stat(join(place, 'mix-1.mka'));
    const stoppedAt = '2026-01-02T03:04:08.678Z';
    expect(ended).toEqual({ ...begun, state: 'stopped', stoppedAt, durationMs: 2000, bytes });

    await record(recordings, 1, 'other');
    expect(recordings.list('demo')).toEqual([ended]);
    expect(recordings.list()).toHaveLength(2);
    expect(recordings.list('nowhere')).toEqual([]);
  });

  it('are there again after a restart', async () => {
    const before = await openRecordings();
    await record(before, 1);
    await before.close(0);
    expect((await openRecordings()).list()).toEqual(before.list());
  });

  it('tell of each change', async () => {
    const recordings = await openRecordings();
    const told: string[] = [];
    const unsubscribe = recordings.subscribe((change, { state }) => told.push(`${change} ${state}`));
    const id = await record(recordings, 1);
    await recordings.remove(id);
    expect(told).toEqual(['recording-changed recording', 'recording-changed stopped', 'recording-removed stopped']);
    unsubscribe();
    await record(recordings, 1);
    expect(told).toHaveLength(3);
  });

  it('count their picture, and know where its parts begin after a crash, too', async () => {
    const before = await openRecordings();
    const told: boolean[] = [];
    before.subscribe((_change, { video }) => told.push(video));
    const { id, directory: place } = await begin(before);
    await capture(join(place, 'mix-1.mka'), 1);
    const parts = [
      { number: 1, startMs: 200 },
      { number: 2, startMs: 700 },
    ];
    await before.setVideoParts(id, parts.slice(0, 1));
    await before.setVideoParts(id, parts);
    // Whoever shows it is told once that there is a picture.
    expect(told.filter((video) => video)).toHaveLength(1);
    await writeFile(join(place, 'video-1.mkv'), '12345');
    before.changed(id, { videoError: 'the disk is too slow' });
    await before.close(0);
    const after = await openRecordings({ formats: ['m4a', 'poster'] });
    const { size } = await stat(join(place, 'mix-1.mka'));
    expect(after.get(id)).toMatchObject({ state: 'stopped', video: true, videoError: 'the disk is too slow' });
    expect(after.get(id).bytes).toBe(size + 5);
    expect(after.get(id).files.map(({ format }) => format)).toEqual(['m4a', 'poster']);
    expect(JSON.parse(await readFile(join(place, 'recording.json'), 'utf8')).videoParts).toEqual(parts);
    expect((await after.file(id, 'mp4')).contentType).toBe('video/mp4');
    await after.remove(id);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('have no poster and no sheet made of themselves where there is no picture', async () => {
    const recordings = await openRecordings({ formats: ['m4a', 'poster', 'sheet'] });
    const id = await record(recordings, 1);
    expect(recordings.get(id).files.map(({ format }) => format)).toEqual(['m4a']);
    expect((await recordings.file(id, 'mp4')).contentType).toBe('audio/mp4');
  });

  it('keep what was recorded before a failure, in all parts', async () => {
    const recordings = await openRecordings();
    const { id, directory: place } = await begin(recordings);
    await capture(join(place, 'mix-1.mka'), 1);
    await recordings.setParts(id, [
      { number: 1, startMs: 0 },
      { number: 2, startMs: 1500 },
    ]);
    await capture(join(place, 'mix-2.mka'), 1);
    await writeFile(join(place, 'track-2-ann-1.mka'), '12345');
    const failed = await recordings.ended(id, { durationMs: null, error: 'the disk is full' });
    expect(failed).toMatchObject({ state: 'failed', error: 'the disk is full', durationMs: 2500 });
    const sizes = ['mix-1.mka', 'mix-2.mka', 'track-2-ann-1.mka'].map(
      async (name) => (await stat(join(place, name))).size,
    );
    expect(failed.bytes).toBe((await Promise.all(sizes)).reduce((sum, size) => sum + size));
    expect(recordings.failed).toBe(1);
  });

  it('have names that owe nothing to what the room is called', async () => {
    const recordings = await openRecordings();
    const room = '../../x "y"\r\n;ü';
    const id = await record(recordings, 1, room);
    expect(id).toMatch(/^20260102-030405-[0-9a-f]{12}$/);
    expect((await recordings.file(id, 'mp3')).fileName).toBe('_x_y_-20260102-030405.mp3');
    await recordings.close(0);
    expect((await openRecordings()).list(room)).toHaveLength(1);
  });
});

describe('what a crash left', () => {
  it('running is stopped at the next start, as long as what is on the disk', async () => {
    const before = await openRecordings();
    const { id, directory: place } = await begin(before);
    await capture(join(place, 'mix-1.mka'), 3);
    const { size } = await stat(join(place, 'mix-1.mka'));
    await truncate(join(place, 'mix-1.mka'), size - 1000);
    before.changed(id, { state: 'paused' });
    const nothing = await begin(before);
    await before.close(0);
    await writeFile(join(place, 'finished-mix.wav.part'), 'half');

    const after = await openRecordings();
    const found = after.get(id);
    expect(found).toMatchObject({ state: 'stopped', bytes: size - 1000, error: null });
    expect(found.durationMs).toBeGreaterThan(2000);
    expect(found.durationMs).toBeLessThan(3000);
    const { mtimeMs } = await stat(join(place, 'mix-1.mka'));
    expect(found.stoppedAt).toBe(new Date(Math.round(mtimeMs)).toISOString());
    expect(after.get(nothing.id)).toMatchObject({
      ...{ state: 'failed', durationMs: 0, stoppedAt: found.startedAt },
      error: 'the server ended before anything was recorded',
    });
    expect(readdirSync(place).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('encrypted is measured with its key; without it, or with another, nobody can say', async () => {
    const before = await openRecordings({ key: KEY.toString('base64') });
    const { id, directory: place, key } = await begin(before);
    expect(key).toBe(KEY.toString('base64'));
    await capture(join(place, 'plain'), 2);
    const sealer = new Sealer(KEY, 'as written');
    await writeFile(join(place, 'mix-1.mka.sealed'), sealer.seal(readFileSync(join(place, 'plain'))));
    await before.close(0);
    const entry = await readFile(join(place, 'recording.json'));
    expect((await openRecordings({ key: KEY.toString('base64') })).get(id)).toMatchObject({
      ...{ state: 'stopped', durationMs: 2000, encrypted: true },
    });
    await open.at(-1)!.close(0);
    await writeFile(join(place, 'recording.json'), entry);
    const unread = 'the server ended, and what was recorded cannot be read: ';
    expect((await openRecordings()).get(id)).toMatchObject({
      state: 'failed',
      error: `${unread}it is encrypted, and there is no recordingKey`,
    });
    await open.at(-1)!.close(0);
    await writeFile(join(place, 'recording.json'), entry);
    expect((await openRecordings({ key: Buffer.alloc(32, 8).toString('base64') })).get(id)).toMatchObject({
      state: 'failed',
      error: expect.stringContaining('wrong-key'),
    });
  });

  it('of one that was just to begin, or as good as removed, goes away', async () => {
    mkdirSync(join(directory, '20260102-030405-0123456789ab'));
    await writeFile(join(directory, '20260102-030405-0123456789ab', 'recording.json.part'), '{');
    expect((await openRecordings()).list()).toEqual([]);
    expect([readdirSync(directory), warnings]).toEqual([[], []]);
  });

  it('that cannot be read is passed over, and that is said', async () => {
    const names = ['20260102-030405-0123456789ab', '20260102-030405-0123456789ac', 'other'];
    for (const name of names) mkdirSync(join(directory, name));
    await writeFile(join(directory, names[0]!, 'recording.json'), '{"id":');
    await writeFile(join(directory, names[1]!, 'recording.json'), '{"id":"../../etc/passwd"}');
    await writeFile(join(directory, 'other', 'kept'), '');
    await writeFile(join(directory, '20260102-030405-0123456789ad.json'), '{"id":');
    expect((await openRecordings()).list()).toEqual([]);
    expect(warnings).toEqual(Array.from({ length: 4 }, () => 'recording entry cannot be read'));
    expect(existsSync(join(directory, 'other', 'kept'))).toBe(true);
  });
});

describe('recordings of older versions', () => {
  const id = '20251231-235959-0123456789ab';
  const old = {
    ...{ id, room: 'demo', state: 'recording', startedAt: '2025-12-31T23:59:59.000Z', stoppedAt: null },
    ...{ durationMs: null, bytes: null, error: null },
  };

  it('get directories of their own, also when that was begun before', async () => {
    await capture(join(directory, `${id}.mka`), 1);
    await writeFile(join(directory, `${id}.json`), JSON.stringify(old));
    await writeFile(join(directory, `${id}.wav`), 'made of it');
    await writeFile(join(directory, `${id}.mp4.part`), 'half');
    mkdirSync(join(directory, id));
    const recordings = await openRecordings();
    expect(recordings.list()).toMatchObject([
      { id, state: 'stopped', durationMs: 1000, startedBy: 'moderator', tracks: false, encrypted: false, files: [] },
    ]);
    expect(readdirSync(directory)).toEqual([id]);
    expect(readdirSync(join(directory, id)).sort()).toEqual(['mix-1.mka', 'recording.json']);
    await recordings.close(0);
    expect((await openRecordings()).list()).toEqual(recordings.list());
  });
});

describe('files', () => {
  const formats = ['m4a', 'mp3'] as const;

  it('that are always made are made after the end, which is told when all are there', async () => {
    const recordings = await openRecordings({ formats, normalize: true });
    const told: [string, RecordingView][] = [];
    recordings.subscribe((change, recording) => told.push([change, recording]));
    const id = await record(recordings, 1);
    expect(recordings.get(id).files).toMatchObject(formats.map((format) => ({ format, normalized: true })));
    await until(() => expect(told.at(-1)?.[0]).toBe('recording-ready'));
    const [, ready] = told.at(-1)!;
    expect(ready.files).toMatchObject(formats.map((format) => ({ format, state: 'ready', sha256: 'ab' })));
    expect(told.filter(([change]) => change === 'recording-ready')).toHaveLength(1);
  });

  it('that a crash kept from being made are made after the next start', async () => {
    const before = await openRecordings({ formats, finishing: { make: () => new Promise(() => undefined) } });
    const id = await record(before, 1);
    await until(async () => {
      const entry = JSON.parse(await readFile(join(directory, id, 'recording.json'), 'utf8'));
      expect(entry.files).toHaveLength(2);
    });
    open.pop();
    const after = await openRecordings();
    await until(() => expect(after.get(id).files.map(({ state }) => state)).toEqual(['ready', 'ready']));
  });

  it('of tracks are made of recordings that have tracks', async () => {
    const recordings = await openRecordings({ formats: ['m4a', 'zip', 'vtt'], normalize: true });
    const filesOf = async (tracks: boolean): Promise<unknown[]> => {
      const { id } = await recordings.begin({ room: `r-${tracks}`, startedBy: 'moderator', tracks });
      recordings.begun(id, []);
      const { files } = await recordings.ended(id, { durationMs: 1000, error: null });
      return files.map(({ format, normalized }) => [format, normalized]);
    };
    const [m4a, vtt] = [
      ['m4a', true],
      ['vtt', false],
    ];
    expect(await filesOf(false)).toEqual([m4a, vtt]);
    expect(await filesOf(true)).toEqual([m4a, ['zip', false], vtt]);
  });

  it('are not made of nothing', async () => {
    const recordings = await openRecordings({ formats });
    const id = await record(recordings, 0);
    expect(recordings.get(id).files).toEqual([]);
    expect(await codeOf(recordings.file(id, 'wav'))).toBe('recording-empty');
  });

  it('that cannot be made are refused with the reason', async () => {
    const make = async (): Promise<MakeResult> => ({ ok: false, reason: 'Disk quota exceeded', died: false });
    const recordings = await openRecordings({ finishing: { make } });
    const id = await record(recordings, 1);
    await expect(recordings.file(id, 'wav')).rejects.toMatchObject({
      code: 'recording-unavailable',
      message: expect.stringContaining('Disk quota exceeded'),
    });
    expect(recordings.get(id).files).toMatchObject([{ format: 'wav', state: 'failed', error: 'Disk quota exceeded' }]);
  });
});

describe('what may not be done', () => {
  it('with a recording that runs: remove it, or have its file', async () => {
    const recordings = await openRecordings();
    const { id } = await begin(recordings);
    for (const state of ['recording', 'paused'] as const) {
      recordings.changed(id, { state });
      expect(await codeOf(recordings.remove(id))).toBe('recording-running');
      expect(await codeOf(recordings.file(id, 'mka'))).toBe('recording-running');
    }
  });

  it('with one that has ended: end it again', async () => {
    const recordings = await openRecordings();
    const id = await record(recordings, 1);
    expect(await codeOf(recordings.ended(id, { durationMs: null, error: 'late' }))).toBe('recording-not-running');
  });

  it('with one that is not there: anything', async () => {
    const recordings = await openRecordings();
    for (const id of ['20260102-030405-0123456789ab', '../secret', '']) {
      expect(() => recordings.get(id)).toThrow('there is no recording');
      expect(await codeOf(recordings.remove(id))).toBe('recording-not-found');
      expect(await codeOf(recordings.file(id, 'wav'))).toBe('recording-not-found');
      expect(await codeOf(recordings.ended(id, { durationMs: 1, error: null }))).toBe('recording-not-found');
    }
  });
});

describe('removing a recording', () => {
  it('leaves no file of it, and nothing of others away', async () => {
    const recordings = await openRecordings({ formats: ['m4a'] });
    const other = await record(recordings, 1);
    const id = await record(recordings, 1);
    await recordings.file(id, 'wav');
    await recordings.remove(id);
    expect(readdirSync(directory)).toEqual([other]);
    expect(recordings.list().map((recording) => recording.id)).toEqual([other]);
    await recordings.close(0);
    expect((await openRecordings()).list()).toHaveLength(1);
  });
});

describe('the directory', () => {
  it('is made at the start, and keeps entries from others', async () => {
    const recordings = await openRecordings({ directory: join(directory, 'new', 'recordings') });
    const { id } = await begin(recordings);
    const entry = join(directory, 'new', 'recordings', id, 'recording.json');
    expect((await stat(entry)).mode & 0o007).toBe(0);
    expect(JSON.parse(await readFile(entry, 'utf8'))).toMatchObject({ id, room: 'demo' });
  });

  it('that cannot be written to refuses the recording at once', async () => {
    const recordings = await openRecordings({ directory: join(directory, 'gone') });
    await rm(join(directory, 'gone'), { recursive: true });
    await expect(begin(recordings)).rejects.toThrow('recordings cannot be stored');
    expect(recordings.list()).toEqual([]);
  });
});

describe('a time line', () => {
  const line = { t: 0, at: '2026-01-02T03:04:05.678Z', type: 'paused' } as const;

  function timeline() {
    const timers = new VirtualTimers();
    const writes: string[] = [];
    const failures: string[] = [];
    const disk = { write: async (bytes: Uint8Array): Promise<unknown> => writes.push(String(bytes)) };
    const sink = { write: (bytes: Uint8Array) => disk.write(bytes), close: async () => void writes.push('closed') };
    return {
      timers,
      writes,
      failures,
      disk,
      line: new Timeline({ sink, timers, failed: (why) => failures.push(why) }),
    };
  }
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  it('is written some lines at a time, and whole at its end', async () => {
    const { timers, writes, line: written } = timeline();
    written.add(line);
    written.add(line);
    expect(writes).toEqual([]);
    timers.advance(500);
    expect(writes).toEqual([`${JSON.stringify(line)}\n`.repeat(2)]);
    written.add(line);
    await written.close();
    expect([writes.length, writes.at(-1), timers.pending]).toEqual([3, 'closed', 0]);
  });

  it('holds up nobody while the disk is slow, and nothing grows for ever', async () => {
    const { timers, failures, disk, line: written } = timeline();
    disk.write = () => new Promise(() => undefined);
    written.add(line);
    timers.advance(500);
    for (let count = 0; count < 20_000; count++) written.add(line);
    expect(failures).toEqual(['the disk is too slow']);
    const closing = written.close();
    timers.advance(5000);
    await closing;
  });

  it('that cannot be written ends, which is told once', async () => {
    const { timers, failures, disk, line: written } = timeline();
    disk.write = async () => {
      throw new Error('no space left on device');
    };
    for (let count = 0; count < 3; count++) {
      written.add(line);
      timers.advance(500);
      await settled();
    }
    expect(failures).toEqual(['Error: no space left on device']);
    await written.close();
    expect(timers.pending).toBe(0);
  });
});
