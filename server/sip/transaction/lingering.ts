import type { Timer, Timers } from '../../timers.ts';
import type { SipRequest } from '../message/message.ts';
import type { Flow } from '../transport/flow.ts';
import { ByteStore, type StoredBytes } from './stored-bytes.ts';
import { TIMEOUT_MS } from './timer-values.ts';

/** What is needed of a server transaction to find out what a request belongs to. */
export interface KnownTransaction {
  /** The To tag of the last response, by which the ACK of an RFC 2543 client is known. */
  readonly responseToTag: string | undefined;
  /**
   * While a CANCEL can still end the INVITE (RFC 3261 §9.2): how, and the To tag that its answer will have.
   * `reason` is the CANCEL's Reason (RFC 3326).
   */
  readonly cancellable: { readonly toTag: string; cancel(reason: string | undefined): void } | null;
  /** A retransmission of the request. */
  receive(): void;
  receiveAck(request: SipRequest, flow: Flow): void;
}

/** What stays of a transaction. */
export interface Answered {
  readonly key: string;
  readonly mergeKey: string | null;
  readonly method: string;
  readonly responseToTag: string | undefined;
}

/** A copy of a part of a message that does not hold on to the whole of it. */
export function ownCopy(text: string): string {
  return Buffer.from(text).toString();
}

/** Who is told of the end, and of stray ACKs. */
export interface LingeringOwner {
  acknowledged(ack: SipRequest, flow: Flow): void;
  /** The last retransmission of the request has come, or there is no room for it any more. */
  forget(transaction: AnsweredTransaction): void;
}

/**
 * What is left of a server transaction that is answered for good, until no retransmission can come any more: by far the most
 * that there are at a time, so it is nothing but the keys and the response.
 */
export class AnsweredTransaction implements KnownTransaction {
  readonly cancellable = null;
  readonly key: string;
  readonly mergeKey: string | null;
  readonly responseToTag: string | undefined;
  readonly untilMs: number;
  private readonly owner: LingeringOwner;
  private readonly way: Flow | null;
  /** Null: retransmissions get none. */
  private readonly response: StoredBytes | null;

  constructor(
    parts: Answered & { readonly untilMs: number },
    response: StoredBytes | null,
    way: Flow | null,
    owner: LingeringOwner,
  ) {
    this.key = parts.key;
    this.mergeKey = parts.mergeKey;
    // Only an ACK and a CANCEL are asked about, so other methods' need not be kept.
    this.responseToTag = parts.method === 'INVITE' ? ownCopy(parts.responseToTag ?? '') : undefined;
    this.untilMs = parts.untilMs;
    this.response = response;
    this.way = response === null ? null : way;
    this.owner = owner;
  }

  /** About how much memory it takes. */
  get bytes(): number {
    return FIXED_BYTES + this.key.length + (this.mergeKey?.length ?? 0) + (this.response?.length ?? 0);
  }

  receive(): void {
    if (this.response === null || this.way?.open !== true) return;
    const { chunk, offset, length } = this.response;
    this.way.send(chunk.subarray(offset, offset + length));
  }

  receiveAck(request: SipRequest, flow: Flow): void {
    this.owner.acknowledged(request, flow);
  }
}

/** Of a transaction without its keys and response: the objects, and its places in queue and maps. */
const FIXED_BYTES = 500;

/** Requests outside of dialogs that may be taken a second time: it is found out (REGISTER's nonce count) or does no harm. */
const REPEATABLE = new Set(['REGISTER', 'OPTIONS', 'CANCEL']);

/** First in, first out. */
class Queue {
  readonly store = new ByteStore();
  bytes = 0;
  private entries: AnsweredTransaction[] = [];
  /** Those before it are gone. */
  private first = 0;

  get oldest(): AnsweredTransaction | undefined {
    return this.entries[this.first];
  }

  get size(): number {
    return this.entries.length - this.first;
  }

  add(transaction: AnsweredTransaction): void {
    this.entries.push(transaction);
    this.bytes += transaction.bytes;
  }

  shift(): void {
    this.bytes -= this.entries[this.first++]!.bytes;
    // Half of it is empty: so each entry is moved but once.
    if (this.first * 2 < this.entries.length) return;
    this.entries = this.entries.slice(this.first);
    this.first = 0;
  }
}

/**
 * The transactions that wait for timer J or L, all of them for the same time, by one timer.
 * Deviation: in a bounded amount of memory. When that is full, the oldest go early of those whose request does nothing when
 * it comes again: REGISTER, OPTIONS, CANCEL, and all within dialogs, where the order of CSeq shows it (RFC 3261 §12.2.2). By
 * then their clients have had the answer, or have asked for it several times.
 */
export class Lingering {
  private readonly timers: Timers;
  private readonly owner: LingeringOwner;
  private readonly maxBytes: number;
  private readonly repeatable = new Queue();
  private readonly unrepeatable = new Queue();
  private timer: Timer | null = null;

  constructor(timers: Timers, owner: LingeringOwner, maxBytes: number) {
    this.timers = timers;
    this.owner = owner;
    this.maxBytes = maxBytes;
  }

  get size(): number {
    return this.repeatable.size + this.unrepeatable.size;
  }

  /** No more can be kept of requests that must not be taken twice. */
  get full(): boolean {
    return this.unrepeatable.bytes >= this.maxBytes;
  }

  /** Takes the place of a transaction that has sent its final response; null drops the response as well. */
  add(transaction: Answered, response: Uint8Array | null, way: Flow | null): AnsweredTransaction {
    const { key, mergeKey, method, responseToTag } = transaction;
    const untilMs = this.timers.now() + TIMEOUT_MS;
    const parts = { key, mergeKey, method, responseToTag, untilMs };
    const queue = mergeKey === null || REPEATABLE.has(method) ? this.repeatable : this.unrepeatable;
    const stored = response === null ? null : queue.store.add(response);
    const answered = new AnsweredTransaction(parts, stored, way, this.owner);
    queue.add(answered);
    this.timer ??= this.timers.set(TIMEOUT_MS, () => this.end());
    return answered;
  }

  /** Keeps to the bound. */
  makeRoom(): void {
    while (this.repeatable.bytes + this.unrepeatable.bytes > this.maxBytes) {
      const { oldest } = this.repeatable;
      if (oldest === undefined) return;
      this.repeatable.shift();
      this.owner.forget(oldest);
    }
  }

  private end(): void {
    this.timer = null;
    const nowMs = this.timers.now();
    const nextMs = Math.min(this.endUntil(nowMs, this.repeatable), this.endUntil(nowMs, this.unrepeatable));
    if (nextMs < Number.POSITIVE_INFINITY) this.timer = this.timers.set(nextMs - nowMs, () => this.end());
  }

  /** Forgets what is due; gives when the next of the queue is. */
  private endUntil(nowMs: number, queue: Queue): number {
    let next = queue.oldest;
    while (next !== undefined && next.untilMs <= nowMs) {
      queue.shift();
      this.owner.forget(next);
      next = queue.oldest;
    }
    return next?.untilMs ?? Number.POSITIVE_INFINITY;
  }
}
