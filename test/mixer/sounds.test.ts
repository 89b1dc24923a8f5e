import { utimes, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { Sounds } from '../../mixer/playback/sounds.ts';
import { wavFile } from '../../mixer/playback/wav.ts';
import { anyFile, softTone, WatchedDisk, wavTone } from './sound-files.ts';

async function openSound(sounds: Sounds, path: string) {
  return sounds.open(await sounds.inspect(path));
}

it('sounds that were used last are kept, within bounds', async () => {
  const disk = new WatchedDisk();
  const sounds = new Sounds(disk.openFile);
  // 4 MB each, of which 8 fit.
  const content = wavFile(new Int16Array(2_000_000), 48_000);
  const files = Array.from({ length: 10 }, () => anyFile('wav', content));
  /** How often the file had to be opened beyond being looked at. */
  const reads = async (file: string): Promise<number> => {
    const before = disk.opened;
    await openSound(sounds, file);
    return disk.opened - before - 1;
  };
  for (const file of files.slice(0, 8)) expect(await reads(file)).toBe(1);
  expect(await reads(files[0]!)).toBe(0);
  for (const file of files.slice(8)) expect(await reads(file)).toBe(1);
  expect(await reads(files[0]!)).toBe(0);
  expect(await reads(files[1]!)).toBe(1);
  expect(disk.open).toBe(0);
});

it('a file that was replaced is read anew', async () => {
  const sounds = new Sounds();
  const path = wavTone(500, 1000, 8000);
  const out = new Int16Array(8000);
  expect((await openSound(sounds, path)).take(out, 0, 8000)).toBe(8000);
  const changed = softTone(8000, 900, 1000);
  await writeFile(path, wavFile(changed, 8000));
  await utimes(path, 1, 1);
  const again = await openSound(sounds, path);
  expect(again.take(out, 0, 8000)).toBe(8000);
  expect(out).toEqual(changed);
  expect(again.ended).toBe(true);
});

it('a file that could not be read is read the next time', async () => {
  const disk = new WatchedDisk();
  let broken = true;
  const sounds = new Sounds(async (path) => {
    const file = await disk.openFile(path);
    return {
      ...file,
      read: (...where) =>
        broken && disk.opened > 1 ? Promise.reject(new Error('EIO: i/o error')) : file.read(...where),
    };
  });
  const path = wavTone(500, 1000, 8000);
  await expect(openSound(sounds, path)).rejects.toThrow(`${path} EIO`);
  broken = false;
  const out = new Int16Array(10_000);
  expect((await openSound(sounds, path)).take(out, 0, 10_000)).toBe(8000);
  expect(disk.open).toBe(0);
});

it('while many are read, the event loop turns often enough for the ticks', async () => {
  const sounds = new Sounds();
  const files = Array.from({ length: 10 }, () => anyFile('g722', new Uint8Array(20_000)));
  let turns = 0;
  let reading = true;
  const turn = (): void => {
    turns++;
    if (reading) setImmediate(turn);
  };
  setImmediate(turn);
  await Promise.all(files.map((file) => openSound(sounds, file)));
  reading = false;
  // 40 000 samples each.
  expect(turns).toBeGreaterThanOrEqual((10 * 40_000) / 1600);
});
