import type { Timers } from '../../timers.ts';
import type { Call, CallHandler, IncomingCall, Referral } from '../dialog/call.ts';
import type { CallContext } from '../dialog/call-context.ts';
import type { CallSession } from '../dialog/call-session.ts';
import { Dialog, dialogId, tagOf } from '../dialog/dialog.ts';
import { InvitedCall } from '../dialog/invited-call.ts';
import { LocalEnd, OPTION_TAGS } from '../dialog/local-end.ts';
import { OutgoingCall, type OutgoingCallOptions } from '../dialog/outgoing-call.ts';
import { type RandomSource, SystemRandom } from '../dialog/random-source.ts';
import { type EventPackage, receiveSubscription } from '../dialog/received-subscription.ts';
import { receiveReferral } from '../dialog/referral.ts';
import { namedCalls } from '../dialog/replaces.ts';
import { dialogOfRequest } from '../dialog/request-dialog.ts';
import { readSessionBody, takesSdp } from '../dialog/session-body.ts';
import { answerSessionTimer, DEFAULT_SESSION_TIMER, type SessionTimerPolicy } from '../dialog/session-interval.ts';
import { Subscriptions } from '../dialog/subscriptions.ts';
import type { Ways } from '../dialog/ways.ts';
import type { ResponseParts } from '../message/create-message.ts';
import type { SipMessage, SipRequest, SipResponse } from '../message/message.ts';
import type { Flows } from '../transaction/flows.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import { TransactionLayer, type TransactionUser } from '../transaction/transaction-layer.ts';
import type { Flow, TransportProtocol } from '../transport/flow.ts';
import { type LoneRequest, sendLoneRequest } from './lone-request.ts';
import { checkRequest } from './request-check.ts';

/** The application above the user agent. */
export interface UserAgentHandler {
  /** A new call; `call.handle` or `call.reject` must be called before this returns. */
  invited(call: IncomingCall): void;
  /** A REFER outside of calls; to be accepted or rejected at once. */
  referred(referral: Referral): void;
  /** What an INVITE to the Request-URI of this OPTIONS would find (RFC 3261 §11.2). */
  availability(options: SipRequest, flow: Flow): 'available' | 'unknown' | 'busy';
  /** Who answers requests outside of dialogs with further methods, such as REGISTER; by method. */
  readonly methods?: Readonly<Record<string, MethodHandler>>;
  /** What can be subscribed to, by name. */
  readonly packages?: Readonly<Record<string, EventPackage>>;
}

/** Answers the requests of one method. */
export interface MethodHandler {
  /** Extensions that requests of this method may require. */
  readonly optionTags: readonly string[];
  /** Whether it answers those within dialogs too. */
  readonly inDialogs?: boolean;
  /**
   * The answer to a request of which nothing is to be kept, such as a challenge; null: it goes to `received`. As each
   * retransmission is asked about anew, it must have no effect.
   */
  statelessAnswer?(request: SipRequest, flow: Flow): (ResponseParts & { readonly status: number }) | null;
  /**
   * `respond` must be called once with a final response, now or later.
   * @param call the one that the request came in; null outside of calls
   */
  received(
    request: SipRequest,
    flow: Flow,
    respond: (status: number, parts?: ResponseParts) => void,
    call: Call | null,
  ): void;
}

export interface UserAgentOptions {
  readonly timers: Timers;
  readonly flows: Flows;
  /** For calls that we make; without them, none can be made. */
  readonly ways?: Ways;
  readonly handler: UserAgentHandler;
  /** What peers reach us by, for Contact and Via: an address or a name; or one for each family of addresses. */
  readonly publicAddress: string | readonly string[];
  /** The ports that peers reach us by, by protocol. */
  readonly ports: Partial<Record<TransportProtocol, number>>;
  /** The most calls at a time, 10,000 unless told; over it, an INVITE gets 503. */
  readonly maxCalls?: number;
  /** The most server transactions at a time that wait for an answer, 100,000 unless told. */
  readonly maxServerTransactions?: number;
  /** Whether a new request is turned away, and nothing kept of it: with 503 and that Retry-After, or no answer. */
  readonly refuses?: (request: SipRequest, flow: Flow) => number | 'drop' | null;
  readonly random?: RandomSource;
  /** Whether our calls are those of a conference focus. */
  readonly isFocus?: boolean;
  /** 1800 s, and no less than 90 s, unless told. */
  readonly sessionTimer?: SessionTimerPolicy;
}

/** RFC 4475 §3.3.15; the agent that warns may have a name instead of an address (RFC 3261 §20.43). */
const ONLY_SDP = '399 parley "The answer would be application/sdp"';

const AVAILABILITY_STATUS = { available: 200, unknown: 404, busy: 486 } as const;

/** The server side of RFC 3261 §8.2: takes parsed messages from the transports, and hands calls to the application. */
export class UserAgent implements TransactionUser, CallContext {
  readonly timers: Timers;
  readonly flows: Flows;
  readonly ways: Ways;
  readonly random: RandomSource;
  readonly local: LocalEnd;
  readonly transactions: TransactionLayer;
  readonly sessionTimer: SessionTimerPolicy;
  readonly subscriptions = new Subscriptions();
  readonly packages: ReadonlyMap<string, EventPackage>;

  private readonly handler: UserAgentHandler;
  private readonly maxCalls: number;
  /** By dialog, from the INVITE until no request within the dialog is expected. */
  private readonly sessions = new Map<string, CallSession>();
  private lastCallNumber = 0;

  constructor(options: UserAgentOptions) {
    this.timers = options.timers;
    this.flows = options.flows;
    this.ways = options.ways ?? { find: (_uri, found) => found([]) };
    this.random = options.random ?? new SystemRandom();
    this.handler = options.handler;
    this.maxCalls = options.maxCalls ?? 10_000;
    this.sessionTimer = options.sessionTimer ?? DEFAULT_SESSION_TIMER;
    const methods = Object.keys(options.handler.methods ?? {});
    this.packages = new Map(Object.entries(options.handler.packages ?? {}));
    this.local = new LocalEnd({
      publicAddress: options.publicAddress,
      ports: options.ports,
      random: this.random,
      methods,
      events: [...this.packages.keys()],
      isFocus: options.isFocus ?? false,
    });
    this.transactions = new TransactionLayer({
      timers: options.timers,
      flows: options.flows,
      user: this,
      newTag: () => this.random.token(),
      maxServerTransactions: options.maxServerTransactions ?? 100_000,
      ...(options.refuses ? { refuses: options.refuses } : {}),
      answersAtOnce: (request, flow, toTag) => this.statelessAnswer(request, flow, toTag),
    });
  }

  /** Calls whose dialog is kept: also those that ended a moment ago, while their BYE is on its way. */
  get calls(): number {
    return this.sessions.size;
  }

  /** A message came in by `flow`. */
  received(message: SipMessage, flow: Flow): void {
    this.transactions.received(message, flow);
  }

  /** The connection is gone, or bytes could not be sent over the flow. */
  transportFailed(flow: Flow): void {
    this.transactions.transportFailed(flow);
  }

  /** Calls somebody. `handler` is told of all that comes of it, never before this returns. */
  call(options: OutgoingCallOptions, handler: CallHandler): Call {
    const call = new OutgoingCall(`call-${++this.lastCallNumber}`, options, handler, this);
    call.start();
    return call;
  }

  /** Sends a request outside of dialogs; told of its final status, once and never before this returns. */
  send(parts: LoneRequest, concluded: (status: number) => void): void {
    sendLoneRequest(parts, this, concluded);
  }

  request(request: SipRequest, transaction: ServerTransaction): void {
    const handler = this.handler.methods?.[request.method];
    const optionTags = handler?.optionTags ?? OPTION_TAGS;
    const refusal = checkRequest(request, transaction.flow, this.local.methods, optionTags);
    if (refusal !== null) this.respond(request, transaction, refusal.status, refusal.headers);
    else if (request.method === 'CANCEL') this.cancel(request, transaction);
    else if (request.to.parameters.has('tag')) this.requestInDialog(request, transaction, handler);
    else if (request.method === 'INVITE') this.invite(request, transaction);
    else if (request.method === 'OPTIONS') this.options(request, transaction);
    else if (request.method === 'REFER' || request.method === 'SUBSCRIBE') this.makeDialog(request, transaction);
    else if (handler !== undefined) this.handOver(request, transaction, handler, null);
    else this.respond(request, transaction, 481);
  }

  acknowledged(ack: SipRequest): void {
    this.sessionOf(ack)?.acknowledged(ack);
  }

  remember(session: CallSession): void {
    this.sessions.set(session.dialog.id, session);
  }

  forget(session: CallSession): void {
    // Who answers two INVITEs of a call with the same tag makes two of one dialog.
    if (this.sessions.get(session.dialog.id) === session) this.sessions.delete(session.dialog.id);
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
    cancellable?.cancel(cancel.headers.get('reason'));
  }

  private requestInDialog(
    request: SipRequest,
    transaction: ServerTransaction,
    handler: MethodHandler | undefined,
  ): void {
    if (request.method === 'SUBSCRIBE' && this.subscribed(request, transaction)) return;
    const session = this.sessionOf(request);
    if (session === undefined) this.respond(request, transaction, 481);
    else if (handler?.inDialogs !== true || session.state === 'ended') session.received(request, transaction);
    else if (!session.dialog.takeInOrder(request)) this.respond(request, transaction, 500);
    else this.handOver(request, transaction, handler, session.user.call);
  }

  private subscribed(request: SipRequest, transaction: ServerTransaction): boolean {
    return this.subscriptions.received(request, transaction.flow, (status, parts) =>
      transaction.respond(this.local.createResponse(request, status, null, parts)),
    );
  }

  private makeDialog(request: SipRequest, transaction: ServerTransaction): void {
    const dialog = dialogOfRequest(request, transaction, this);
    if (dialog === null) return;
    if (request.method === 'SUBSCRIBE') return receiveSubscription(request, dialog, null);
    receiveReferral(request, true, dialog, (referral) => this.handler.referred(referral));
  }

  private invite(invite: SipRequest, transaction: ServerTransaction): void {
    if (this.sessions.size >= this.maxCalls) {
      this.respond(invite, transaction, 503, [['Retry-After', '10']]);
      return;
    }
    const body = readSessionBody(invite);
    if ('status' in body) return this.respond(invite, transaction, body.status, body.headers);
    if (!takesSdp(invite)) return this.respond(invite, transaction, 406, [['Warning', ONLY_SDP]]);
    const timer = answerSessionTimer(invite, this.sessionTimer);
    if ('status' in timer) return this.respond(invite, transaction, timer.status, timer.headers);
    const named = namedCalls(invite, (id) => this.sessions.get(id));
    if ('status' in named) return this.respond(invite, transaction, named.status);
    const dialog = Dialog.ofServer(invite, this.local.newTag());
    if (dialog === null) return this.respond(invite, transaction, 400, [], 'Missing Contact');
    const id = `call-${++this.lastCallNumber}`;
    const call = new InvitedCall({ id, invite, offer: body.sdp, transaction, dialog, ...named }, this);
    this.handler.invited(call);
  }

  /** Max-Forwards is not looked at: it binds proxies, and we are where the request ends. */
  private options(options: SipRequest, transaction: ServerTransaction): void {
    // Without a user it is meant for the server itself.
    const toServer = options.uri === null || options.uri.user === null;
    const { flow } = transaction;
    const status = toServer ? 200 : AVAILABILITY_STATUS[this.handler.availability(options, flow)];
    // Whether it is a conference that would be called is told by the Contact (RFC 4579 §5.13).
    const contact = toServer || status !== 200 ? [] : [this.contactFor(options, flow)];
    this.respond(options, transaction, status, [...contact, ...this.local.capabilities]);
  }

  private contactFor({ uri }: SipRequest, flow: Flow): readonly [string, string] {
    return ['Contact', this.local.contact(uri?.user ?? null, flow, uri?.scheme)];
  }

  private statelessAnswer(request: SipRequest, flow: Flow, toTag: () => string): SipResponse | null {
    if (request.to.parameters.has('tag')) return this.answerToStray(request);
    const handler = this.handler.methods?.[request.method];
    if (handler?.statelessAnswer === undefined) return null;
    if (checkRequest(request, flow, this.local.methods, handler.optionTags) !== null) return null;
    const answer = handler.statelessAnswer(request, flow);
    if (answer === null) return null;
    const { status, ...parts } = answer;
    return this.local.createResponse(request, status, toTag(), parts);
  }

  /** To a dialog that is not there: anybody can make up any number of those, so that calls which are would suffer. */
  private answerToStray(request: SipRequest): SipResponse | null {
    // There are dialogs without a call, of subscriptions.
    if (request.method === 'CANCEL' || request.method === 'SUBSCRIBE') return null;
    if (this.sessionOf(request) !== undefined) return null;
    return this.local.methods.includes(request.method) ? this.local.createResponse(request, 481, null) : null;
  }

  private handOver(
    request: SipRequest,
    transaction: ServerTransaction,
    handler: MethodHandler,
    call: Call | null,
  ): void {
    const respond = (status: number, parts?: ResponseParts) =>
      transaction.respond(this.local.createResponse(request, status, this.local.newTag(), parts));
    handler.received(request, transaction.flow, respond, call);
  }

  private sessionOf(request: SipRequest): CallSession | undefined {
    return this.sessions.get(dialogId(request.callId, tagOf(request.to), tagOf(request.from)));
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
