import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readSealed } from '../../../sealed/read-sealed.ts';
import { Sealer } from '../../../sealed/sealer.ts';
import { type FileToMake, finishedPath, type MakeResult } from '../../../server/recordings/finishing/finished-file.ts';
import { openStorage } from '../../../server/recordings/keeping/open-storage.ts';
import type { PutOptions, RecordingStorage } from '../../../server/recordings/keeping/storage.ts';
import { Recordings, type RecordingsOptions } from '../../../server/recordings/recordings.ts';
import type { RecordingView } from '../../../server/rooms/views.ts';
import { VirtualTimers } from '../../sim/virtual-timers.ts';
import { sine, writeCapture } from '../captures.ts';

const STARTED_MS = Date.parse('2026-01-02T03:04:05.678Z');
const DAY_MS = 86_400_000;
const KEY = Buffer.alloc(32, 7);

let directory = '';
let folder = '';
let timers: VirtualTimers;
let nowMs = STARTED_MS;
let told: { change: string; view: RecordingView }[] = [];
let logged: { message: string; fields: Record<string, unknown> }[] = [];
let made: string[] = [];
const open: Recordings[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'parley-keeping-'));
  folder = join(directory, 'elsewhere');
  timers = new VirtualTimers();
  [nowMs, told, logged, made] = [STARTED_MS, [], [], []];
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((recordings) => recordings.close(0)));
  await rm(directory, { recursive: true, force: true });
});

/** A file of some text in place of sound, sealed where that is wanted. */
async function makeText(file: FileToMake): Promise<MakeResult> {
  const { source, format, normalized, key } = file;
  const content = Buffer.from(`${format} of ${source.room}`);
  const path = finishedPath(source, format, normalized);
  const sealer = new Sealer(key ?? KEY, 'fixed');
  await writeFile(path, source.sealed ? Buffer.concat([sealer.seal(content), sealer.finish()]) : content);
  made.push(basename(path));
  return { ok: true, path, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
}

async function openRecordings(options: Partial<RecordingsOptions> = {}): Promise<Recordings> {
  const note = (fields: object, message: string) => void logged.push({ message, fields: { ...fields } });
  const recordings = new Recordings({
    ...{ directory: join(directory, 'recordings'), log: { info: note, warn: note }, timers, now: () => nowMs },
    ...{ formats: ['m4a', 'mp3'], finishing: { make: makeText, findFfmpeg: async () => null } },
    ...options,
  });
  open.push(recordings);
  recordings.subscribe((change, view) => told.push({ change, view }));
  await recordings.open();
  return recordings;
}

const inFolder = async (options: Partial<RecordingsOptions> = {}) =>
  openRecordings({ storage: await openStorage({ folder }), ...options });

/** One of a second that has ended. */
async function record(recordings: Recordings, room = 'demo'): Promise<string> {
  const { id, directory: place, key } = await recordings.begin({ room, startedBy: 'moderator', tracks: false });
  recordings.begun(id, ['Ann']);
  const name = join(place, 'mix-1.mka');
  if (key === null) await writeCapture(name, 'opus', [{ fromMs: 0, toMs: 1000 }], sine(440));
  else await writeFile(`${name}.sealed`, 'sealed');
  await recordings.ended(id, { durationMs: 1000, error: null });
  return id;
}

const until = (condition: () => void | Promise<void>) => vi.waitFor(condition, { interval: 2, timeout: 15_000 });
const countOf = (change: string) => told.filter((one) => one.change === change).length;
const ready = () => until(() => expect(countOf('recording-ready')).toBe(1));
/** Without what is just being written. */
const filesOf = (id: string) => {
  const names = readdirSync(join(directory, 'recordings', id));
  return names.filter((name) => !name.endsWith('.part')).sort();
};
const close = async () => open.pop()!.close(0);

describe('copies elsewhere', () => {
  it('are made of each file; it is ready when all are there', async () => {
    const recordings = await inFolder();
    const id = await record(recordings);
    await ready();
    expect(told.at(-1)?.change).toBe('recording-ready');
    const place = join(folder, 'demo', id);
    const stored = recordings.get(id).files.map((file) => file.stored);
    expect(stored).toEqual([join(place, 'demo-20260102-030405.m4a'), join(place, 'demo-20260102-030405.mp3')]);
    expect(readFileSync(stored[0]!, 'utf8')).toBe('m4a of demo');
    expect(filesOf(id)).toEqual(['finished-mix.m4a', 'finished-mix.mp3', 'mix-1.mka', 'recording.json']);
  });

  it('are made after the next start, where there was no time', async () => {
    const { id, storage, failing } = await withFailingStorage();
    expect(countOf('recording-ready')).toBe(0);
    await close();
    failing.fails = false;
    await openRecordings({ storage });
    await ready();
    expect(open[0]!.get(id).files.map((file) => file.stored)).toEqual([
      expect.stringContaining(id),
      expect.stringContaining(id),
    ]);
    expect(made).toHaveLength(2);
  });

  it('are tried again when they could not be made', async () => {
    const { failing } = await withFailingStorage();
    failing.fails = false;
    await until(() => {
      timers.advance(60_000);
      expect(countOf('recording-ready')).toBe(1);
    });
  });

  it('take the place of what is here, if that is how it is to be', async () => {
    const recordings = await inFolder({ keepLocal: false });
    const id = await record(recordings);
    await ready();
    await until(() => expect(filesOf(id)).toEqual(['recording.json']));
    const file = await recordings.file(id, 'm4a');
    expect(file).toMatchObject({ contentType: 'audio/mp4', fileName: 'demo-20260102-030405.m4a' });
    expect(readFileSync(file.path, 'utf8')).toBe('m4a of demo');
    await expect(recordings.file(id, 'wav')).rejects.toMatchObject({ code: 'recording-captures-gone' });
    await expect(recordings.want(id, 'zip', false, true)).rejects.toMatchObject({ code: 'recording-captures-gone' });
    expect(made.toSorted()).toEqual(['finished-mix.m4a', 'finished-mix.mp3']);

    await close();
    const again = await inFolder({ keepLocal: false });
    const [one, other] = await Promise.all([again.file(id, 'mp3'), again.file(id, 'mp3')]);
    expect([readFileSync(one.path, 'utf8'), other.path]).toEqual(['mp3 of demo', one.path]);
    expect(countOf('recording-ready')).toBe(1);
    await expect(again.file(id, 'wav')).rejects.toMatchObject({ code: 'recording-captures-gone' });
  });

  it('that were fetched back stay an hour', async () => {
    const recordings = await inFolder({ keepLocal: false });
    const id = await record(recordings);
    await ready();
    await until(() => expect(filesOf(id)).toEqual(['recording.json']));
    const { path } = await recordings.file(id, 'm4a');
    await utimes(path, nowMs / 1000, nowMs / 1000);
    nowMs += 3_599_000;
    await recordings.sweep();
    expect(existsSync(path)).toBe(true);
    nowMs += 2_000;
    await recordings.sweep();
    expect(existsSync(path)).toBe(false);
  });

  it('are fetched back in the background for who does not wait', async () => {
    const recordings = await inFolder({ keepLocal: false });
    const id = await record(recordings);
    await ready();
    await until(() => expect(filesOf(id)).toEqual(['recording.json']));
    expect(await recordings.want(id, 'm4a', false, false)).toMatchObject({ here: false, file: { state: 'ready' } });
    await until(async () => expect((await recordings.want(id, 'm4a', false, false)).here).toBe(true));
  });

  it('that were changed there are not handed out', async () => {
    const recordings = await inFolder({ keepLocal: false });
    const id = await record(recordings);
    await ready();
    await until(() => expect(filesOf(id)).toEqual(['recording.json']));
    await writeFile(recordings.get(id).files[0]!.stored!, 'something else');
    await expect(recordings.file(id, 'm4a')).rejects.toMatchObject({
      code: 'recording-unavailable',
      message: expect.stringContaining('it is not what was stored'),
    });
    expect(filesOf(id)).toEqual(['recording.json']);
  });

  it('of what is encrypted are encrypted', async () => {
    const key = KEY.toString('base64');
    const recordings = await inFolder({ keepLocal: false, key, formats: ['m4a'] });
    const id = await record(recordings);
    await ready();
    await until(() => expect(filesOf(id)).toEqual(['recording.json']));
    const stored = recordings.get(id).files[0]!.stored!;
    expect(stored).toMatch(/\.m4a\.sealed$/);
    expect(readFileSync(stored, 'latin1')).not.toContain('of demo');
    const file = await recordings.file(id, 'm4a');
    const chunks: Buffer[] = [];
    for await (const chunk of readSealed(file.path, file.sealed!.key)) chunks.push(chunk);
    expect(String(Buffer.concat(chunks))).toBe('m4a of demo');
  });

  it('go with the recording, also when they cannot go at once', async () => {
    const { id, storage, failing } = await withFailingStorage();
    failing.fails = false;
    await until(() => {
      timers.advance(60_000);
      expect(countOf('recording-ready')).toBe(1);
    });
    failing.fails = true;
    const { files } = open[0]!.get(id);
    await open[0]!.remove(id);
    expect(() => open[0]!.get(id)).toThrow('there is no recording');
    expect([countOf('recording-removed'), filesOf(id)]).toEqual([1, ['recording.json']]);
    await until(() =>
      expect(logged.map(({ message }) => message)).toContainEqual(expect.stringContaining('not gone everywhere yet')),
    );
    await close();
    failing.fails = false;
    const after = await openRecordings({ storage });
    expect(after.list()).toEqual([]);
    await until(() => expect(existsSync(join(directory, 'recordings', id))).toBe(false));
    for (const { stored } of files) expect(existsSync(stored!)).toBe(false);
    expect([countOf('recording-removed'), readdirSync(folder)]).toEqual([1, []]);
  });

  it('that come to be just when the recording is removed go at once', async () => {
    const inner = (await openStorage({ folder }))!;
    let stored = (): void => undefined;
    const whenTold = new Promise<void>((resolve) => {
      stored = resolve;
    });
    let copied = false;
    const removed: string[] = [];
    const storage: RecordingStorage = {
      name: 'by hand',
      holds: (location) => inner.holds(location),
      put: async (key, path, options) => {
        const location = await inner.put(key, path, options);
        copied = true;
        await whenTold;
        return location;
      },
      get: (location, path, signal) => inner.get(location, path, signal),
      remove: (location) => {
        removed.push(location);
        return inner.remove(location);
      },
      close: () => undefined,
    };
    const recordings = await openRecordings({ storage, formats: ['m4a'] });
    const id = await record(recordings);
    // Whole: what is only half there is given up, and nobody asks the storage to remove it.
    await until(() => expect(copied).toBe(true));
    const gone = recordings.remove(id);
    stored();
    await gone;
    await until(() => expect(removed).toEqual([expect.stringContaining(id)]));
    await until(() => expect(readdirSync(folder)).toEqual([]));
  });

  it('in a place that is not configured any more stay, which is said', async () => {
    const recordings = await inFolder();
    const id = await record(recordings);
    await ready();
    const stored = recordings.get(id).files[0]!.stored!;
    await close();
    await (await openRecordings()).remove(id);
    await until(() => expect(existsSync(join(directory, 'recordings', id))).toBe(false));
    expect(existsSync(stored)).toBe(true);
    expect(logged).toContainEqual({
      message: 'a copy of a removed recording stays, as its place is not configured',
      fields: { recording: id, stored },
    });
  });
});

describe('recordings that have been kept long enough', () => {
  it('are removed after so many days, at the start and every hour, with their copies', async () => {
    const retention = { keepDays: 2, keepGb: 0 };
    const recordings = await inFolder({ retention });
    const id = await record(recordings);
    await ready();
    nowMs += 2 * DAY_MS;
    timers.advance(3_600_000);
    await recordings.sweep();
    expect(recordings.list()).toHaveLength(1);
    const young = await record(recordings, 'other');
    nowMs += 1;
    timers.advance(3_600_000);
    await until(() => expect(recordings.list().map((view) => view.id)).toEqual([young]));
    expect(told.filter(({ change }) => change === 'recording-removed').map(({ view }) => view.id)).toEqual([id]);
    await until(() => expect(readdirSync(folder)).toEqual(['other']));
    expect(logged).toContainEqual({
      message: 'recording removed',
      fields: { recording: id, room: 'demo', why: 'recordingKeepDays or recordingKeepGb' },
    });
    await until(() => expect(recordings.get(young).files.every((file) => file.stored !== null)).toBe(true));
    await close();
    nowMs += 3 * DAY_MS;
    const after = await inFolder({ retention });
    await until(() => expect(after.list()).toEqual([]));
  });

  it('go, oldest first, when there is too much of them here', async () => {
    const recordings = await openRecordings({ formats: [] });
    const ids: string[] = [];
    for (const room of ['a', 'b', 'c']) {
      nowMs += 1000;
      ids.push(await record(recordings, room));
    }
    const { bytes } = recordings.get(ids[0]!);
    await close();
    const after = await openRecordings({ formats: [], retention: { keepDays: 0, keepGb: (2.5 * bytes!) / 1e9 } });
    await until(() => expect(after.list().map(({ id }) => id)).toEqual(ids.slice(1)));
    await after.sweep();
    expect(after.list()).toHaveLength(2);
  });
});

describe('files that failed', () => {
  it('on a full disk are tried again at the next start; others when they are asked for', async () => {
    const reasons: Record<string, string> = { m4a: 'the disk is full', mp3: 'ffmpeg: Invalid data found' };
    const failing = async ({ format }: FileToMake): Promise<MakeResult> => {
      return { ok: false, reason: reasons[format]!, died: false };
    };
    const before = await openRecordings({ finishing: { make: failing } });
    const id = await record(before);
    await until(() => expect(before.get(id).files.map(({ state }) => state)).toEqual(['failed', 'failed']));
    await close();
    const after = await openRecordings();
    await until(() => expect(after.get(id).files.map(({ state }) => state)).toEqual(['ready', 'failed']));
    await expect(after.want(id, 'mp3', false, false)).rejects.toMatchObject({ code: 'recording-unavailable' });
    expect(await after.want(id, 'mp3', false, true)).toMatchObject({ here: false, file: { state: 'queued' } });
    await ready();
    expect((await after.want(id, 'mp3', false, false)).here).toBe(true);
  });
});

describe('an entry that cannot be written', () => {
  it('is written when there is room again', async () => {
    const recordings = await openRecordings({ formats: [] });
    const id = await record(recordings);
    const place = join(directory, 'recordings', id);
    const stateOnDisk = async () => JSON.parse(await readFile(join(place, 'recording.json'), 'utf8')).participants;
    // What is to be written first cannot be.
    await recordings.setParts(id, [{ number: 1, startMs: 0 }]);
    await mkdir(join(place, 'recording.json.part'));
    recordings.changed(id, { participants: ['Bob'] });
    await until(() => expect(logged.at(-1)?.message).toBe('recording entry cannot be written'));
    timers.advance(10_000);
    await rm(join(place, 'recording.json.part'), { recursive: true, force: true });
    await until(async () => {
      timers.advance(10_000);
      expect(await stateOnDisk()).toEqual(['Bob']);
    });
    expect(logged.filter(({ message }) => message === 'recording entry cannot be written')).toHaveLength(1);
  });
});

/** A folder that can be away, with one recording whose copies could not be made. */
async function withFailingStorage() {
  const inner = (await openStorage({ folder }))!;
  const failing = { fails: true };
  const whenThere = async <T>(act: () => Promise<T>): Promise<T> => {
    if (failing.fails) throw new Error('no route to host');
    return act();
  };
  const storage: RecordingStorage = {
    name: 'by hand',
    holds: (location) => inner.holds(location),
    put: (key: string, path: string, options: PutOptions) => whenThere(() => inner.put(key, path, options)),
    get: (location, path, signal) => whenThere(() => inner.get(location, path, signal)),
    remove: (location) => whenThere(() => inner.remove(location)),
    close: () => undefined,
  };
  const recordings = await openRecordings({ storage });
  const id = await record(recordings);
  await until(() => expect(logged.map(({ message }) => message)).toContain('recording could not be stored'));
  return { id, storage, failing };
}
