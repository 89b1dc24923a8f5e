import { existsSync } from 'node:fs';
import { mkdtemp, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FileToMake, MakeResult } from '../../server/recordings/finishing/finished-file.ts';
import { Finishing, type FinishingOptions } from '../../server/recordings/finishing/finishing.ts';
import type { FinishedSource } from '../../server/recordings/finishing/source.ts';
import type { RecordingFileView, RecordingFormat } from '../../server/rooms/views.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'parley-queue-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function source(id: string): FinishedSource {
  const parts = [{ number: 1, startMs: 0 }];
  return {
    id,
    room: 'demo',
    directory,
    parts,
    videoParts: [],
    durationMs: 1_000,
    startedAt: '2026-01-02T03:04:05.000Z',
    sealed: false,
  };
}

const failure = (reason: string, died = false): MakeResult => ({ ok: false, reason, died });

/** Makes files when the test says so, and notes what it is told. */
class Workshop {
  readonly begun: FileToMake[] = [];
  readonly told: [id: string, view: RecordingFileView][] = [];
  readonly warnings: object[] = [];
  nowMs = 0;
  readonly #ends: ((result: MakeResult | null) => void)[] = [];
  readonly finishing: Finishing;

  constructor(options: Partial<FinishingOptions> = {}) {
    this.finishing = new Finishing({
      log: { warn: (fields) => this.warnings.push(fields) },
      key: null,
      changed: (id, view) => this.told.push([id, view]),
      parallel: 1,
      now: () => this.nowMs,
      findFfmpeg: async () => '/usr/bin/ffmpeg',
      make: (file) => this.#make(file),
      ...options,
    });
  }

  async #make(file: FileToMake): Promise<MakeResult> {
    this.begun.push(file);
    const result = await new Promise<MakeResult | null>((resolve) => {
      this.#ends.push(resolve);
      file.signal.addEventListener('abort', () => resolve(failure('it was cancelled')));
    });
    if (result !== null) return result;
    const path = join(file.source.directory, `finished-mix.${file.format}`);
    await writeFile(path, 'sound');
    return { ok: true, path, bytes: 5, sha256: 'ab' };
  }

  /** Null: it went well. */
  end(index: number, result: MakeResult | null = null): void {
    this.#ends[index]!(result);
  }
  async busy(count: number): Promise<void> {
    await expect.poll(() => this.#ends.length).toBe(count);
  }
  states(id: string): string[] {
    return this.told.filter(([of]) => of === id).map(([, { format, state }]) => `${format} ${state}`);
  }
}

function view(format: RecordingFormat, state: RecordingFileView['state']): RecordingFileView {
  const ready = state === 'ready' ? { bytes: 5, sha256: 'ab' } : { bytes: null, sha256: null };
  return { format, normalized: false, state, progress: 0, error: null, stored: null, ...ready };
}

describe('files that are wanted', () => {
  it('are made once for all who ask, and found by those who ask later', async () => {
    const workshop = new Workshop();
    const { finishing } = workshop;
    const shares: number[] = [];
    finishing.wanted(source('a'), 'wav', false);
    finishing.wanted(source('a'), 'wav', false);
    const first = finishing.file(source('a'), 'wav', false, (share) => shares.push(share));
    const second = finishing.file(source('a'), 'wav', false);
    await workshop.busy(1);
    workshop.begun[0]!.onProgress(0.5);
    workshop.end(0);
    const made = { ok: true, path: join(directory, 'finished-mix.wav'), bytes: 5, sha256: 'ab' };
    expect(await first).toEqual(made);
    expect(await second).toEqual(made);
    expect(shares).toEqual([0.5]);
    expect(await finishing.file(source('a'), 'wav', false)).toEqual(made);
    expect(workshop.begun).toHaveLength(1);
    expect(workshop.states('a')).toEqual(['wav queued', 'wav working', 'wav ready']);
    expect(workshop.told.at(-1)![1]).toMatchObject({ progress: 1, bytes: 5, sha256: 'ab', error: null });
  });

  it('are made again when somebody has erased them', async () => {
    const workshop = new Workshop();
    const first = workshop.finishing.file(source('a'), 'wav', false);
    await workshop.busy(1);
    workshop.end(0);
    await first;
    await unlink(join(directory, 'finished-mix.wav'));
    const again = workshop.finishing.file(source('a'), 'wav', false);
    await workshop.busy(2);
    workshop.end(1);
    expect((await again).ok).toBe(true);
  });

  it('tell of progress at most once a second', async () => {
    const workshop = new Workshop();
    workshop.finishing.wanted(source('a'), 'wav', false);
    await workshop.busy(1);
    for (let ms = 100; ms <= 3_000; ms += 100) {
      workshop.nowMs = ms;
      workshop.begun[0]!.onProgress(ms / 10_000);
    }
    const progress = workshop.told.filter(([, { state }]) => state === 'working').map(([, told]) => told.progress);
    expect(progress).toEqual([0, 0.1, 0.2, 0.3]);
    await workshop.finishing.close(0);
  });

  it('are made so many at a time, those that somebody waits for first', async () => {
    const workshop = new Workshop({ parallel: 2 });
    const { finishing } = workshop;
    for (const id of ['a', 'b']) finishing.wanted(source(id), 'mka', false);
    await workshop.busy(2);
    finishing.wanted(source('c'), 'mka', false);
    await expect.poll(() => finishing.waiting).toBe(1);
    const awaited = finishing.file(source('d'), 'mka', false);
    await expect.poll(() => finishing.waiting).toBe(2);
    expect(workshop.begun).toHaveLength(2);
    workshop.end(0);
    await workshop.busy(3);
    expect(workshop.begun[2]!.source.id).toBe('d');
    workshop.end(2);
    expect((await awaited).ok).toBe(true);
    await workshop.busy(4);
    expect(workshop.begun[3]!.source.id).toBe('c');
    await finishing.close(0);
  });

  it('of a few kilobytes do not wait for sound', async () => {
    const workshop = new Workshop();
    workshop.finishing.wanted(source('a'), 'wav', false);
    await workshop.busy(1);
    workshop.finishing.wanted(source('a'), 'vtt', false);
    await workshop.busy(2);
    expect(workshop.begun[1]!.format).toBe('vtt');
    await workshop.finishing.close(0);
  });

  it('have one file for both where there is no loudness', async () => {
    const workshop = new Workshop();
    workshop.finishing.wanted(source('a'), 'png', true);
    workshop.finishing.wanted(source('a'), 'png', false);
    await workshop.busy(1);
    expect(workshop.begun[0]!.normalized).toBe(false);
    expect(workshop.states('a')).toEqual(['png queued', 'png working']);
    await workshop.finishing.close(0);
  });
});

describe('a job', () => {
  it('whose ffmpeg was killed is tried again three times, and fails with its last words', async () => {
    const workshop = new Workshop();
    const file = workshop.finishing.file(source('a'), 'wav', false);
    for (let attempt = 0; attempt < 4; attempt++) {
      await workshop.busy(attempt + 1);
      workshop.end(attempt, failure(`killed ${attempt}`, true));
    }
    expect(await file).toEqual({ ok: false, reason: 'killed 3' });
    expect(workshop.states('a')).toEqual(['wav queued', 'wav working', 'wav failed']);
    expect(workshop.told.at(-1)![1].error).toBe('killed 3');
    expect(workshop.warnings).toHaveLength(4);
  });

  it('that failed otherwise is not tried again by itself, but when somebody asks', async () => {
    const workshop = new Workshop();
    const file = workshop.finishing.file(source('a'), 'wav', false);
    await workshop.busy(1);
    workshop.end(0, failure('the disk is full'));
    expect(await file).toEqual({ ok: false, reason: 'the disk is full' });
    const again = workshop.finishing.file(source('a'), 'wav', false);
    await workshop.busy(2);
    workshop.end(1);
    expect((await again).ok).toBe(true);
  });

  it('is given up, running or waiting, when its recording is removed; others go on', async () => {
    const workshop = new Workshop();
    const { finishing } = workshop;
    const running = finishing.file(source('a'), 'wav', false);
    await workshop.busy(1);
    const waiting = finishing.file(source('a'), 'mp4', false);
    const other = finishing.file(source('b'), 'mp3', false);
    await finishing.remove('a');
    expect(await running).toEqual({ ok: false, reason: 'it was cancelled' });
    expect(await waiting).toEqual({ ok: false, reason: 'it was cancelled' });
    await workshop.busy(2);
    expect(workshop.begun[1]!.source.id).toBe('b');
    workshop.end(1);
    expect((await other).ok).toBe(true);
    expect(workshop.states('a')).not.toContain('wav failed');
  });
});

describe('when the server stops', () => {
  it('what runs may end until the deadline, what waits stays queued, and no more is begun', async () => {
    const workshop = new Workshop();
    const { finishing } = workshop;
    const running = finishing.file(source('a'), 'wav', false);
    await workshop.busy(1);
    const waiting = finishing.file(source('b'), 'wav', false);
    const closed = finishing.close(60_000);
    expect(await waiting).toEqual({ ok: false, reason: 'the server is stopping' });
    workshop.end(0);
    await closed;
    expect((await running).ok).toBe(true);
    expect(workshop.states('b')).toEqual(['wav queued']);
    expect(await finishing.file(source('c'), 'wav', false)).toEqual({ ok: false, reason: 'the server is stopping' });
  });

  it('what is not done at the deadline is stopped, and is not called failed', async () => {
    const workshop = new Workshop();
    const running = workshop.finishing.file(source('a'), 'wav', false);
    await workshop.busy(1);
    await workshop.finishing.close(0);
    expect(await running).toEqual({ ok: false, reason: 'the server is stopping' });
    expect(workshop.states('a')).toEqual(['wav queued', 'wav working']);
  });
});

describe('after a start', () => {
  it('what was wanted and is not there is made; what is there, has failed or is kept elsewhere is not', async () => {
    await writeFile(join(directory, 'finished-mix.mp3'), 'sound');
    const workshop = new Workshop();
    const stored = { ...view('ogg', 'ready'), stored: 's3://bucket/key' };
    const files = [view('wav', 'working'), view('m4a', 'queued'), view('mp3', 'ready'), view('webm', 'ready')];
    await workshop.finishing.resume(source('a'), [...files, view('mp4', 'failed'), stored]);
    for (let job = 0; job < 3; job++) {
      await workshop.busy(job + 1);
      workshop.end(job);
    }
    await expect.poll(() => existsSync(join(directory, 'finished-mix.webm'))).toBe(true);
    expect(workshop.begun.map(({ format }) => format).sort()).toEqual(['m4a', 'wav', 'webm']);
    expect((await workshop.finishing.file(source('a'), 'mp3', false)).ok).toBe(true);
    expect(workshop.begun).toHaveLength(3);
  });

  it('a file that was whole before its entry was written is found, hashed and told of', async () => {
    await writeFile(join(directory, 'finished-mix.wav'), 'sound');
    const workshop = new Workshop();
    await workshop.finishing.resume(source('a'), [view('wav', 'working')]);
    await expect.poll(() => workshop.states('a')).toContain('wav ready');
    const sha256 = 'dd29442deca69f52c50006b831cb216edf78a7da33748f0a80ff19f2ebe57ecd';
    expect(workshop.told.at(-1)![1]).toMatchObject({ bytes: 5, sha256, progress: 1 });
    expect(workshop.begun).toEqual([]);
  });
});
