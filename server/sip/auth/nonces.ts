import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

export interface NonceOptions {
  /** How long one is good for. */
  readonly lifetimeMs?: number;
  /** How many that were used are remembered at a time. */
  readonly maxRemembered?: number;
}

/** Longer than the usual registration, so that most refreshes need no new challenge; counts keep them from replay. */
const LIFETIME_MS = 2 * 3_600_000;
const MAX_REMEMBERED = 100_000;

const TIME_BYTES = 6;
const SERIAL_BYTES = 6;
const TOLD_BYTES = TIME_BYTES + SERIAL_BYTES;
const MAC_BYTES = 15;

/** Counts that may still come after a higher one: requests overtake each other over UDP. */
const WINDOW = 32;

/** What was seen of a nonce that somebody signed in with. */
interface Seen {
  readonly issuedMs: number;
  /** Of the one whom it was issued to. */
  readonly address: string;
  highest: number;
  /** Bit n: the count `highest - n` was seen. */
  window: number;
}

/**
 * Nonces that need no memory until somebody signs in with them: each tells its own time, and a keyed hash over that and
 * the client's address. Bound to the address, one that comes back proves that the client can be reached there.
 */
export class Nonces {
  private readonly lifetimeMs: number;
  private readonly maxRemembered: number;
  private readonly secret = randomBytes(32);
  private serial = 0;
  private readonly seen = new Map<string, Seen>();
  /** Of those issued until then, only the remembered ones are good: the others may have been forgotten. */
  private forgottenUntilMs = -1;

  constructor({ lifetimeMs = LIFETIME_MS, maxRemembered = MAX_REMEMBERED }: NonceOptions = {}) {
    this.lifetimeMs = lifetimeMs;
    this.maxRemembered = maxRemembered;
  }

  get remembered(): number {
    return this.seen.size;
  }

  issue(address: string, nowMs: number): string {
    const bytes = Buffer.allocUnsafe(TOLD_BYTES + MAC_BYTES);
    bytes.writeUIntBE(Math.floor(nowMs), 0, TIME_BYTES);
    bytes.writeUIntBE(++this.serial, TIME_BYTES, SERIAL_BYTES);
    this.mac(bytes, address).copy(bytes, TOLD_BYTES, 0, MAC_BYTES);
    return bytes.toString('base64url');
  }

  /** Whether we gave it to that address, and not too long ago. */
  isFresh(nonce: string, address: string, nowMs: number): boolean {
    const seen = this.seen.get(nonce);
    // Its own hash was looked at when it was used first.
    if (seen !== undefined) return seen.address === address && nowMs - seen.issuedMs < this.lifetimeMs;
    const issuedMs = this.issuedMs(nonce, address);
    if (issuedMs === null || nowMs - issuedMs >= this.lifetimeMs) return false;
    return issuedMs > this.forgottenUntilMs;
  }

  /**
   * Takes note of a use of a fresh one that was proved by the right digest; false when it is a replay.
   * @param count the nonce count (RFC 7616 §3.4), null without `qop`: then the nonce serves once.
   */
  use(nonce: string, address: string, count: number | null, nowMs: number): boolean {
    const seen = this.seen.get(nonce);
    if (seen === undefined) {
      this.remember(nonce, address, count ?? Number.POSITIVE_INFINITY, nowMs);
      return true;
    }
    return count !== null && note(seen, count);
  }

  private remember(nonce: string, address: string, count: number, nowMs: number): void {
    for (const [old, { issuedMs }] of this.seen) {
      const expired = nowMs - issuedMs >= this.lifetimeMs;
      if (!expired && this.seen.size < this.maxRemembered) break;
      this.seen.delete(old);
      if (!expired) this.forgottenUntilMs = Math.max(this.forgottenUntilMs, issuedMs);
    }
    const issuedMs = Buffer.from(nonce, 'base64url').readUIntBE(0, TIME_BYTES);
    // A copy: the nonce is a part of a message, which would be kept with it.
    this.seen.set(Buffer.from(nonce).toString(), { issuedMs, address, highest: count, window: 1 });
  }

  private issuedMs(nonce: string, address: string): number | null {
    const bytes = Buffer.from(nonce, 'base64url');
    // The same bytes can be written in several ways, which would be as many nonces to count for.
    if (bytes.length !== TOLD_BYTES + MAC_BYTES || bytes.toString('base64url') !== nonce) return null;
    const mac = this.mac(bytes, address).subarray(0, MAC_BYTES);
    return timingSafeEqual(mac, bytes.subarray(TOLD_BYTES)) ? bytes.readUIntBE(0, TIME_BYTES) : null;
  }

  private mac(bytes: Buffer, address: string): Buffer {
    return createHmac('sha256', this.secret).update(bytes.subarray(0, TOLD_BYTES)).update(address).digest();
  }
}

function note(seen: Seen, count: number): boolean {
  const ahead = count - seen.highest;
  if (ahead > 0) {
    seen.window = ahead >= WINDOW ? 1 : (seen.window << ahead) | 1;
    seen.highest = count;
    return true;
  }
  const bit = 1 << -ahead;
  if (-ahead >= WINDOW || (seen.window & bit) !== 0) return false;
  seen.window |= bit;
  return true;
}
