import { createHash } from 'node:crypto';
import type { Log } from '../log.ts';
import type { Reply } from './operation.ts';
import { HttpProblem } from './problems.ts';

const KEPT_MS = 24 * 3_600_000;
/** Of answers that hold a secret, in memory alone. */
const MAX_SECRET_REPLIES = 1000;

/** What a POST was answered, for when it comes again. */
export interface KeptReply {
  /** Of what was asked, so that a key cannot stand for two requests. */
  fingerprint: string;
  reply: Pick<Reply, 'json' | 'location'>;
}

/** Where replies outlive a restart; it keeps a bounded number of them. */
export interface IdempotencyStore {
  get(owner: string, key: string, sinceMs: number): KeptReply | null;
  /** Forgets what was kept before `sinceMs`. */
  put(owner: string, key: string, kept: KeptReply, keptMs: number, sinceMs: number): void;
}

export interface IdempotentRequest {
  /** Whose key it is: two callers may use the same one. */
  owner: string;
  key: string;
  path: string;
  body: unknown;
  /** The answer must not be stored. */
  secret: boolean;
}

/**
 * `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a POST that comes again with the same key is not carried
 * out again, but answered as the first time. Only success is kept: after a failure the same key may be tried again.
 */
export class Idempotency {
  private readonly store: IdempotencyStore;
  private readonly epochMs: () => number;
  private readonly log: Log;
  private readonly running = new Set<string>();
  private readonly secrets = new Map<string, KeptReply & { keptMs: number }>();

  constructor(store: IdempotencyStore, epochMs: () => number, log: Log) {
    this.store = store;
    this.epochMs = epochMs;
    this.log = log;
  }

  async run(
    request: IdempotentRequest,
    carryOut: () => Reply | Promise<Reply>,
  ): Promise<{ reply: Reply; replayed: boolean }> {
    const { owner, key } = request;
    const name = JSON.stringify([owner, key]);
    const fingerprint = fingerprintOf(request);
    if (this.running.has(name)) throw new HttpProblem('idempotency-key-in-use', { headers: { 'Retry-After': '1' } });
    const kept = this.find(name, owner, key);
    if (kept && kept.fingerprint !== fingerprint) throw new HttpProblem('idempotency-key-reused');
    if (kept) return { reply: kept.reply, replayed: true };
    this.running.add(name);
    try {
      const reply = await carryOut();
      this.keep(name, request, { fingerprint, reply });
      return { reply, replayed: false };
    } finally {
      this.running.delete(name);
    }
  }

  private find(name: string, owner: string, key: string): KeptReply | null {
    const since = this.epochMs() - KEPT_MS;
    const secret = this.secrets.get(name);
    return secret && secret.keptMs >= since ? secret : this.store.get(owner, key, since);
  }

  private keep(name: string, { owner, key, secret }: IdempotentRequest, kept: KeptReply): void {
    const keptMs = this.epochMs();
    if (secret) this.keepSecret(name, { ...kept, keptMs });
    else this.keepStored(owner, key, kept, keptMs);
  }

  private keepSecret(name: string, kept: KeptReply & { keptMs: number }): void {
    this.secrets.delete(name);
    this.secrets.set(name, kept);
    const [oldest] = this.secrets.keys();
    if (this.secrets.size > MAX_SECRET_REPLIES && oldest !== undefined) this.secrets.delete(oldest);
  }

  /** The request has been carried out: that this cannot be noted must not make an error of it. */
  private keepStored(owner: string, key: string, kept: KeptReply, keptMs: number): void {
    try {
      this.store.put(owner, key, kept, keptMs, keptMs - KEPT_MS);
    } catch (error) {
      this.log.error({ err: error }, 'answer for an idempotency key not stored');
    }
  }
}

/** Visible ASCII, as in header fields of this kind; quotes, which the draft has around it, are part of it. */
const goodKey = /^[\x21-\x7e]{1,255}$/;

/** The key of a request; null without one. Throws when it cannot be one. */
export function idempotencyKey(header: string | undefined): string | null {
  if (header === undefined) return null;
  if (!goodKey.test(header)) throw new HttpProblem('idempotency-key-invalid');
  return header;
}

function fingerprintOf({ path, body }: IdempotentRequest): string {
  return createHash('sha256')
    .update(JSON.stringify([path, body ?? null]))
    .digest('hex');
}
