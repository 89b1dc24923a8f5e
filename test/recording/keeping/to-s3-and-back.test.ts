import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from 's3rver';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { readSealed } from '../../../sealed/read-sealed.ts';
import { Sealer } from '../../../sealed/sealer.ts';
import { loadConfig } from '../../../server/config/load.ts';
import { recordingSettings, storageSettings } from '../../../server/configured-parts.ts';
import { NodeTimers } from '../../../server/node-timers.ts';
import { openStorage } from '../../../server/recordings/keeping/open-storage.ts';
import { Recordings } from '../../../server/recordings/recordings.ts';
import { sine, writeCapture } from '../captures.ts';

const KEY = createHash('sha256').update('a key').digest();
const log = { info: () => undefined, warn: () => undefined };

let server: S3rver;
let port = 0;
let directory = '';
const open: Recordings[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'parley-s3-'));
  server = new S3rver({
    ...{ address: '127.0.0.1', port: 0, silent: true, directory: join(directory, 's3') },
    configureBuckets: [{ name: 'recordings', configs: [] }],
  });
  ({ port } = await server.run());
});
afterEach(() => Promise.all(open.splice(0).map((recordings) => recordings.close(0))));
afterAll(async () => {
  await server.close();
  await rm(directory, { recursive: true });
});

/** As a server with that configuration has them. */
async function openRecordings(dataDir: string, env: Record<string, string>): Promise<Recordings> {
  const config = configOf(dataDir, env);
  const storage = await openStorage(storageSettings(config));
  const recordings = new Recordings({ ...recordingSettings(config), timers: new NodeTimers(), storage, log });
  open.push(recordings);
  await recordings.open();
  return recordings;
}

const s3 = () => ({
  PARLEY_RECORDING_S3_BUCKET: 'recordings',
  PARLEY_RECORDING_S3_ENDPOINT: `http://127.0.0.1:${port}`,
  PARLEY_RECORDING_S3_ACCESS_KEY_ID: 'S3RVER',
  PARLEY_RECORDING_S3_SECRET_ACCESS_KEY: 'S3RVER',
  PARLEY_RECORDING_S3_PREFIX: 'parley/',
});

async function content(path: string, key: Uint8Array | null): Promise<Buffer> {
  if (key === null) return readFileSync(path);
  const chunks: Buffer[] = [];
  for await (const chunk of readSealed(path, key)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('a recording that has ended', () => {
  it.each([
    ['S3', s3, null],
    ['S3, encrypted', s3, KEY],
    ['a folder', () => ({ PARLEY_RECORDING_FOLDER: join(directory, 'folder') }), null],
  ] as const)(
    'goes to %s as what was made of it, comes back from there, and is removed there',
    async (to, where, key) => {
      const dataDir = join(directory, to);
      const secret = key === null ? {} : { PARLEY_RECORDING_KEY: key.toString('hex') };
      const env = { ...where(), ...secret, PARLEY_RECORDING_KEEP_LOCAL: 'false', PARLEY_RECORDING_FORMATS: 'ogg,m4a' };
      const recordings = await openRecordings(dataDir, env);
      const { id, directory: place } = await recordings.begin({ room: 'demo', startedBy: 'moderator', tracks: false });
      recordings.begun(id, ['Ann']);
      await writeCapture(join(place, 'mix-1.mka'), 'opus', [{ fromMs: 0, toMs: 2000 }], sine(440));
      if (key !== null) await sealCapture(join(place, 'mix-1.mka'), key);
      await recordings.ended(id, { durationMs: 2000, error: null });

      const files = () => readdirSync(place);
      await vi.waitFor(() => expect(files()).toEqual(['recording.json']), { timeout: 20_000, interval: 20 });
      const view = recordings.get(id);
      expect(view.files).toMatchObject([
        { format: 'ogg', state: 'ready' },
        { format: 'm4a', state: 'ready' },
      ]);
      const ending = key === null ? '' : '.sealed';
      if (where === s3) {
        expect(view.files[0]!.stored).toBe(`s3://recordings/parley/demo/${id}/demo-${id.slice(0, 15)}.ogg${ending}`);
      }
      await open.pop()!.close(0);

      const later = await openRecordings(dataDir, env);
      for (const { format, sha256, bytes } of view.files) {
        const file = await later.file(id, format);
        const plain = await content(file.path, key);
        expect([plain.length, createHash('sha256').update(plain).digest('hex')]).toEqual([bytes, sha256]);
        expect(file.sha256).toBe(sha256);
      }
      await later.remove(id);
      const storage = (await openStorage(storageSettings(configOf(dataDir, env))))!;
      await vi.waitFor(() => expect(readdirSync(join(dataDir, 'recordings'))).toEqual([]), { timeout: 10_000 });
      for (const { stored } of view.files) {
        await expect(storage.get(stored!, join(dataDir, 'x'), new AbortController().signal)).rejects.toThrow();
      }
      storage.close();
    },
    60_000,
  );
});

function configOf(dataDir: string, env: Record<string, string>) {
  const loaded = loadConfig({ argv: [], env: { PARLEY_DATA_DIR: dataDir, ...env }, cwd: directory });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded));
  return loaded.config;
}

async function sealCapture(path: string, key: Uint8Array): Promise<void> {
  const sealer = new Sealer(key, 'as written');
  await writeFile(`${path}.sealed`, Buffer.concat([sealer.seal(readFileSync(path)), sealer.finish()]));
  await rm(path);
}
