import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VideoFile, type VideoFileOptions } from '../../mixer/video/video-file.ts';
import { readSealed } from '../../sealed/read-sealed.ts';
import { CaptureReader } from '../../server/recordings/finishing/capture-reader.ts';
import { peersPresent } from '../e2e/clients/peer-programs.ts';
import { MemoryDisk, rest } from '../recording/memory-disk.ts';
import { encodedUnits, type Unit, writeVideo } from '../recording/movies.ts';

const KEY = createHash('sha256').update('a key').digest();
const SIZE = { width: 320, height: 180 };

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'parley-video-file-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Frames as ffprobe decodes them: their times, and what it complains of. */
function probed(path: string): { times: number[]; complaints: string } {
  const wanted = ['-select_streams', 'v', '-show_entries', 'frame=pts_time', '-of', 'csv=p=0'];
  const { stdout, stderr } = spawnSync('ffprobe', ['-v', 'error', ...wanted, path], { encoding: 'utf8' });
  const lines = stdout.split('\n').filter((line) => line !== '');
  return { times: lines.map((line) => Math.round(1000 * Number.parseFloat(line))), complaints: stderr };
}

async function blocksOf(bytes: Buffer): Promise<{ ms: number; end: number; key: boolean }[]> {
  const blocks: { ms: number; end: number; key: boolean }[] = [];
  const reader = new CaptureReader(
    (async function* () {
      yield bytes;
    })(),
    1 << 24,
  );
  for await (const some of reader.blocks()) {
    for (const { ms, key, packet } of some) blocks.push({ ms, key, end: bytes.indexOf(packet) + packet.length });
  }
  return blocks;
}

const evenly = (index: number): number => 120 + index * 40;

describe.runIf(peersPresent('ffmpeg', 'ffprobe'))('a file of a picture', () => {
  let units: Unit[];
  beforeEach(() => {
    units ??= encodedUnits({ sender: 2, firstCounter: 0, count: 200, keyEvery: 75 });
  });

  it('has each frame at its time, and key frames where they are', async () => {
    const path = join(directory, 'video-1.mkv');
    await writeVideo(path, units, evenly);
    const { times, complaints } = probed(path);
    expect(complaints).toBe('');
    expect(times).toEqual(units.map((_, index) => evenly(index)));
    const keys = (await blocksOf(await readFile(path))).filter(({ key }) => key);
    expect(keys.map(({ ms }) => ms)).toEqual([0, 75, 150].map(evenly));
    const info = spawnSync('ffprobe', ['-v', 'error', '-show_streams', path], { encoding: 'utf8' }).stdout;
    expect(info).toMatch(/codec_name=h264[\s\S]*width=320[\s\S]*height=180/);
  });

  it('cut off at random places is read up to there', { timeout: 120_000 }, async () => {
    const path = join(directory, 'video-1.mkv');
    await writeVideo(path, units, evenly);
    const whole = await readFile(path);
    const all = await blocksOf(whole);
    expect(all).toHaveLength(200);
    const first = all[0]!.end;
    for (let cut = 0; cut < 25; cut++) {
      const length = first + Math.floor(Math.random() * (whole.length - first));
      await writeFile(path, whole.subarray(0, length));
      const left = all.filter(({ end }) => end <= length).map(({ ms }) => ms);
      const { times } = probed(path);
      // Of a frame that is torn off, ffprobe may conceal what is not there.
      expect(times.slice(0, left.length), `cut at ${length}`).toEqual(left);
      expect(times.length, `cut at ${length}`).toBeLessThanOrEqual(left.length + 1);
      expect((await blocksOf(await readFile(path))).map(({ ms }) => ms)).toEqual(left);
    }
  });

  it('sealed, and cut off, has all that was written out', { timeout: 60_000 }, async () => {
    const path = join(directory, 'video-1.mkv.sealed');
    await writeVideo(path, units, evenly, { key: KEY });
    expect((await readFile(path)).includes('Parley')).toBe(false);
    const { size } = await stat(path);
    let fewest = 200;
    for (const share of [1, 0.9, 0.6, 0.3]) {
      await truncate(path, Math.floor(size * share));
      const pieces: Uint8Array[] = [];
      for await (const piece of readSealed(path, KEY, { unfinished: true })) pieces.push(piece);
      const blocks = await blocksOf(Buffer.concat(pieces));
      expect(blocks.map(({ ms }) => ms)).toEqual(blocks.map((_, index) => evenly(index)));
      // Half a second is sealed at a time.
      expect(blocks.length).toBeGreaterThan(200 * share - 30);
      expect(blocks.length).toBeLessThanOrEqual(fewest);
      fewest = blocks.length;
    }
  });

  it('begins with a key frame, and has no time twice', async () => {
    const path = join(directory, 'video-1.mkv');
    await writeVideo(path, units.slice(70, 80), () => 5000);
    expect(probed(path).times).toEqual([5000, 5001, 5002, 5003, 5004]);
  });

  it('goes on in a cluster of its own after a long rest', async () => {
    const path = join(directory, 'video-1.mkv');
    const hours = (index: number): number => index * 3_600_000;
    await writeVideo(path, units.slice(0, 5), hours);
    expect(probed(path).times).toEqual([0, 1, 2, 3, 4].map(hours));
  });
});

describe('a disk that', () => {
  const UNIT = Buffer.from([0, 0, 0, 1, 0x67, 0x42, 0, 0x1e, 0x55, 0, 0, 0, 1, 0x68, 0x55, 0, 0, 0, 1, 0x65, 0x88]);

  async function file(disk: MemoryDisk, failed: VideoFileOptions['failed']): Promise<VideoFile> {
    const about = { path: '/video-1.mkv', title: 'test', startedAt: new Date(0), key: null };
    const made = new VideoFile({ ...about, failed, createFile: disk.createFile });
    await made.open();
    return made;
  }

  it('stands still for ten seconds loses nothing; for longer, it ends the file, and says so once', async () => {
    const reasons: string[] = [];
    const disk = new MemoryDisk();
    const video = await file(disk, (reason) => reasons.push(reason));
    disk.stall();
    for (let ms = 0; ms < 10_000; ms += 40) {
      video.write(UNIT, true, ms, SIZE);
      if (ms % 1000 === 0) await rest();
    }
    expect(reasons).toEqual([]);
    for (let ms = 10_000; ms < 12_000; ms += 40) video.write(UNIT, true, ms, SIZE);
    await rest();
    expect(reasons).toEqual([expect.stringContaining('too slow')]);
    disk.release();
    await video.finish();
    expect(disk.closed).toEqual(['video-1.mkv']);
  });

  it('is full ends it as well', async () => {
    const reasons: string[] = [];
    const disk = new MemoryDisk();
    const video = await file(disk, (reason) => reasons.push(reason));
    disk.refusesWrites = 'ENOSPC';
    for (let ms = 0; ms < 2000; ms += 40) video.write(UNIT, true, ms, SIZE);
    await rest();
    expect(reasons).toEqual(['the disk is full']);
    await video.finish();
  });
});
