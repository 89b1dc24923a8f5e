import type { Timers } from '../../timers.ts';
import type { IncomingCall } from '../dialog/call.ts';
import { Dialog, dialogId, tagOf } from '../dialog/dialog.ts';
import { type CallOwner, InvitedCall } from '../dialog/invited-call.ts';
import { CAPABILITIES, LocalEnd } from '../dialog/local-end.ts';
import { type RandomSource, SystemRandom } from '../dialog/random-source.ts';
import { readSessionBody } from '../dialog/session-body.ts';
import type { SipMessage, SipRequest } from '../message/message.ts';
import type { Flows } from '../transaction/flows.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import { TransactionLayer, type TransactionUser } from '../transaction/transaction-layer.ts';
import type { Flow, TransportProtocol } from '../transport/flow.ts';
import { checkRequest } from './request-check.ts';

/** The application above the user agent. */
export interface UserAgentHandler {
  /** A new call; `call.handle` or `call.reject` must be called before this returns. */
  invited(call: IncomingCall): void;
  /** What an INVITE to the Request-URI of this OPTIONS would find (RFC 3261 §11.2). */
  availability(options: SipRequest, flow: Flow): 'available' | 'unknown' | 'busy';
}

export interface UserAgentOptions {
  readonly timers: Timers;
  readonly flows: Flows;
  readonly handler: UserAgentHandler;
  /** What peers reach us by, for Contact and Via: an address or a name. */
  readonly publicAddress: string;
  /** The ports that peers reach us by, by protocol. */
  readonly ports: Partial<Record<TransportProtocol, number>>;
  /** The most calls at a time, 10,000 unless told; over it, an INVITE gets 503. */
  readonly maxCalls?: number;
  /** The most server transactions at a time, 100,000 unless told: each lives for 32 s after its answer. */
  readonly maxServerTransactions?: number;
  readonly random?: RandomSource;
}

const AVAILABILITY_STATUS = { available: 200, unknown: 404, busy: 486 } as const;

/** The server side of RFC 3261 §8.2: takes parsed messages from the transports, and hands calls to the application. */
export class UserAgent implements TransactionUser, CallOwner {
  readonly timers: Timers;
  readonly flows: Flows;
  readonly random: RandomSource;
  readonly local: LocalEnd;
  readonly transactions: TransactionLayer;

  private readonly handler: UserAgentHandler;
  private readonly maxCalls: number;
  /** By dialog, from the INVITE until no request within the dialog is expected. */
  private readonly callsByDialog = new Map<string, InvitedCall>();
  private lastCallNumber = 0;

  constructor(options: UserAgentOptions) {
    this.timers = options.timers;
    this.flows = options.flows;
    this.random = options.random ?? new SystemRandom();
    this.handler = options.handler;
    this.maxCalls = options.maxCalls ?? 10_000;
    this.local = new LocalEnd({ publicAddress: options.publicAddress, ports: options.ports, random: this.random });
    this.transactions = new TransactionLayer({
      timers: options.timers,
      flows: options.flows,
      user: this,
      newTag: () => this.random.token(),
      maxServerTransactions: options.maxServerTransactions ?? 100_000,
    });
  }

  /** Calls whose dialog is kept: also those that ended a moment ago, while their BYE is on its way. */
  get calls(): number {
    return this.callsByDialog.size;
  }

  /** A message came in by `flow`. */
  received(message: SipMessage, flow: Flow): void {
    this.transactions.received(message, flow);
  }

  /** The connection is gone, or bytes could not be sent over the flow. */
  transportFailed(flow: Flow): void {
    this.transactions.transportFailed(flow);
  }

  request(request: SipRequest, transaction: ServerTransaction): void {
    const refusal = checkRequest(request, transaction.flow);
    if (refusal !== null) this.respond(request, transaction, refusal.status, refusal.headers);
    else if (request.method === 'CANCEL') this.cancel(request, transaction);
    else if (request.to.parameters.has('tag')) this.requestInDialog(request, transaction);
    else if (request.method === 'INVITE') this.invite(request, transaction);
    else if (request.method === 'OPTIONS') this.options(request, transaction);
    else this.respond(request, transaction, 481);
  }

  acknowledged(ack: SipRequest): void {
    this.callOf(ack)?.acknowledged(ack);
  }

  forget(call: InvitedCall): void {
    this.callsByDialog.delete(call.dialog.id);
  }

  private cancel(cancel: SipRequest, transaction: ServerTransaction): void {
    const invite = this.transactions.cancelled(cancel);
    if (invite === undefined) {
      this.respond(cancel, transaction, 481);
      return;
    }
    const { cancellable } = invite;
    // The answers to both should have the same To tag; once the INVITE has its own, CANCEL changes nothing (RFC 3261 §9.2).
    const toTag = cancellable?.toTag ?? invite.responseToTag ?? this.local.newTag();
    transaction.respond(this.local.createResponse(cancel, 200, toTag));
    cancellable?.cancel();
  }

  private requestInDialog(request: SipRequest, transaction: ServerTransaction): void {
    const call = this.callOf(request);
    if (call === undefined) this.respond(request, transaction, 481);
    else call.received(request, transaction);
  }

  private invite(invite: SipRequest, transaction: ServerTransaction): void {
    if (this.callsByDialog.size >= this.maxCalls) {
      this.respond(invite, transaction, 503, [['Retry-After', '10']]);
      return;
    }
    const body = readSessionBody(invite);
    if ('status' in body) {
      this.respond(invite, transaction, body.status, body.headers);
      return;
    }
    const dialog = Dialog.ofServer(invite, this.local.newTag());
    if (dialog === null) {
      this.respond(invite, transaction, 400, [], 'Missing Contact');
      return;
    }
    const id = `call-${++this.lastCallNumber}`;
    const call = new InvitedCall(id, invite, body.sdp, transaction, dialog, this);
    this.callsByDialog.set(dialog.id, call);
    this.handler.invited(call);
  }

  /** Max-Forwards is not looked at: it binds proxies, and we are where the request ends. */
  private options(options: SipRequest, transaction: ServerTransaction): void {
    // Without a user it is meant for the server itself.
    const toServer = options.uri === null || options.uri.user === null;
    const status = toServer ? 200 : AVAILABILITY_STATUS[this.handler.availability(options, transaction.flow)];
    this.respond(options, transaction, status, CAPABILITIES);
  }

  private callOf(request: SipRequest): InvitedCall | undefined {
    return this.callsByDialog.get(dialogId(request.callId, tagOf(request.to), tagOf(request.from)));
  }

  private respond(
    request: SipRequest,
    transaction: ServerTransaction,
    status: number,
    headers: ReadonlyArray<readonly [string, string]> = [],
    reason?: string,
  ): void {
    const parts = reason === undefined ? { headers } : { headers, reason };
    transaction.respond(this.local.createResponse(request, status, this.local.newTag(), parts));
  }
}
