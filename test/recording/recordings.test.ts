import { chmodSync, existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RecordingResult } from '../../mixer/protocol.ts';
import { openRecording } from '../../mixer/recording/capture.ts';
import type { ControlError, RecordingFormat } from '../../server/focus/control.ts';
import { findFfmpeg } from '../../server/recordings/ffmpeg-binary.ts';
import { finishedDurationMs } from '../../server/recordings/finishing.ts';
import { Recordings, type RecordingsOptions } from '../../server/recordings/recordings.ts';
import { opusTone, play, toneDb } from './tone.ts';

const TONE = opusTone(440, 1);
const startedAt = new Date('2026-01-02T03:04:05.678Z');
const stoppedAtMs = startedAt.getTime() + 3_000;

let directory = '';
let warnings: string[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'parley-recordings-'));
  warnings = [];
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function openRecordings(options: Partial<RecordingsOptions> = {}): Promise<Recordings> {
  const log = { info: () => undefined, warn: (_fields: object, message: string) => warnings.push(message) };
  const recordings = new Recordings({ directory, log, now: () => stoppedAtMs, ...options });
  await recordings.open();
  return recordings;
}

/** What a mixer does between `begin` and `ended`. */
async function capture(path: string, seconds: number): Promise<RecordingResult> {
  const onFailure = (reason: string) => expect.unreachable(reason);
  const sink = await openRecording(path, { title: 'demo', startedAt, onFailure });
  for (let i = 0; i < seconds * 50; i++) {
    const packet = TONE[i % TONE.length]!;
    sink.write(packet, 0, packet.length, 960);
  }
  return sink.finish();
}

async function record(recordings: Recordings, seconds: number, room = 'demo'): Promise<string> {
  const { id, path } = recordings.begin(room, startedAt);
  await recordings.ended(id, await capture(path, seconds));
  return id;
}

/** An ffmpeg that says what it can do, as fluent-ffmpeg asks, and does something else in the end. */
async function brokenFfmpeg(ending: string): Promise<string> {
  const path = join(directory, 'broken-ffmpeg');
  const real = await findFfmpeg(process.env['PATH'] ?? '');
  await writeFile(path, `#!/bin/sh\ncase "$1" in -formats|-encoders) exec ${real} "$@";; esac\n${ending}\n`);
  chmodSync(path, 0o755);
  return path;
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: ControlError) => error.code,
  );

describe('recordings', () => {
  it('are listed from their beginning to their end, by room', async () => {
    const recordings = await openRecordings();
    const { id, path } = recordings.begin('demo', startedAt);
    const begun = recordings.get(id);
    expect(begun).toEqual({
      id,
      room: 'demo',
      state: 'recording',
      startedAt: '2026-01-02T03:04:05.678Z',
      stoppedAt: null,
      durationMs: null,
      bytes: null,
      error: null,
    });
    const ended = await recordings.ended(id, await capture(path, 2));
    const stoppedAt = '2026-01-02T03:04:08.678Z';
    expect(ended).toEqual({ ...begun, state: 'stopped', stoppedAt, durationMs: 2_000, bytes: (await stat(path)).size });

    await record(recordings, 1, 'other');
    expect(recordings.list('demo')).toEqual([ended]);
    expect(recordings.list()).toHaveLength(2);
    expect(recordings.list('nowhere')).toEqual([]);
  });

  it('are there again after a restart', async () => {
    const before = await openRecordings();
    await record(before, 1);
    expect((await openRecordings()).list()).toEqual(before.list());
  });

  it('that a crash left running are stopped at the next start, as long as what is on the disk', async () => {
    const before = await openRecordings();
    const { id, path } = before.begin('demo', startedAt);
    const { bytes } = await capture(path, 3);
    await truncate(path, bytes - 1_000);
    const nothing = before.begin('demo', startedAt);
    await writeFile(join(directory, `${id}.wav.part`), 'half');

    const after = await openRecordings();
    const found = after.get(id);
    expect(found).toMatchObject({ state: 'stopped', bytes: bytes - 1_000, error: null });
    expect(found.durationMs).toBeGreaterThan(2_000);
    expect(found.durationMs).toBeLessThan(3_000);
    expect(Date.parse(found.stoppedAt!) - startedAt.getTime()).toBe(found.durationMs);
    expect(after.get(nothing.id)).toMatchObject({
      state: 'failed',
      durationMs: 0,
      error: 'the server ended before anything was recorded',
    });
    expect(readdirSync(directory).filter((name) => name.endsWith('.part'))).toEqual([]);

    for (const format of ['wav', 'mp4', 'mka'] as const) {
      const { path: finished } = await after.file(id, format);
      expect(Math.abs((await play(finished)).length / 48 - found.durationMs!)).toBeLessThanOrEqual(100);
    }
  });

  it('keep what was recorded before a failure', async () => {
    const recordings = await openRecordings();
    const { id, path } = recordings.begin('demo', startedAt);
    await capture(path, 1);
    const failed = await recordings.ended(id, { error: 'the disk is full' });
    expect(failed).toMatchObject({ state: 'failed', error: 'the disk is full', durationMs: 1_000 });
    expect((await play((await recordings.file(id, 'wav')).path)).length).toBe(48_000);
  });

  it('pass over entries that cannot be read, and say so', async () => {
    await writeFile(join(directory, '20260102-030405-0123456789ab.json'), '{"id":');
    await writeFile(join(directory, 'other.json'), '{"id":"../../etc/passwd"}');
    expect((await openRecordings()).list()).toEqual([]);
    expect(warnings).toEqual(['recording entry cannot be read', 'recording entry cannot be read']);
  });

  it('have names that owe nothing to what the room is called', async () => {
    const recordings = await openRecordings();
    const room = '../../x "y"\r\n;ü';
    const id = await record(recordings, 1, room);
    expect(id).toMatch(/^20260102-030405-[0-9a-f]{12}$/);
    expect((await recordings.file(id, 'wav')).fileName).toBe('_x_y_-20260102-030405.wav');
    expect((await openRecordings()).list(room)).toHaveLength(1);
  });
});

describe('a finished file', () => {
  const contentTypes: [RecordingFormat, string][] = [
    ['wav', 'audio/wav'],
    ['mp4', 'audio/mp4'],
    ['mka', 'audio/matroska'],
  ];
  it.each(contentTypes)('as %s holds the sound, has the right length and says it', async (format, contentType) => {
    const recordings = await openRecordings();
    const id = await record(recordings, 5);
    const progress: number[] = [];
    const file = await recordings.file(id, format, (share) => progress.push(share));
    expect(file).toMatchObject({ contentType, fileName: `demo-20260102-030405.${format}` });
    expect(Math.abs((await finishedDurationMs(file.path)) - 5_000)).toBeLessThanOrEqual(50);
    const samples = await play(file.path);
    expect(Math.abs(samples.length / 48 - 5_000)).toBeLessThanOrEqual(50);
    expect(toneDb(samples.subarray(48_000, 4 * 48_000), 440)).toBeGreaterThan(-12);
    expect(progress.at(-1)).toBeGreaterThan(0.9);
  });

  it('is not made of nothing', async () => {
    const recordings = await openRecordings();
    const id = await record(recordings, 0);
    expect(await codeOf(recordings.file(id, 'wav'))).toBe('recording-empty');
    expect(existsSync(join(directory, `${id}.wav`))).toBe(false);
  });

  it('is refused with the reason when ffmpeg fails, hangs or is not there', async () => {
    const failing = await openRecordings({ findFfmpeg: () => brokenFfmpeg('echo "Disk quota exceeded" >&2; exit 1') });
    const id = await record(failing, 1);
    await expect(failing.file(id, 'wav')).rejects.toMatchObject({
      code: 'recording-unavailable',
      message: expect.stringMatching(/could not be finished as wav: .*Disk quota exceeded/),
    });

    const without = await openRecordings({ findFfmpeg: async () => null });
    await expect(without.file(id, 'wav')).rejects.toThrow('there is no ffmpeg on this machine');

    const hanging = await openRecordings({
      findFfmpeg: () => brokenFfmpeg('exec sleep 60'),
      convert: async (conversion) => {
        const { convert } = await import('../../server/recordings/finishing.ts');
        return convert({ ...conversion, timeoutMs: 500 });
      },
    });
    await expect(hanging.file(id, 'wav')).rejects.toThrow('ffmpeg was not done after 0.5 s');
    expect(readdirSync(directory).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('is made again from the capture by every ffmpeg there is', async () => {
    const packaged = await findFfmpeg('');
    expect(packaged).toContain('node_modules');
    const recordings = await openRecordings({ findFfmpeg: async () => packaged });
    const id = await record(recordings, 2);
    for (const format of ['wav', 'mp4', 'mka'] as const) {
      expect(Math.abs((await play((await recordings.file(id, format)).path)).length / 48 - 2_000)).toBeLessThan(100);
    }
  });
});

describe('what may not be done', () => {
  it('with a recording that runs: remove it, or have its file', async () => {
    const recordings = await openRecordings();
    const { id } = recordings.begin('demo', startedAt);
    expect(await codeOf(recordings.remove(id))).toBe('recording-running');
    expect(await codeOf(recordings.file(id, 'mka'))).toBe('recording-running');
  });

  it('with one that has ended: end it again', async () => {
    const recordings = await openRecordings();
    const id = await record(recordings, 1);
    expect(await codeOf(recordings.ended(id, { error: 'late' }))).toBe('recording-not-running');
  });

  it('with one that is not there: anything', async () => {
    const recordings = await openRecordings();
    for (const id of ['20260102-030405-0123456789ab', '../secret', '']) {
      expect(() => recordings.get(id)).toThrow('there is no recording');
      expect(await codeOf(recordings.remove(id))).toBe('recording-not-found');
      expect(await codeOf(recordings.file(id, 'wav'))).toBe('recording-not-found');
      expect(await codeOf(recordings.ended(id, { durationMs: 1, bytes: 1 }))).toBe('recording-not-found');
    }
  });
});

describe('removing a recording', () => {
  it('leaves no file of it, and nothing of others away', async () => {
    const recordings = await openRecordings();
    const other = await record(recordings, 1);
    const kept = readdirSync(directory);
    const id = await record(recordings, 1);
    await recordings.file(id, 'wav');
    await recordings.file(id, 'mka');
    await recordings.remove(id);
    expect(readdirSync(directory)).toEqual(kept);
    expect(recordings.list().map((recording) => recording.id)).toEqual([other]);
    expect((await openRecordings()).list()).toHaveLength(1);
  });
});

describe('the directory', () => {
  it('is made at the start, and keeps entries from others', async () => {
    const recordings = await openRecordings({ directory: join(directory, 'new', 'recordings') });
    const { id } = recordings.begin('demo', startedAt);
    const entry = join(directory, 'new', 'recordings', `${id}.json`);
    expect((await stat(entry)).mode & 0o007).toBe(0);
    expect(JSON.parse(await readFile(entry, 'utf8'))).toMatchObject({ id, room: 'demo' });
  });

  it('that cannot be written to refuses the recording at once', async () => {
    const recordings = await openRecordings({ directory: join(directory, 'gone') });
    await rm(join(directory, 'gone'), { recursive: true });
    expect(() => recordings.begin('demo', startedAt)).toThrow('recordings cannot be stored');
    expect(recordings.list()).toEqual([]);
  });
});
