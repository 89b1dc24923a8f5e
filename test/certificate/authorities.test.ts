import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readAuthorities } from '../../server/certificate/authorities.ts';
import { createSelfSigned } from '../../server/certificate/self-signed.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-authorities-'));
  file = join(folder, 'peers.pem');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the file of tlsClientCa', () => {
  it('may have several, with words between', async () => {
    const [one, two] = [await createSelfSigned(['one'], new Date()), await createSelfSigned(['two'], new Date())];
    writeFileSync(file, `One\n=====\n${one.certificate}\nTwo\n${two.certificate}`);
    const read = await readAuthorities(file);
    expect(read?.split('\n')).toEqual(`${one.certificate.trim()}\n${two.certificate.trim()}`.split('\n'));
  });

  it('need not be', async () => {
    expect(await readAuthorities(undefined)).toBeNull();
  });

  it('that is not there, has none or a broken one is an error that names the key', async () => {
    await expect(readAuthorities(file)).rejects.toThrow(/^tlsClientCa must be .*peers\.pem cannot be read: ENOENT/);
    writeFileSync(file, (await createSelfSigned(['one'], new Date())).key);
    await expect(readAuthorities(file)).rejects.toThrow(/peers\.pem has none$/);
    const { certificate } = await createSelfSigned(['one'], new Date());
    writeFileSync(file, certificate + certificate.replace(/\n.{64}\n/, '\n'));
    await expect(readAuthorities(file)).rejects.toThrow(/cannot be used, number 2: /);
  });
});
