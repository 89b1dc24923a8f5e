import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface AdminToken {
  token: string;
  /** True only when it was made just now: the moment to show it. */
  created: boolean;
}

/**
 * The administrator's bearer token: the configured one; otherwise the one made at the first start, which is kept in
 * `dataDir` where only this user can read it. Throws when `dataDir` cannot be written to.
 */
export function adminToken(dataDir: string, configured: string | undefined): AdminToken {
  if (configured !== undefined) return { token: configured, created: false };
  const path = join(dataDir, 'api-token');
  const kept = readToken(path);
  if (kept !== null) return { token: kept, created: false };
  const token = randomBytes(32).toString('base64url');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  writeFileSync(path, `${token}\n`, { mode: 0o600 });
  // `mode` says nothing for a file that was there.
  chmodSync(path, 0o600);
  return { token, created: true };
}

/** Null when there is none. An empty file, left by a full disk, counts as none. */
function readToken(path: string): string | null {
  try {
    const token = readFileSync(path, 'utf8').trim();
    return token || null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
