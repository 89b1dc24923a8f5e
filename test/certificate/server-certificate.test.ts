import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSelfSigned } from '../../server/certificate/self-signed.ts';
import { ServerCertificate, type ServerCertificateOptions } from '../../server/certificate/server-certificate.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';

const DAY_MS = 86_400_000;
const TODAY = new Date('2026-03-01T00:00:00Z');
const NAMES = ['conference.example.com', '192.0.2.10', '2001:db8::10', 'localhost'];

let folder: string;
let timers: VirtualTimers;
let logged: string[];
let open: ServerCertificate[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-certificate-'));
  timers = new VirtualTimers();
  logged = [];
  open = [];
});
afterEach(() => {
  for (const certificate of open) certificate.close();
  rmSync(folder, { recursive: true });
});

async function opened(options: Partial<ServerCertificateOptions> = {}): Promise<ServerCertificate> {
  const log = pino({ base: null }, { write: (line: string) => void logged.push(line) });
  const certificate = await ServerCertificate.open({
    timers,
    log,
    dataDir: folder,
    files: null,
    names: NAMES,
    today: () => TODAY,
    ...options,
  });
  open.push(certificate);
  return certificate;
}

const parsed = (certificate: ServerCertificate) => new X509Certificate(certificate.current.certificate);

/** Lets the looks at the files happen: each reads the disk, which virtual time does not wait for. */
async function looks(count: number, until: () => boolean = () => false): Promise<void> {
  for (let look = 0; look < count && !until(); look++) {
    timers.advance(5_000);
    const startMs = performance.now();
    while (timers.pending === 0 && performance.now() - startMs < 5_000) await new Promise((next) => setImmediate(next));
  }
}

describe('a self-signed certificate', () => {
  it('is good for every name and address, and is signed with its own key', async () => {
    const pair = await createSelfSigned(NAMES, TODAY);
    const certificate = new X509Certificate(pair.certificate);
    expect(certificate.subject).toBe('CN=conference.example.com');
    expect(certificate.subjectAltName).toBe(
      'DNS:conference.example.com, IP Address:192.0.2.10, DNS:192.0.2.10, IP Address:2001:DB8:0:0:0:0:0:10, DNS:localhost',
    );
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(new Date(certificate.validFrom).getTime()).toBeLessThan(TODAY.getTime());
    expect((Date.parse(certificate.validTo) - TODAY.getTime()) / DAY_MS).toBe(396);
    createSecureContext({ cert: pair.certificate, key: pair.key });
  });

  it('may last beyond 2049, where its times are written otherwise (RFC 5280 §4.1.2.5)', async () => {
    const { certificate } = await createSelfSigned(['a'.repeat(70)], new Date('2049-06-01T12:34:56Z'));
    expect(new Date(new X509Certificate(certificate).validTo).toISOString()).toBe('2050-07-02T12:34:56.000Z');
    expect(new X509Certificate(certificate).subject).toBe('CN=Parley');
  });

  it('is made at the first start, for this user alone, and kept', async () => {
    const first = await opened();
    for (const name of ['tls-key.pem', 'tls-certificate.pem']) {
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    }
    expect((await opened()).current).toEqual(first.current);
  });

  it('is made anew when it is not for a name of today, or broken', async () => {
    const first = await opened();
    const second = await opened({ names: [...NAMES, '198.51.100.1'] });
    expect(second.current).not.toEqual(first.current);
    writeFileSync(join(folder, 'tls-key.pem'), 'half a key');
    expect((await opened()).current).not.toEqual(second.current);
  });

  it('is made anew a month before it expires, while the server runs', async () => {
    let today = TODAY;
    const certificate = await opened({ today: () => today });
    const first = certificate.current;
    const changes: string[] = [];
    certificate.changed = (pair) => changes.push(pair.certificate);
    today = new Date(TODAY.getTime() + 365 * DAY_MS);
    await looks(2);
    expect(certificate.current).toBe(first);
    today = new Date(TODAY.getTime() + 367 * DAY_MS);
    await looks(20, () => changes.length > 0);
    expect(changes).toEqual([certificate.current.certificate]);
    expect(Date.parse(parsed(certificate).validTo)).toBeGreaterThan(today.getTime() + 390 * DAY_MS);
  });
});

describe('a configured certificate', () => {
  let files: { certificate: string; key: string };
  let writes = 0;

  beforeEach(() => {
    files = { certificate: join(folder, 'fullchain.pem'), key: join(folder, 'privkey.pem') };
  });

  /** With a time of its own, as file systems may count time coarsely. */
  function write(file: string, text: string): void {
    writeFileSync(file, text);
    writes++;
    utimesSync(file, writes, writes);
  }

  async function issue(): Promise<string> {
    const pair = await createSelfSigned(NAMES, TODAY);
    write(files.certificate, pair.certificate);
    write(files.key, pair.key);
    return pair.certificate;
  }

  it('is taken up again when it changes', async () => {
    const first = await issue();
    const certificate = await opened({ files });
    const changes: string[] = [];
    certificate.changed = (pair) => changes.push(pair.certificate);
    expect(certificate.current.certificate).toBe(first);
    await looks(3);
    expect(changes).toEqual([]);
    const second = await issue();
    await looks(4);
    expect(changes).toEqual([second]);
  });

  it('is taken up again though it is as long and seems as old as the one before', async () => {
    const pairs = [await createSelfSigned(NAMES, TODAY), await createSelfSigned(NAMES, TODAY)] as const;
    const put = (pair: (typeof pairs)[number]): void => {
      for (const [file, text] of [
        [files.certificate, pair.certificate],
        [files.key, pair.key],
      ] as const) {
        writeFileSync(file, text.padEnd(4096, '\n'));
        utimesSync(file, 1, 1);
      }
    };
    put(pairs[0]);
    const certificate = await opened({ files });
    put(pairs[1]);
    await looks(4);
    expect(certificate.current.certificate.trim()).toBe(pairs[1].certificate.trim());
  });

  it('that is broken is named in the log once, and the former stays', async () => {
    const first = await issue();
    const certificate = await opened({ files });
    write(files.certificate, 'no certificate');
    await looks(5);
    expect(certificate.current.certificate).toBe(first);
    const errors = logged.filter((line) => line.includes('"level":50'));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(files.certificate);
    const third = await issue();
    await looks(4);
    expect(certificate.current.certificate).toBe(third);
  });

  it('and its key may be replaced one after the other', async () => {
    await issue();
    const certificate = await opened({ files });
    const next = await createSelfSigned(NAMES, TODAY);
    write(files.certificate, next.certificate);
    await looks(1);
    write(files.key, next.key);
    await looks(4);
    expect(certificate.current).toEqual(next);
    expect(logged.join('')).not.toContain('not taken up');
  });

  it('that cannot be used at the start is an error that names it', async () => {
    await issue();
    write(files.key, (await createSelfSigned(NAMES, TODAY)).key);
    await expect(opened({ files })).rejects.toThrow(files.certificate);
    rmSync(files.key);
    await expect(opened({ files })).rejects.toThrow(`${files.key} cannot be read`);
  });

  it('that expires soon is said in the log', async () => {
    await issue();
    await opened({ files, today: () => new Date(TODAY.getTime() + 380 * DAY_MS) });
    expect(logged.join('')).toContain('TLS certificate expires soon');
  });
});
