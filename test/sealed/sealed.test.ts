import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ReadSealedOptions, readSealed, sealedPlainSize } from '../../sealed/read-sealed.ts';
import { type Records, Sealer, sealStream } from '../../sealed/sealer.ts';

const KEY = randomBytes(32);
const RECORD = 65_536;

let directory = '';
let names = 0;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'parley-sealed-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function fileOf(octets: Uint8Array): Promise<string> {
  const path = join(directory, `${names++}`);
  await writeFile(path, octets);
  return path;
}

function sealed(plain: Uint8Array, records: Records, pieceBytes: number, finished = true): Buffer {
  const sealer = new Sealer(KEY, records);
  const pieces: Buffer[] = [];
  for (let at = 0; at < plain.length; at += pieceBytes) pieces.push(sealer.seal(plain.subarray(at, at + pieceBytes)));
  if (finished) pieces.push(sealer.finish());
  return Buffer.concat(pieces);
}

async function unseal(path: string, options: ReadSealedOptions = {}, key: Uint8Array = KEY): Promise<Buffer> {
  return buffer(Readable.from(readSealed(path, key, options)));
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: { code: string }) => error.code,
  );

describe.each<Records>(['as written', 'fixed'])('what was sealed with records %s', (records) => {
  it.each([0, 1, 1000, RECORD - 1, RECORD, RECORD + 1, 3 * RECORD, 200_000])(
    'comes back (%i octets)',
    async (length) => {
      const plain = randomBytes(length);
      const path = await fileOf(sealed(plain, records, 7000));
      expect((await unseal(path)).equals(plain)).toBe(true);
      expect(await sealedPlainSize(path)).toBe(length);
    },
  );

  it('can be read from anywhere to anywhere', async () => {
    const plain = randomBytes(300_000);
    const path = await fileOf(sealed(plain, records, 150_000));
    const border = [0, 1, RECORD - 1, RECORD, RECORD + 1, 2 * RECORD, 299_999];
    for (const start of border) {
      for (const end of border) {
        if (end < start) continue;
        const part = await unseal(path, { start, end });
        expect(part.equals(plain.subarray(start, end + 1)), `${start}-${end}`).toBe(true);
      }
    }
    expect(await unseal(path, { start: 300_000 })).toHaveLength(0);
    expect((await unseal(path, { start: 299_990, end: 400_000 })).equals(plain.subarray(299_990))).toBe(true);
  });

  it('cannot be read with another key', async () => {
    const path = await fileOf(sealed(randomBytes(1000), records, 500));
    expect(await codeOf(unseal(path, {}, randomBytes(32)))).toBe('wrong-key');
    expect(await codeOf(unseal(path, { unfinished: true }, randomBytes(32)))).toBe('wrong-key');
  });

  it('shows each change', async () => {
    const octets = sealed(randomBytes(150_000), records, 40_000);
    for (let at = 22; at < octets.length; at += 997) {
      const changed = Buffer.from(octets);
      changed[at]! ^= 0x10;
      expect(await codeOf(unseal(await fileOf(changed))), `octet ${at}`).toMatch(/wrong-key|damaged|cut/);
    }
  });

  it('shows that it was cut, wherever; unless that was to be expected', async () => {
    const plain = randomBytes(200_000);
    const octets = sealed(plain, records, 40_000);
    for (let length = 22; length < octets.length; length += 1237) {
      const path = await fileOf(octets.subarray(0, length));
      expect(await codeOf(unseal(path)), `${length}`).toBe('cut');
      const rest = await unseal(path, { unfinished: true });
      expect(rest.equals(plain.subarray(0, rest.length))).toBe(true);
      expect(rest.length).toBeGreaterThan(length - RECORD - 200);
      expect(await sealedPlainSize(path)).toBe(rest.length);
    }
  });

  it('has records that are in no other order', async () => {
    const plain = randomBytes(4 * RECORD);
    const octets = sealed(plain, records, RECORD - 1);
    const first = 22;
    const length = (records === 'fixed' ? RECORD : RECORD - 1) + 20;
    const swapped = Buffer.concat([
      ...[octets.subarray(0, first), octets.subarray(first + length, first + 2 * length)],
      ...[octets.subarray(first, first + length), octets.subarray(first + 2 * length)],
    ]);
    expect(await codeOf(unseal(await fileOf(swapped)))).toBe('wrong-key');
  });

  it('is different each time', () => {
    const plain = Buffer.alloc(1000);
    expect(sealed(plain, records, 100).equals(sealed(plain, records, 100))).toBe(false);
  });
});

it('what was written can be read before the file has ended', async () => {
  const plain = randomBytes(10_000);
  const path = await fileOf(sealed(plain, 'as written', 1000, false));
  expect(await codeOf(unseal(path))).toBe('cut');
  expect((await unseal(path, { unfinished: true })).equals(plain)).toBe(true);
});

it('noise at the end, as of a disk without power, ends what can be read', async () => {
  const plain = randomBytes(10_000);
  for (const noise of [Buffer.alloc(5000), randomBytes(5000), Buffer.alloc(3)]) {
    const octets = Buffer.concat([sealed(plain, 'as written', 1000, false), noise]);
    expect((await unseal(await fileOf(octets), { unfinished: true })).equals(plain)).toBe(true);
  }
});

it('what a crash left in the very beginning is nothing, and no error, for who reads what is unfinished', async () => {
  const octets = sealed(randomBytes(1000), 'as written', 1000, false);
  const zeros = Buffer.alloc(1000);
  const left = [0, 1, 14, 21, 22, 30, 500].map((length) => octets.subarray(0, length));
  for (const torn of [...left, zeros, Buffer.concat([octets.subarray(0, 22), zeros])]) {
    const path = await fileOf(torn);
    expect(await unseal(path, { unfinished: true }), `${torn.length} octets`).toHaveLength(0);
    expect(['not-sealed', 'cut']).toContain(await codeOf(unseal(path)));
  }
});

it('what is not sealed is not taken for it', async () => {
  for (const octets of [Buffer.alloc(0), Buffer.from('PARLEY-SEALED'), randomBytes(100)]) {
    const path = await fileOf(octets);
    expect(await codeOf(unseal(path))).toBe('not-sealed');
    expect(await codeOf(sealedPlainSize(path))).toBe('not-sealed');
  }
  expect(await codeOf(unseal(join(directory, 'nowhere')))).toBe('ENOENT');
});

it('a stream seals what flows through it', async () => {
  const plain = randomBytes(500_000);
  const octets = await buffer(Readable.from([plain.subarray(0, 3), plain.subarray(3)]).pipe(sealStream(KEY)));
  const path = await fileOf(octets);
  expect((await unseal(path)).equals(plain)).toBe(true);
  expect((await readFile(path)).length).toBe(22 + 500_000 + 8 * 20);
});

it('a key is 32 octets', () => {
  expect(() => new Sealer(randomBytes(16), 'fixed')).toThrow(RangeError);
});
