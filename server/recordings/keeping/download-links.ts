import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a link leads to: one file of one recording. */
export interface LinkedFile {
  recording: string;
  format: string;
  normalized: boolean;
}

/** What a link says beside the file, as it stands in its query. */
export interface LinkProof {
  /** Seconds since 1970. */
  expires: number;
  /** base64url of an HMAC with SHA-256 (RFC 2104). */
  signature: string;
}

const SECRET_BYTES = 32;

/**
 * The secret behind the links, made at the first start and kept in `dataDir` where only this user can read it. Whoever
 * deletes it makes all links void. Throws when `dataDir` cannot be written to.
 */
export function linkSecret(dataDir: string): Buffer {
  const path = join(dataDir, 'link-secret');
  const kept = readSecret(path);
  if (kept !== null) return kept;
  const secret = randomBytes(SECRET_BYTES);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  writeFileSync(path, `${secret.toString('base64url')}\n`, { mode: 0o600 });
  // `mode` says nothing for a file that was there.
  chmodSync(path, 0o600);
  return secret;
}

/** Null when there is none, or not a whole one. */
function readSecret(path: string): Buffer | null {
  try {
    const secret = Buffer.from(readFileSync(path, 'utf8').trim(), 'base64url');
    return secret.length === SECRET_BYTES ? secret : null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Makes links to files that need no token, until they expire. */
export class DownloadLinks {
  readonly #secret: Buffer;
  readonly #epochMs: () => number;

  /** @param epochMs milliseconds since 1970 */
  constructor(secret: Buffer, epochMs: () => number) {
    this.#secret = secret;
    this.#epochMs = epochMs;
  }

  sign(file: LinkedFile, lifetimeSeconds: number): LinkProof {
    const expires = Math.floor(this.#epochMs() / 1000) + lifetimeSeconds;
    return { expires, signature: this.#signature(file, expires).toString('base64url') };
  }

  /** Whether this link is ours and still good, for just this file. */
  verify(file: LinkedFile, { expires, signature }: LinkProof): boolean {
    const said = Buffer.from(signature, 'base64url');
    const right = this.#signature(file, expires);
    const isOurs = said.length === right.length && timingSafeEqual(said, right);
    return isOurs && this.#epochMs() < expires * 1000;
  }

  /** Ids and formats hold no line breaks, so that no two files have the same text. */
  #signature({ recording, format, normalized }: LinkedFile, expires: number): Buffer {
    const text = ['recording-file', recording, format, String(normalized), String(expires)].join('\n');
    return createHmac('sha256', this.#secret).update(text).digest();
  }
}
