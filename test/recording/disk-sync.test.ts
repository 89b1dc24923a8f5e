import { expect, it } from 'vitest';
import { DiskSync, type Syncable } from '../../mixer/recording/disk-sync.ts';

it('files are brought to the disk one after the other, each once however often it was written, and some at a time', async () => {
  const diskSync = new DiskSync();
  const synced: number[] = [];
  let atOnce = 0;
  let most = 0;
  let over: () => void = () => undefined;
  const all = new Promise<void>((resolve) => {
    over = resolve;
  });
  const files: Syncable[] = Array.from({ length: 60 }, (_, index) => ({
    sync: async () => {
      most = Math.max(most, ++atOnce);
      await new Promise((resolve) => setImmediate(resolve));
      atOnce--;
      synced.push(index);
      if (index === 49) expect(synced).toHaveLength(49);
      if (index === 59) over();
    },
  }));
  for (let time = 0; time < 3; time++) for (const file of files) diskSync.add(file);
  diskSync.remove(files[7]!);
  await all;
  expect(most).toBe(1);
  expect(synced).toEqual(files.map((_, index) => index).filter((index) => index !== 7));
});
