import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FinishedFiles } from '../../server/recordings/finished-files.ts';
import type { Conversion, ConversionResult } from '../../server/recordings/finishing.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'parley-finished-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Conversions that end when the test says so. */
class Workshop {
  readonly begun: Conversion[] = [];
  readonly #ends: ((result: ConversionResult) => void)[] = [];
  measuredMs = 1_000;

  readonly convert = async (conversion: Conversion): Promise<ConversionResult> => {
    this.begun.push(conversion);
    if (conversion.signal.aborted) return { ok: false, reason: 'it was cancelled' };
    await writeFile(conversion.targetPath, 'sound');
    return new Promise((resolve) => {
      this.#ends.push(resolve);
      conversion.signal.addEventListener('abort', () => resolve({ ok: false, reason: 'it was cancelled' }));
    });
  };
  end(index: number, result: ConversionResult = { ok: true }): void {
    this.#ends[index]!(result);
  }
  /** Waits until that many conversions have begun. */
  async busy(count: number): Promise<void> {
    await expect.poll(() => this.#ends.length).toBe(count);
  }
}

function finishedFiles(workshop: Workshop, parallel = 2): FinishedFiles {
  return new FinishedFiles({
    directory,
    parallel,
    ffmpegPath: async () => '/usr/bin/ffmpeg',
    convert: workshop.convert,
    measureMs: async () => workshop.measuredMs,
  });
}

describe('finished files', () => {
  it('are made once for all who ask at the same time, and kept for those who ask later', async () => {
    const workshop = new Workshop();
    const files = finishedFiles(workshop);
    const heard: string[] = [];
    const first = files.get('a', 'wav', 1_000, (share) => heard.push(`first ${share}`));
    const second = files.get('a', 'wav', 1_000, (share) => heard.push(`second ${share}`));
    await workshop.busy(1);
    workshop.begun[0]!.onProgress(0.5);
    expect(existsSync(join(directory, 'a.wav'))).toBe(false);
    workshop.end(0);

    const path = join(directory, 'a.wav');
    expect(await first).toEqual({ ok: true, path });
    expect(await second).toEqual({ ok: true, path });
    expect(heard).toEqual(['first 0.5', 'second 0.5']);
    expect(await files.get('a', 'wav', 1_000)).toEqual({ ok: true, path });
    expect(workshop.begun).toHaveLength(1);
  });

  it('are made a few at a time', async () => {
    const workshop = new Workshop();
    const files = finishedFiles(workshop, 2);
    const all = ['a', 'b', 'c', 'd'].map((id) => files.get(id, 'mp4', 1_000));
    await workshop.busy(2);
    workshop.end(1);
    await workshop.busy(3);
    workshop.end(0);
    await workshop.busy(4);
    workshop.end(2);
    workshop.end(3);
    expect((await Promise.all(all)).every((file) => file.ok)).toBe(true);
  });

  it('are not handed out when they are longer or shorter than what was recorded', async () => {
    const workshop = new Workshop();
    const files = finishedFiles(workshop);
    for (const [attempt, wrongMs] of [899, 1_101].entries()) {
      workshop.measuredMs = wrongMs;
      const file = files.get('a', 'wav', 1_000);
      await workshop.busy(attempt + 1);
      workshop.end(attempt);
      expect(await file).toEqual({
        ok: false,
        reason: `the file came out ${wrongMs} ms long instead of 1000`,
      });
      expect(existsSync(join(directory, 'a.wav.part'))).toBe(false);
    }
  });

  it('can be asked for again after a failure', async () => {
    const workshop = new Workshop();
    const files = finishedFiles(workshop);
    const failed = files.get('a', 'wav', 1_000);
    await workshop.busy(1);
    workshop.end(0, { ok: false, reason: 'no space left' });
    expect(await failed).toEqual({ ok: false, reason: 'no space left' });

    const again = files.get('a', 'wav', 1_000);
    await workshop.busy(2);
    workshop.end(1);
    expect((await again).ok).toBe(true);
  });

  it('are given up, with those still waiting, when their recording is removed', async () => {
    const workshop = new Workshop();
    const files = finishedFiles(workshop, 1);
    const running = files.get('a', 'wav', 1_000);
    // Each looks for a finished file first, which takes as long as it takes.
    await workshop.busy(1);
    const waiting = files.get('a', 'mp4', 1_000);
    const other = files.get('b', 'wav', 1_000);
    await files.remove('a');
    expect((await running).ok).toBe(false);
    expect((await waiting).ok).toBe(false);
    await workshop.busy(2);
    expect(workshop.begun.at(-1)?.sourcePath).toBe(join(directory, 'b.mka'));
    workshop.end(1);
    expect((await other).ok).toBe(true);
  });

  it('are given up at the deadline when the server stops, and no more are begun', async () => {
    const workshop = new Workshop();
    const files = finishedFiles(workshop);
    const running = files.get('a', 'wav', 1_000);
    await workshop.busy(1);
    await files.close(0);
    expect(await running).toEqual({ ok: false, reason: 'it was cancelled' });
    expect(await files.get('b', 'wav', 1_000)).toEqual({ ok: false, reason: 'the server is stopping' });
  });
});
