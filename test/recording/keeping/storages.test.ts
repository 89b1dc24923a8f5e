import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from 's3rver';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FolderStorage } from '../../../server/recordings/keeping/folder-storage.ts';
import { S3Storage } from '../../../server/recordings/keeping/s3-storage.ts';
import type { PutOptions, RecordingStorage } from '../../../server/recordings/keeping/storage.ts';

const never = new AbortController().signal;
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'parley-storage-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function fileOf(bytes: Buffer): { path: string; options: PutOptions } {
  const path = join(directory, 'finished.m4a');
  writeFileSync(path, bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { path, options: { contentType: 'audio/mp4', sha256, signal: never } };
}

/** What every storage does. */
function storageTests(open: () => RecordingStorage): void {
  let storage: RecordingStorage;
  beforeEach(() => {
    storage = open();
  });
  afterEach(() => storage.close());

  it('keeps a file, gives it back, and removes it', async () => {
    const bytes = randomBytes(100_000);
    const { path, options } = fileOf(bytes);
    const location = await storage.put('team/20261122-120000/team.m4a', path, options);
    rmSync(path);
    await storage.get(location, path, never);
    expect(readFileSync(path).equals(bytes)).toBe(true);
    await storage.remove(location);
    await storage.remove(location);
    rmSync(path);
    await expect(storage.get(location, path, never)).rejects.toThrow();
    expect(readdirSync(directory).filter((name) => name.startsWith('finished'))).toEqual([]);
  });

  it('puts a later file of the same name in the place of the first', async () => {
    const first = fileOf(randomBytes(1000));
    await storage.put('a/b.m4a', first.path, first.options);
    const bytes = randomBytes(10);
    const second = fileOf(bytes);
    const location = await storage.put('a/b.m4a', second.path, second.options);
    await storage.get(location, second.path, never);
    expect(readFileSync(second.path).equals(bytes)).toBe(true);
  });

  it('rejects when the file is not there, and when it is told to stop', async () => {
    const { path, options } = fileOf(randomBytes(10));
    await expect(storage.put('a/b.m4a', `${path}.not`, options)).rejects.toThrow();
    const aborted = AbortSignal.abort();
    await expect(storage.put('a/c.m4a', path, { ...options, signal: aborted })).rejects.toThrow();
  });
}

describe('a folder as storage', () => {
  storageTests(() => new FolderStorage(join(directory, 'kept')));

  it('leaves no empty directories, and nothing half-copied', async () => {
    const folder = join(directory, 'kept');
    const storage = new FolderStorage(folder);
    const { path, options } = fileOf(randomBytes(10));
    const location = await storage.put('team/one/a.m4a', path, options);
    await storage.put('team/two/a.m4a', path, options);
    expect(location).toBe(join(folder, 'team/one/a.m4a'));
    await storage.remove(location);
    expect(readdirSync(join(folder, 'team'))).toEqual(['two']);
    const given = { ...options, signal: AbortSignal.abort() };
    await expect(storage.put('team/three/a.m4a', path, given)).rejects.toThrow();
    await expect(storage.put('other/four/a.m4a', `${path}.not`, options)).rejects.toThrow();
    expect([readdirSync(folder), readdirSync(join(folder, 'team'))]).toEqual([['team'], ['two']]);
  });

  it('touches nothing outside of its folder', async () => {
    const storage = new FolderStorage(join(directory, 'kept'));
    const { path } = fileOf(randomBytes(10));
    mkdirSync(join(directory, 'kept'));
    for (const location of [path, join(directory, 'kept'), join(directory, 'kept/../finished.m4a')]) {
      await expect(storage.remove(location)).rejects.toThrow('is not in');
    }
    expect(existsSync(path)).toBe(true);
  });
});

describe('an S3 server as storage', () => {
  let server: S3rver;
  let port = 0;
  let stored: string;

  beforeAll(async () => {
    stored = mkdtempSync(join(tmpdir(), 'parley-s3-'));
    server = new S3rver({
      address: '127.0.0.1',
      port: 0,
      silent: true,
      directory: stored,
      configureBuckets: [{ name: 'recordings', configs: [] }],
    });
    ({ port } = await server.run());
  });
  afterAll(async () => {
    await server.close();
    rmSync(stored, { recursive: true });
  });

  function open(bucket = 'recordings'): S3Storage {
    return new S3Storage({
      bucket,
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
      prefix: 'parley',
      pathStyle: true,
    });
  }

  storageTests(() => open());

  it('stores a large file in parts', { timeout: 60_000 }, async () => {
    const storage = open();
    const bytes = randomBytes(12_000_000);
    const { path, options } = fileOf(bytes);
    const location = await storage.put('team/large.wav', path, options);
    expect(location).toBe('s3://recordings/parley/team/large.wav');
    await storage.get(location, path, never);
    expect(readFileSync(path).equals(bytes)).toBe(true);
    storage.close();
  });

  it('says why nothing could be stored', async () => {
    const { path, options } = fileOf(randomBytes(10));
    const wrong = open('not-there');
    await expect(wrong.put('a.m4a', path, options)).rejects.toThrow(/bucket does not exist/i);
    wrong.close();
  });
});
