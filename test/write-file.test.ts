import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeFileBy } from '../server/write-file.ts';

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'parley-write-'));
  path = join(directory, 'file');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('writeFileBy', () => {
  it('has written everything when it resolves', async () => {
    const chunks = Array.from({ length: 100 }, (_, index) => Buffer.alloc(30_000, index));
    await writeFileBy(path, (file) => pipeline(Readable.from(chunks), file));
    expect(readFileSync(path).equals(Buffer.concat(chunks))).toBe(true);
  });

  it('is done with the file when it rejects: removed is removed', async () => {
    for (let round = 0; round < 100; round++) {
      const missing = join(directory, 'missing');
      await expect(writeFileBy(path, (file) => pipeline(createReadStream(missing), file))).rejects.toThrow('ENOENT');
      rmSync(path);
      await new Promise((resolve) => setImmediate(resolve));
      expect(existsSync(path)).toBe(false);
    }
  });

  it('gives up in the middle of a write', async () => {
    const stop = new AbortController();
    async function* chunks() {
      yield Buffer.alloc(1_000_000);
      stop.abort();
      yield Buffer.alloc(1_000_000);
    }
    const { signal } = stop;
    await expect(writeFileBy(path, (file) => pipeline(Readable.from(chunks()), file, { signal }))).rejects.toThrow();
    rmSync(path);
    expect(existsSync(path)).toBe(false);
  });

  it('rejects where there is no directory, and asks for nothing', async () => {
    const write = () => Promise.reject(new Error('asked'));
    await expect(writeFileBy(join(directory, 'none', 'file'), write)).rejects.toThrow('ENOENT');
  });
});
