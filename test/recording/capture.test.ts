import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CaptureFile, openRecording, type RecordingSink } from '../../mixer/recording/capture.ts';
import { captureDurationMs } from '../../server/recordings/capture-duration.ts';
import { opusTone, play, toneDb } from './tone.ts';

const TONE = opusTone(440, 1);
const startedAt = new Date('2026-01-02T03:04:05Z');

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'parley-capture-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

function options(failures: string[] = [], openFile?: (path: string) => Promise<CaptureFile>) {
  const onFailure = (reason: string) => {
    failures.push(reason);
  };
  return { title: 'demo', startedAt, onFailure, ...(openFile && { openFile }) };
}

function writeTone(sink: RecordingSink, seconds: number): void {
  for (let i = 0; i < seconds * 50; i++) {
    const packet = TONE[i % TONE.length]!;
    sink.write(packet, 0, packet.length, 960);
  }
}

/** Lets a capture do what it does between the ticks of a room. */
const breathe = () => new Promise((resolve) => setImmediate(resolve));

/** As a room does: a tick, and time for others, again and again. */
async function writeToneInTicks(sink: RecordingSink, seconds: number): Promise<void> {
  for (let i = 0; i < seconds * 50; i++) {
    const packet = TONE[i % TONE.length]!;
    sink.write(packet, 0, packet.length, 960);
    await breathe();
  }
}

/** A disk that answers only when it is told to. */
class StuckFile implements CaptureFile {
  readonly #released: Promise<void>;
  release: () => void = () => undefined;
  bytes = 0;

  constructor() {
    this.#released = new Promise((resolve) => {
      this.release = resolve;
    });
  }
  async write(_bytes: Uint8Array, _offset: number, length: number): Promise<{ bytesWritten: number }> {
    await this.#released;
    this.bytes += length;
    return { bytesWritten: length };
  }
  async datasync(): Promise<void> {}
  async close(): Promise<void> {}
}

describe('a capture', () => {
  it('holds what was written, as long as it was', async () => {
    const path = join(directory, 'tone.mka');
    const sink = await openRecording(path, options());
    writeTone(sink, 5);
    const result = await sink.finish();

    expect(result).toEqual({ durationMs: 5_000, bytes: (await stat(path)).size });
    const samples = await play(path);
    expect(samples.length).toBe(5 * 48_000);
    expect(toneDb(samples.subarray(48_000), 440)).toBeGreaterThan(-12);
    expect(await captureDurationMs(path)).toBe(5_000);
  });

  it('is silent where the room was, and goes on at the right time', async () => {
    const path = join(directory, 'gap.mka');
    const sink = await openRecording(path, options());
    await writeToneInTicks(sink, 1);
    for (let tick = 0; tick < 100; tick++) sink.skip(960);
    sink.skip(30 * 48_000);
    await writeToneInTicks(sink, 1);
    expect((await sink.finish()).durationMs).toBe(34_000);

    const samples = await play(path);
    expect(samples.length).toBe(34 * 48_000);
    // The decoder's filters ring for some milliseconds.
    const silence = samples.subarray(1.1 * 48_000, 33 * 48_000);
    expect(silence.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0)).toBeLessThanOrEqual(1);
    expect(toneDb(samples.subarray(33.1 * 48_000), 440)).toBeGreaterThan(-12);
  });

  it('keeps the time line exact with packets of other lengths and odd gaps', async () => {
    const path = join(directory, 'odd.mka');
    const sink = await openRecording(path, options());
    // A 10 ms and a 60 ms packet (RFC 6716 §3.1): CELT, and SILK with nothing sent.
    for (let i = 0; i < 50; i++) {
      sink.write(Uint8Array.of(0xf0, 0xff, 0xfe), 0, 3, 480);
      sink.skip(100);
      sink.write(Uint8Array.of(9, 9, 0x18), 2, 1, 2_880);
      sink.skip(20);
    }
    expect((await sink.finish()).durationMs).toBe(50 * 72.5);
    expect(await captureDurationMs(path)).toBeCloseTo(50 * 72.5, -1);
  });

  it('copies packets: the caller may use its buffer again at once', async () => {
    const path = join(directory, 'reuse.mka');
    const sink = await openRecording(path, options());
    const reused = new Uint8Array(1_500);
    for (let i = 0; i < 100; i++) {
      const packet = TONE[i % TONE.length]!;
      reused.set(packet, 7);
      sink.write(reused, 7, packet.length, 960);
      reused.fill(0xaa);
    }
    await sink.finish();
    expect(toneDb((await play(path)).subarray(48_000), 440)).toBeGreaterThan(-12);
  });

  it('reaches the file within 400 ms of the time line', async () => {
    const path = join(directory, 'prompt.mka');
    const sink = await openRecording(path, options());
    for (let second = 1; second <= 8; second++) {
      await writeToneInTicks(sink, 1);
      await expect.poll(() => captureDurationMs(path)).toBeGreaterThanOrEqual(second * 1_000 - 400);
    }
    await sink.finish();
  });

  it('plays wherever a crash cut it off, short by less than a packet', async () => {
    const path = join(directory, 'whole.mka');
    const sink = await openRecording(path, options());
    writeTone(sink, 8);
    await sink.finish();
    const whole = await readFile(path);
    const header = whole.indexOf(Buffer.from([0x1f, 0x43, 0xb6, 0x75]));
    const torn = join(directory, 'torn.mka');

    let lastMs = 0;
    for (let bytes = header; bytes < whole.length; bytes += 37) {
      await writeFile(torn, whole.subarray(0, bytes));
      const durationMs = await captureDurationMs(torn);
      expect(durationMs - lastMs).toBeGreaterThanOrEqual(0);
      expect(durationMs - lastMs).toBeLessThanOrEqual(20);
      lastMs = durationMs;
    }
    expect(lastMs).toBe(8_000);

    for (let bytes = header + 400; bytes < whole.length; bytes += 3_001) {
      await writeFile(torn, whole.subarray(0, bytes));
      const played = (await play(torn)).length / 48;
      expect(Math.abs(played - (await captureDurationMs(torn))), `cut at ${bytes}`).toBeLessThanOrEqual(20);
    }
  });

  it('is measured as empty where nothing whole was written', async () => {
    const path = join(directory, 'nothing.mka');
    for (const content of ['', '\x1a', '\x1aE\xdf\xa3\x10\0\0\x23', '\0\0\0\0', 'not a recording at all']) {
      await writeFile(path, Buffer.from(content, 'latin1'));
      expect(await captureDurationMs(path)).toBe(0);
    }
  });

  it('has no length when nothing was said', async () => {
    const path = join(directory, 'empty.mka');
    const sink = await openRecording(path, options());
    expect((await sink.finish()).durationMs).toBe(0);
    expect(await captureDurationMs(path)).toBe(0);
  });

  it('is refused where there is a file already, or no directory', async () => {
    const path = join(directory, 'there.mka');
    await writeFile(path, 'precious');
    await expect(openRecording(path, options())).rejects.toThrow('EEXIST');
    expect(await readFile(path, 'utf8')).toBe('precious');
    await expect(openRecording(join(directory, 'no', 'x.mka'), options())).rejects.toThrow('ENOENT');
  });
});

describe('a disk that fails', () => {
  it.skipIf(!existsSync('/dev/full'))('stops the recording when it is full, and not the room', async () => {
    const failures: string[] = [];
    const sink = await openRecording(
      'unused',
      options(failures, () => open('/dev/full', 'w')),
    );
    await writeToneInTicks(sink, 1);
    await expect.poll(() => failures).toEqual(['the disk is full']);
    expect(sink.failed).toBe('the disk is full');
    writeTone(sink, 20);
    expect(await sink.finish()).toEqual({ durationMs: 0, bytes: 0 });
    expect(failures).toHaveLength(1);
  });

  it('may be slow for ten seconds, but not longer; what waited is written when it answers', async () => {
    const failures: string[] = [];
    const file = new StuckFile();
    const sink = await openRecording(
      'unused',
      options(failures, async () => file),
    );
    await writeToneInTicks(sink, 10);
    expect(sink.failed).toBeNull();
    await writeToneInTicks(sink, 2);
    expect(failures).toEqual(['the disk is too slow: ten seconds are waiting to be written']);

    file.release();
    const result = await sink.finish();
    expect(result.durationMs).toBeGreaterThanOrEqual(10_000);
    expect(result.durationMs).toBeLessThanOrEqual(10_500);
    expect(result.bytes).toBe(file.bytes);
  });

  it('catches up after a pause of some seconds with nothing lost', async () => {
    const failures: string[] = [];
    const file = new StuckFile();
    const sink = await openRecording(
      'unused',
      options(failures, async () => file),
    );
    await writeToneInTicks(sink, 5);
    file.release();
    await writeToneInTicks(sink, 5);
    expect((await sink.finish()).durationMs).toBe(10_000);
    expect(failures).toEqual([]);
  });
});

describe('a process that is killed with SIGKILL while it records', () => {
  /** Starts a process that records in real time, and tells how many milliseconds it has handed to its capture. */
  function startRecorder(path: string): ChildProcess {
    // As built: a process of its own has no one to strip types for it.
    const capture = new URL('../../dist/mixer/recording/capture.js', import.meta.url).href;
    const program = `
      import { openRecording } from ${JSON.stringify(capture)};
      const packets = ${JSON.stringify(TONE.map((packet) => [...packet]))}.map((bytes) => Uint8Array.from(bytes));
      const sink = await openRecording(${JSON.stringify(path)}, {
        title: 'killed', startedAt: new Date(), onFailure: (reason) => { throw new Error(reason); },
      });
      let ticks = 0;
      setInterval(() => {
        const packet = packets[ticks++ % packets.length];
        sink.write(packet, 0, packet.length, 960);
        process.send(ticks * 20);
      }, 4);`;
    return spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
  }

  it('leaves a file that plays, at most a second short', async () => {
    const path = join(directory, 'killed.mka');
    const recorder = startRecorder(path);
    let handedMs = 0;
    await new Promise<void>((resolve, reject) => {
      recorder.once('exit', () => resolve()).once('error', reject);
      recorder.on('message', (ms: number) => {
        handedMs = ms;
        if (ms >= 6_280) recorder.kill('SIGKILL');
      });
    });
    const durationMs = await captureDurationMs(path);
    expect(handedMs).toBeGreaterThanOrEqual(6_280);
    expect(durationMs).toBeGreaterThan(handedMs - 1_000);
    const samples = await play(path);
    expect(Math.abs(samples.length / 48 - durationMs)).toBeLessThanOrEqual(20);
    expect(toneDb(samples.subarray(48_000), 440)).toBeGreaterThan(-12);
  });
});
