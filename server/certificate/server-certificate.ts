import { X509Certificate } from 'node:crypto';
import { chmod, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { Log } from '../log.ts';
import type { Timer, Timers } from '../timers.ts';
import { createSelfSigned, type KeyAndCertificate } from './self-signed.ts';

export interface ServerCertificateOptions {
  readonly timers: Timers;
  readonly log: Log;
  /** Where a self-signed one and its key are kept. */
  readonly dataDir: string;
  /** The real one, in PEM; without it one is made. */
  readonly files: CertificateFiles | null;
  /** Names and addresses that a self-signed one is for. */
  readonly names: readonly string[];
  /** The time of day. */
  readonly today?: () => Date;
}

export interface CertificateFiles {
  /** With those between it and its root. */
  readonly certificate: string;
  readonly key: string;
}

const LOOK_INTERVAL_MS = 5_000;
const RENEW_BEFORE_MS = 30 * 86_400_000;

/**
 * The certificate that TLS uses here, kept up to date: a configured file is taken up again when it changes, a
 * self-signed one is made anew before it expires.
 */
export class ServerCertificate {
  /** Called with each one that follows the first. */
  changed: (pair: KeyAndCertificate) => void = () => {};
  private readonly options: ServerCertificateOptions;
  private pair: KeyAndCertificate;
  private expiresMs = 0;
  /** The state of the files that was taken up, or refused, last. */
  private judged: string;
  /** Their state at the last look: one that is still being written changes until the next. */
  private seen: string;
  private timer: Timer | null = null;
  private closed = false;

  /** Rejects when a configured file cannot be used, or none can be made; says which. */
  static async open(options: ServerCertificateOptions): Promise<ServerCertificate> {
    const state = await stateOf(options.files);
    return new ServerCertificate(options, await load(options), state);
  }

  private constructor(options: ServerCertificateOptions, pair: KeyAndCertificate, state: string) {
    this.options = options;
    this.pair = pair;
    this.judged = state;
    this.seen = state;
    this.take(pair);
    this.lookLater();
  }

  get current(): KeyAndCertificate {
    return this.pair;
  }

  close(): void {
    this.closed = true;
    this.timer?.clear();
  }

  private lookLater(): void {
    this.timer = this.options.timers.set(LOOK_INTERVAL_MS, () => {
      this.look().then(() => {
        if (!this.closed) this.lookLater();
      });
    });
  }

  /** Nothing that is wrong with a new one takes away the old one. */
  private async look(): Promise<void> {
    const { files, log } = this.options;
    const state = await stateOf(files);
    const settled = state === this.seen;
    this.seen = state;
    const due = files === null ? this.expiresSoon() : settled && state !== this.judged;
    if (!due) return;
    this.judged = state;
    try {
      const pair = await load(this.options);
      if (this.closed) return;
      this.take(pair);
      log.info({ expires: new Date(this.expiresMs).toISOString() }, 'TLS certificate taken up');
      this.changed(pair);
    } catch (error) {
      log.error({ reason: (error as Error).message }, 'TLS certificate not taken up; the former stays in use');
    }
  }

  private take(pair: KeyAndCertificate): void {
    this.pair = pair;
    this.expiresMs = Date.parse(new X509Certificate(pair.certificate).validTo);
    if (this.options.files !== null && this.expiresSoon()) {
      this.options.log.warn({ expires: new Date(this.expiresMs).toISOString() }, 'TLS certificate expires soon');
    }
  }

  private expiresSoon(): boolean {
    return this.expiresMs - todayOf(this.options).getTime() < RENEW_BEFORE_MS;
  }
}

const todayOf = ({ today }: ServerCertificateOptions): Date => today?.() ?? new Date();

function load(options: ServerCertificateOptions): Promise<KeyAndCertificate> {
  return options.files === null ? keptOrMade(options) : configured(options.files);
}

async function configured(files: CertificateFiles): Promise<KeyAndCertificate> {
  const [certificate, key] = await Promise.all([read(files.certificate), read(files.key)]);
  const pair = { certificate, key };
  const fault = faultOf(pair);
  if (fault !== null) throw new Error(`${files.certificate} with key ${files.key} cannot be used: ${fault}`);
  return pair;
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new Error(`${file} cannot be read: ${(error as Error).message}`);
  }
}

/** Null when TLS can use it. */
function faultOf(pair: KeyAndCertificate): string | null {
  try {
    createSecureContext({ cert: pair.certificate, key: pair.key });
    new X509Certificate(pair.certificate);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

async function keptOrMade(options: ServerCertificateOptions): Promise<KeyAndCertificate> {
  const { dataDir, names } = options;
  const files = { certificate: join(dataDir, 'tls-certificate.pem'), key: join(dataDir, 'tls-key.pem') };
  const now = todayOf(options);
  const kept = await configured(files).catch(() => null);
  if (kept !== null && isGood(kept, names, now)) return kept;
  const made = await createSelfSigned(names, now);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await put(files.key, made.key);
  await put(files.certificate, made.certificate);
  return made;
}

function isGood({ certificate }: KeyAndCertificate, names: readonly string[], now: Date): boolean {
  const parsed = new X509Certificate(certificate);
  const covers = (name: string): boolean =>
    (isIP(name) === 0 ? parsed.checkHost(name, { subject: 'never' }) : parsed.checkIP(name)) !== undefined;
  return Date.parse(parsed.validTo) - now.getTime() > RENEW_BEFORE_MS && names.every(covers);
}

/** For this user alone; whole or not at all. */
async function put(file: string, text: string): Promise<void> {
  const beside = `${file}.new`;
  await writeFile(beside, text, { mode: 0o600 });
  // `mode` says nothing for a file that was there.
  await chmod(beside, 0o600);
  await rename(beside, file);
}

/**
 * What changes when a file does, or who may read it; links are followed, as certificate tools replace those.
 */
async function stateOf(files: CertificateFiles | null): Promise<string> {
  if (files === null) return '';
  const states = [files.certificate, files.key].map(async (file) => {
    const found = await stat(file).catch(() => null);
    return found === null ? 'gone' : `${found.ino} ${found.size} ${found.ctimeMs}`;
  });
  return (await Promise.all(states)).join(', ');
}
