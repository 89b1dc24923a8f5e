import type { Timers } from '../../timers.ts';
import { createResponse } from '../message/create-message.ts';
import type { SipMessage, SipRequest, SipResponse } from '../message/message.ts';
import { writeMessage } from '../message/write-message.ts';
import type { Flow } from '../transport/flow.ts';
import { ClientTransaction, type ClientTransactionUser } from './client-transaction.ts';
import type { Flows } from './flows.ts';
import {
  type AnsweredTransaction,
  type KnownTransaction,
  Lingering,
  type LingeringOwner,
  ownCopy,
} from './lingering.ts';
import { ServerTransaction, type ServerTransactionOwner } from './server-transaction.ts';
import { clientTransactionKey, hasUniqueBranch, mergeKey, serverTransactionKey } from './transaction-key.ts';

/** The one above the transactions: the user agent. */
export interface TransactionUser {
  /** A new request other than ACK, once; to be answered through `transaction`. */
  request(request: SipRequest, transaction: ServerTransaction): void;
  /** An ACK that belongs to no refused INVITE: it acknowledges a 2xx, or nothing. */
  acknowledged(ack: SipRequest, flow: Flow): void;
}

export interface TransactionLayerOptions {
  readonly timers: Timers;
  readonly flows: Flows;
  readonly user: TransactionUser;
  /** A new tag for To. */
  readonly newTag: () => string;
  /**
   * The most server transactions at a time that are not answered for good; new requests over it get 503 without a
   * transaction. Requests within dialogs may use a quarter more, so that calls can end while nobody can begin one.
   */
  readonly maxServerTransactions: number;
  /** Memory for those that are answered and wait for retransmissions, 256 MiB unless told; see `Lingering`. */
  readonly maxAnsweredBytes?: number;
  /** For other reasons to turn away a new request without a transaction: 503's Retry-After in seconds, or no answer. */
  readonly refuses?: (request: SipRequest, flow: Flow) => number | 'drop' | null;
  /**
   * What is answered to a new request without a transaction, to each retransmission anew; null: it gets one. `toTag` is the
   * same for all of them (RFC 3261 §8.2.7).
   */
  readonly answersAtOnce?: (request: SipRequest, flow: Flow, toTag: () => string) => SipResponse | null;
}

/** 7,000 requests a second over UDP, each kept for 32 s. */
const MAX_ANSWERED_BYTES = 256 * 1024 * 1024;
/** What the Retry-After of our 503 says, in seconds. */
const RETRY_AFTER_S = 10;

/** Matches messages to transactions, and absorbs what was there before (RFC 3261 §17). */
export class TransactionLayer implements ServerTransactionOwner, LingeringOwner {
  private readonly options: TransactionLayerOptions;
  private readonly lingering: Lingering;
  private readonly servers = new Map<string, KnownTransaction>();
  /** What merged requests share with the requests outside dialogs whose transactions are here (RFC 3261 §8.2.2.2). */
  private readonly mergeable = new Set<string>();
  private readonly clients = new Map<string, ClientTransaction>();

  constructor(options: TransactionLayerOptions) {
    this.options = options;
    this.lingering = new Lingering(options.timers, this, options.maxAnsweredBytes ?? MAX_ANSWERED_BYTES);
  }

  get serverTransactions(): number {
    return this.servers.size;
  }

  get clientTransactions(): number {
    return this.clients.size;
  }

  received(message: SipMessage, flow: Flow): void {
    if (message.kind === 'response') this.receivedResponse(message);
    else if (message.method === 'ACK') this.receivedAck(message, flow);
    else this.receivedRequest(message, flow);
  }

  /** A connection is gone, or a datagram could not be sent: what waits for an answer over it waits in vain. */
  transportFailed(flow: Flow): void {
    for (const transaction of [...this.clients.values()]) {
      if (transaction.flow.id === flow.id) transaction.transportFailed();
    }
  }

  /** Sends a request; its Via has a branch that is new (RFC 3261 §8.1.1.7). */
  send(request: SipRequest, flow: Flow, user: ClientTransactionUser): ClientTransaction {
    const key = clientTransactionKey(request);
    if (this.clients.has(key)) throw new Error(`a second client transaction ${key}`);
    const transaction = new ClientTransaction(key, request, flow, user, {
      timers: this.options.timers,
      terminated: () => this.clients.delete(key),
    });
    this.clients.set(key, transaction);
    transaction.start();
    return transaction;
  }

  /** The INVITE's transaction that a CANCEL means (RFC 3261 §9.2). */
  cancelled(cancel: SipRequest): KnownTransaction | undefined {
    return this.servers.get(serverTransactionKey(cancel, 'INVITE'));
  }

  /** Without a transaction here it is stray and dropped (RFC 3261 §18.1.2; no user agent passes it on). */
  private receivedResponse(response: SipResponse): void {
    this.clients.get(clientTransactionKey(response))?.receive(response);
  }

  private receivedAck(ack: SipRequest, flow: Flow): void {
    const transaction = this.servers.get(serverTransactionKey(ack, 'INVITE'));
    const matches = transaction !== undefined && (hasUniqueBranch(ack) || hasTagOf(transaction, ack));
    if (matches) transaction.receiveAck(ack, flow);
    else this.options.user.acknowledged(ack, flow);
  }

  private receivedRequest(request: SipRequest, flow: Flow): void {
    const key = serverTransactionKey(request);
    const known = this.servers.get(key);
    if (known !== undefined) {
      known.receive();
      return;
    }
    const merged = mergeKey(request);
    const refused = this.isFull(merged !== null) ? RETRY_AFTER_S : (this.options.refuses?.(request, flow) ?? null);
    if (refused === 'drop') return;
    if (refused !== null) this.refuse(request, flow, refused);
    else if (merged !== null && this.mergeable.has(merged)) this.refuseMerged(key, request, flow);
    else if (!this.answeredAtOnce(request, flow)) {
      this.options.user.request(request, this.begin(key, merged, request, flow));
    }
  }

  private isFull(outsideDialogs: boolean): boolean {
    const limit = this.options.maxServerTransactions * (outsideDialogs ? 1 : 1.25);
    return this.servers.size - this.lingering.size >= limit || (outsideDialogs && this.lingering.full);
  }

  private answeredAtOnce(request: SipRequest, flow: Flow): boolean {
    const response = this.options.answersAtOnce?.(request, flow, () => statelessTag(request)) ?? null;
    if (response === null) return false;
    this.options.flows.forResponse(request.via, flow)?.send(writeMessage(response));
    return true;
  }

  private begin(key: string, merged: string | null, request: SipRequest, flow: Flow): ServerTransaction {
    // Kept for longer than the request.
    const ownKey = ownCopy(key);
    const ownMergeKey = merged === null ? null : ownCopy(merged);
    const transaction = new ServerTransaction(ownKey, ownMergeKey, request, flow, this);
    this.servers.set(ownKey, transaction);
    if (ownMergeKey !== null) this.mergeable.add(ownMergeKey);
    transaction.receive();
    return transaction;
  }

  private refuseMerged(key: string, request: SipRequest, flow: Flow): void {
    const response = createResponse(request, 482, { toTag: this.options.newTag() });
    this.begin(key, null, request, flow).respond(response);
  }

  private refuse(request: SipRequest, flow: Flow, retryAfterS: number): void {
    const response = createResponse(request, 503, {
      toTag: statelessTag(request),
      headers: [['Retry-After', String(retryAfterS)]],
    });
    this.options.flows.forResponse(request.via, flow)?.send(writeMessage(response));
  }

  // What its server transactions need of the layer.

  get timers(): Timers {
    return this.options.timers;
  }

  get flows(): Flows {
    return this.options.flows;
  }

  acknowledged(ack: SipRequest, flow: Flow): void {
    this.options.user.acknowledged(ack, flow);
  }

  terminated(transaction: ServerTransaction): void {
    this.remove(transaction, transaction.key, transaction.mergeKey);
  }

  answered(transaction: ServerTransaction, response: Uint8Array | null, way: Flow | null): void {
    this.servers.set(transaction.key, this.lingering.add(transaction, response, way));
    this.lingering.makeRoom();
  }

  forget(transaction: AnsweredTransaction): void {
    this.remove(transaction, transaction.key, transaction.mergeKey);
  }

  private remove(transaction: KnownTransaction, key: string, merged: string | null): void {
    if (this.servers.get(key) !== transaction) return;
    this.servers.delete(key);
    if (merged !== null) this.mergeable.delete(merged);
  }
}

function hasTagOf(transaction: KnownTransaction, ack: SipRequest): boolean {
  return transaction.responseToTag === ack.to.parameters.get('tag');
}

/** The same for each retransmission of a request, without our keeping it (RFC 3261 §8.2.7). */
function statelessTag(request: SipRequest): string {
  let hash = 0x811c9dc5;
  for (const character of `${request.callId} ${request.via.branch}`) {
    hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  }
  return (hash >>> 0).toString(16);
}
