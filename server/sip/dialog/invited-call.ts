import type { Timers } from '../../timers.ts';
import type { ResponseParts } from '../message/create-message.ts';
import { quote } from '../message/header-value.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import type { ClientTransactionUser } from '../transaction/client-transaction.ts';
import type { Flows } from '../transaction/flows.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { TransactionLayer } from '../transaction/transaction-layer.ts';
import type { Flow } from '../transport/flow.ts';
import type { CallEnd, CallHandler, IncomingCall, RejectOptions, ReofferReply, SdpText } from './call.ts';
import type { Dialog } from './dialog.ts';
import { InviteExchange } from './invite-exchange.ts';
import { ALLOW, CAPABILITIES, type LocalEnd } from './local-end.ts';
import { nextHop } from './next-hop.ts';
import type { RandomSource } from './random-source.ts';
import { readSessionBody } from './session-body.ts';

/** What calls need of the user agent. */
export interface CallOwner {
  readonly timers: Timers;
  readonly flows: Flows;
  readonly transactions: TransactionLayer;
  readonly local: LocalEnd;
  readonly random: RandomSource;
  /** No request for the dialog is expected any more. */
  forget(call: InvitedCall): void;
}

/** The server's side of a call: an INVITE, its dialog, and all that happens in it. */
export class InvitedCall implements IncomingCall {
  readonly id: string;
  readonly request: SipRequest;
  readonly flow: Flow;
  readonly offer: SdpText | null;
  readonly dialog: Dialog;

  private readonly owner: CallOwner;
  private handler: CallHandler | null = null;
  /** `invited` until the final response; `ended` as the application was told, though a BYE may still be due. */
  private state: 'invited' | 'established' | 'ended' = 'invited';
  /** The last INVITE of the dialog. */
  private exchange: InviteExchange;
  /** By which the peer's last accepted INVITE came in. */
  private peerFlow: Flow;
  private byeReason: string | undefined;
  private probing: { answered: Promise<boolean>; settle: (alive: boolean) => void } | null = null;

  constructor(
    id: string,
    invite: SipRequest,
    offer: SdpText | null,
    transaction: ServerTransaction,
    dialog: Dialog,
    owner: CallOwner,
  ) {
    this.id = id;
    this.request = invite;
    this.flow = transaction.flow;
    this.peerFlow = transaction.flow;
    this.offer = offer;
    this.dialog = dialog;
    this.owner = owner;
    this.exchange = this.begin(invite, transaction, offer);
  }

  handle(handler: CallHandler): void {
    if (this.handler !== null) throw new Error(`call ${this.id} has a handler already`);
    this.handler = handler;
  }

  progress(status: number, reason?: string): void {
    if (status <= 100 || status >= 200) throw new Error(`${status} is not a provisional response`);
    if (this.state !== 'invited') return;
    this.exchange.provisional(this.responseWithContact(status, reason === undefined ? {} : { reason }));
  }

  accept(sdp: SdpText): void {
    if (this.state !== 'invited') return;
    this.state = 'established';
    this.acceptInvite(this.exchange, sdp);
  }

  reject(status: number, options: RejectOptions = {}): void {
    if (this.state !== 'invited') return;
    this.refuseInvite(this.exchange, status, options);
    this.end({ cause: 'rejected', status });
    this.owner.forget(this);
  }

  hangUp(reason?: string): void {
    if (this.state === 'invited') this.reject(480);
    if (this.state === 'ended') return;
    this.byeReason = reason;
    if (this.exchange.state === 'pending') this.refuseInvite(this.exchange, 487);
    this.end({ cause: 'local-bye' });
    // RFC 3261 §15: not before the ACK of a 2xx; `acknowledged` or `unacknowledged` goes on.
    if (this.exchange.state !== 'accepted') this.sendBye();
  }

  probe(): Promise<boolean> {
    if (this.state !== 'established') return Promise.resolve(this.state === 'invited');
    if (this.probing !== null) return this.probing.answered;
    let settle: (alive: boolean) => void = () => {};
    const answered = new Promise<boolean>((resolve) => {
      settle = resolve;
    });
    this.probing = { answered, settle };
    const sent = this.send('OPTIONS', [['Accept', 'application/sdp']], {
      response: (response) => this.probed(response.status),
      failed: (failure) => (failure === 'timeout' ? this.probed(408) : this.transportFailed('no answer to OPTIONS')),
    });
    if (!sent) this.transportFailed('no way to the peer');
    return answered;
  }

  /** A request within the dialog other than ACK and CANCEL. */
  received(request: SipRequest, transaction: ServerTransaction): void {
    if (!this.dialog.takeInOrder(request)) transaction.respond(this.response(request, 500));
    else if (request.method === 'BYE') this.receivedBye(request, transaction);
    else if (this.state === 'ended') transaction.respond(this.response(request, 481));
    else if (request.method === 'INVITE') this.receivedInvite(request, transaction);
    else transaction.respond(this.response(request, 200, { headers: CAPABILITIES }));
  }

  /** An ACK for a 2xx; retransmitted ones and those of earlier INVITEs change nothing. */
  acknowledged(ack: SipRequest): void {
    const { exchange } = this;
    if (exchange.state !== 'accepted' || ack.cseq.number !== exchange.request.cseq.number) return;
    exchange.finish();
    if (this.state === 'ended') {
      this.sendBye();
      return;
    }
    const body = exchange.offered ? null : readSessionBody(ack);
    this.handler?.confirmed(body !== null && 'sdp' in body ? body.sdp : null);
  }

  private receivedBye(request: SipRequest, transaction: ServerTransaction): void {
    transaction.respond(this.response(request, 200));
    // RFC 3261 §15.1.2: pending requests get 487.
    if (this.exchange.state === 'pending') this.refuseInvite(this.exchange, 487);
    this.exchange.finish();
    this.end({ cause: 'remote-bye', reason: request.headers.get('reason') ?? null });
    this.owner.forget(this);
  }

  private receivedInvite(request: SipRequest, transaction: ServerTransaction): void {
    if (this.exchange.state === 'pending') {
      // RFC 3261 §14.2.
      const retryAfter = String(this.owner.random.below(11));
      transaction.respond(this.response(request, 500, { headers: [['Retry-After', retryAfter]] }));
      return;
    }
    if (this.exchange.state === 'accepted' && !this.exchange.offered) {
      // Our offer waits for its answer in the ACK (RFC 5407 §3.1.5).
      transaction.respond(this.response(request, 491));
      return;
    }
    const body = readSessionBody(request);
    if ('status' in body) {
      transaction.respond(this.response(request, body.status, { headers: body.headers }));
      return;
    }
    if (this.exchange.state === 'accepted') this.acknowledgedByReinvite();
    if (this.state === 'ended') {
      // The application hung up on being told that the dialog stands.
      transaction.respond(this.response(request, 481));
      return;
    }
    const exchange = this.begin(request, transaction, body.sdp);
    this.exchange = exchange;
    this.handler?.reoffered(body.sdp, this.replyTo(exchange));
  }

  /** Who sends the next INVITE has got the 2xx to the last; only its ACK is late or lost (RFC 5407 §3.1.4). */
  private acknowledgedByReinvite(): void {
    this.exchange.finish();
    this.handler?.confirmed(null);
  }

  private replyTo(exchange: InviteExchange): ReofferReply {
    return {
      accept: (sdp) => {
        if (exchange.state !== 'pending') return;
        this.dialog.refreshTarget(exchange.request);
        this.peerFlow = exchange.transaction.flow;
        this.acceptInvite(exchange, sdp);
      },
      reject: (status, options) => this.refuseInvite(exchange, status, options),
    };
  }

  private begin(invite: SipRequest, transaction: ServerTransaction, offer: SdpText | null): InviteExchange {
    const first = invite === this.request;
    const exchange = new InviteExchange(invite, transaction, offer !== null, this.owner.timers, {
      toTag: this.dialog.localTag,
      cancelled: () => (first ? this.cancelled() : this.refuseInvite(exchange, 487)),
      unanswered: (status) => (first ? this.reject(status) : this.refuseInvite(exchange, status)),
      unacknowledged: () => this.unacknowledged(),
      transportFailed: () => this.transportFailed('a response could not be sent'),
    });
    exchange.provisional(this.owner.local.createResponse(invite, 100, null));
    return exchange;
  }

  private acceptInvite(exchange: InviteExchange, sdp: SdpText): void {
    const content = { body: sdp, contentType: 'application/sdp' };
    const headers: ResponseParts['headers'] = [
      ['Contact', this.contact()],
      ['Allow', ALLOW],
    ];
    exchange.accept(this.response(exchange.request, 200, { ...content, headers }));
  }

  private refuseInvite(exchange: InviteExchange, status: number, options: RejectOptions = {}): void {
    if (status < 300) throw new Error(`${status} does not refuse an INVITE`);
    exchange.refuse(this.response(exchange.request, status, options));
  }

  private cancelled(): void {
    this.refuseInvite(this.exchange, 487);
    this.end({ cause: 'cancelled' });
    this.owner.forget(this);
  }

  private unacknowledged(): void {
    this.exchange.finish();
    this.end({ cause: 'ack-timeout' });
    this.sendBye();
  }

  private probed(status: number): void {
    if (status < 200) return;
    if (status !== 481 && status !== 408) {
      this.settleProbe(true);
      return;
    }
    if (this.state === 'ended') return;
    this.exchange.finish();
    this.end({ cause: 'dialog-gone', status });
    // After a 408 the peer may still be there, and must not wait for us.
    if (status === 408) this.sendBye();
    else this.owner.forget(this);
  }

  private transportFailed(message: string): void {
    if (this.state === 'ended') return;
    const established = this.state === 'established';
    if (this.exchange.state === 'pending') this.refuseInvite(this.exchange, 480);
    this.exchange.finish();
    this.end({ cause: 'transport', message });
    if (established) this.sendBye();
    else this.owner.forget(this);
  }

  /** Tells the application, once. */
  private end(end: CallEnd): void {
    if (this.state === 'ended') return;
    this.state = 'ended';
    this.settleProbe(false);
    this.handler?.ended(end);
  }

  private settleProbe(alive: boolean): void {
    this.probing?.settle(alive);
    this.probing = null;
  }

  private sendBye(): void {
    const reason = this.byeReason;
    const headers = reason === undefined ? [] : [['Reason', `SIP;text=${quote(reason)}`] as const];
    const sent = this.send('BYE', headers, {
      response: (response) => {
        if (response.status >= 200) this.owner.forget(this);
      },
      failed: () => this.owner.forget(this),
    });
    if (!sent) this.owner.forget(this);
  }

  /** A request within the dialog; false when there is no way to the peer. */
  private send(
    method: string,
    headers: ReadonlyArray<readonly [string, string]>,
    user: ClientTransactionUser,
  ): boolean {
    const { flows, local, transactions } = this.owner;
    const flow = nextHop(this.dialog, this.peerFlow, flows);
    if (flow === null) return false;
    transactions.send(this.dialog.createRequest(method, local.newVia(flow), { headers }), flow, user);
    return true;
  }

  private response(request: SipRequest, status: number, parts: ResponseParts = {}): SipResponse {
    return this.owner.local.createResponse(request, status, this.dialog.localTag, parts);
  }

  private responseWithContact(status: number, parts: ResponseParts): SipResponse {
    return this.response(this.request, status, { ...parts, headers: [['Contact', this.contact()]] });
  }

  private contact(): string {
    return this.owner.local.contact(this.request.uri?.user ?? null, this.peerFlow);
  }
}
