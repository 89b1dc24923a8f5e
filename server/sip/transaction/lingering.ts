import type { Timer, Timers } from '../../timers.ts';
import type { SipRequest } from '../message/message.ts';
import type { Flow } from '../transport/flow.ts';
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
  /** The last retransmission of the request has come. */
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
  /** One character an octet: a view on a buffer would cost more than the octets do. Null: retransmissions get none. */
  private readonly response: string | null;

  constructor(
    parts: Answered & { readonly untilMs: number },
    response: Uint8Array | null,
    way: Flow | null,
    owner: LingeringOwner,
  ) {
    this.key = parts.key;
    this.mergeKey = parts.mergeKey;
    // Only an ACK and a CANCEL are asked about, so other methods' need not be kept.
    this.responseToTag = parts.method === 'INVITE' ? ownCopy(parts.responseToTag ?? '') : undefined;
    this.untilMs = parts.untilMs;
    this.response =
      response === null ? null : Buffer.from(response.buffer, response.byteOffset, response.length).toString('latin1');
    this.way = response === null ? null : way;
    this.owner = owner;
  }

  receive(): void {
    if (this.response !== null && this.way?.open) this.way.send(Buffer.from(this.response, 'latin1'));
  }

  receiveAck(request: SipRequest, flow: Flow): void {
    this.owner.acknowledged(request, flow);
  }
}

/** The transactions that wait for timer J or L, all of them for the same time, by one timer. */
export class Lingering {
  private readonly timers: Timers;
  private readonly owner: LingeringOwner;
  /** In the order in which they end; those before `first` have ended. */
  private queue: AnsweredTransaction[] = [];
  private first = 0;
  private timer: Timer | null = null;

  constructor(timers: Timers, owner: LingeringOwner) {
    this.timers = timers;
    this.owner = owner;
  }

  /** Takes the place of a transaction that has sent its final response; null drops the response as well. */
  add(transaction: Answered, response: Uint8Array | null, way: Flow | null): AnsweredTransaction {
    const { key, mergeKey, method, responseToTag } = transaction;
    const untilMs = this.timers.now() + TIMEOUT_MS;
    const parts = { key, mergeKey, method, responseToTag, untilMs };
    const answered = new AnsweredTransaction(parts, response, way, this.owner);
    this.queue.push(answered);
    this.timer ??= this.timers.set(TIMEOUT_MS, () => this.end());
    return answered;
  }

  private end(): void {
    this.timer = null;
    const nowMs = this.timers.now();
    let next = this.queue[this.first];
    while (next !== undefined && next.untilMs <= nowMs) {
      this.owner.forget(next);
      next = this.queue[++this.first];
    }
    // Half of it is empty: so each entry is moved but once.
    if (this.first * 2 >= this.queue.length) {
      this.queue = this.queue.slice(this.first);
      this.first = 0;
    }
    if (next !== undefined) this.timer = this.timers.set(next.untilMs - nowMs, () => this.end());
  }
}
