import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Access, Scope } from './access.ts';

const MAX_TOKENS = 1000;

export interface StoredToken {
  id: string;
  name: string;
  scope: Scope;
  room: string | null;
  /** SHA-256 of the token, in hex. A token is 256 random bits: nothing slower is needed against guessing. */
  digest: string;
  createdMs: number;
  expiresMs: number | null;
}

/** Where tokens outlive a restart. */
export interface TokenStore {
  all(): StoredToken[];
  put(token: StoredToken): void;
  delete(id: string): void;
}

export interface NewToken {
  name: string;
  scope: Scope;
  /** As `roomName` gives it; null: all rooms. */
  room: string | null;
  expiresMs: number | null;
}

export interface TokenView {
  id: string;
  name: string;
  scope: Scope;
  room: string | null;
  /** ISO 8601. */
  createdAt: string;
  expiresAt: string | null;
}

/** Who may use the API: the administrator of the configuration, and bearers of tokens that were made over HTTP. */
export class AccessTokens {
  private readonly administrator: Buffer;
  private readonly store: TokenStore;
  private readonly epochMs: () => number;
  private readonly byId = new Map<string, StoredToken>();

  /** @param administratorToken the configured one, which is not in the store */
  constructor(administratorToken: string, store: TokenStore, epochMs: () => number) {
    this.administrator = digest(administratorToken);
    this.store = store;
    this.epochMs = epochMs;
    for (const token of store.all()) this.byId.set(token.id, token);
    this.removeExpired();
  }

  /** Of tokens only digests are compared, each time in constant time. Null when that is no token, or it has expired. */
  check(given: string): Access | null {
    const ofGiven = digest(given);
    if (timingSafeEqual(ofGiven, this.administrator)) return ADMINISTRATOR;
    // The id is no secret: it says which digest to compare with.
    const [, id = ''] = /^parley\.([\w-]+)\.[\w-]+$/.exec(given) ?? [];
    const token = this.byId.get(id);
    if (!token || !timingSafeEqual(ofGiven, Buffer.from(token.digest, 'hex')) || this.hasExpired(token)) return null;
    const valid = () => this.byId.get(id) === token && !this.hasExpired(token);
    return { scope: token.scope, room: token.room, tokenId: id, valid };
  }

  list(): TokenView[] {
    return [...this.byId.values()].map(viewOf);
  }

  get(id: string): TokenView | null {
    const token = this.byId.get(id);
    return token ? viewOf(token) : null;
  }

  /** @returns null when there are as many as there may be */
  add({ name, scope, room, expiresMs }: NewToken): { view: TokenView; token: string } | null {
    this.removeExpired();
    if (this.byId.size >= MAX_TOKENS) return null;
    const id = randomBytes(9).toString('base64url');
    const token = `parley.${id}.${randomBytes(32).toString('base64url')}`;
    const createdMs = this.epochMs();
    const stored = { id, name, scope, room, digest: digest(token).toString('hex'), createdMs, expiresMs };
    this.store.put(stored);
    this.byId.set(id, stored);
    return { view: viewOf(stored), token };
  }

  /** It is worth nothing from now on. False when there is none. */
  remove(id: string): boolean {
    if (!this.byId.has(id)) return false;
    this.store.delete(id);
    return this.byId.delete(id);
  }

  private hasExpired({ expiresMs }: StoredToken): boolean {
    return expiresMs !== null && expiresMs <= this.epochMs();
  }

  private removeExpired(): void {
    for (const token of this.byId.values()) if (this.hasExpired(token)) this.remove(token.id);
  }
}

const ADMINISTRATOR: Access = { scope: 'administrator', room: null, tokenId: null, valid: () => true };

/** Of equal length whatever was given, so that the comparison takes the same time for all. */
const digest = (text: string) => createHash('sha256').update(text).digest();

function viewOf({ id, name, scope, room, createdMs, expiresMs }: StoredToken): TokenView {
  const iso = (ms: number) => new Date(ms).toISOString();
  return { id, name, scope, room, createdAt: iso(createdMs), expiresAt: expiresMs === null ? null : iso(expiresMs) };
}
