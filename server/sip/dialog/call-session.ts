import type { DigestClient } from '../auth/digest-client.ts';
import type { ResponseParts } from '../message/create-message.ts';
import { quote } from '../message/header-value.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { Flow } from '../transport/flow.ts';
import type { Call, CallEnd, CallHandler, SdpText } from './call.ts';
import type { CallContext } from './call-context.ts';
import type { Dialog } from './dialog.ts';
import { DialogClient } from './dialog-client.ts';
import { IncomingOffers } from './incoming-offers.ts';
import { IncomingUpdates } from './incoming-updates.ts';
import { readInfo } from './info.ts';
import { FAST_UPDATE, MEDIA_CONTROL_TYPE } from './media-control.ts';
import { OfferAnswer } from './offer-answer.ts';
import { PeerCapabilities } from './peer-capabilities.ts';
import { receiveSubscription } from './received-subscription.ts';
import { Referrals } from './referrals.ts';
import { Reoffers } from './reoffers.ts';
import { dialogOfCall } from './request-dialog.ts';
import type { SessionBody } from './session-body.ts';
import type { SessionId } from './session-id.ts';
import { answerSessionTimer, type SessionInterval } from './session-interval.ts';
import { SessionTimer } from './session-timer.ts';
import type { PeerContact } from './ways.ts';

interface Refusal {
  readonly status: number;
  readonly headers: ReadonlyArray<readonly [string, string]>;
}

/** The call that a session belongs to. */
export interface SessionUser {
  readonly call: Call;
  /** Null until the application has taken the call. */
  readonly handler: CallHandler | null;
  /** Exactly once. */
  ended(end: CallEnd): void;
}

export interface SessionParts {
  readonly dialog: Dialog;
  readonly flow: Flow;
  /** Whether the INVITE came in; otherwise it is ours, and so is the Call-ID. */
  readonly invited: boolean;
  /** User and scheme of our Contact; sips for those who call so, or are called so (RFC 3261 §12.1.1, §8.1.1.8). */
  readonly contactUser: string | null;
  readonly contactScheme: 'sip' | 'sips';
  readonly sessionId: SessionId;
  /** For calls that we make, where we are asked who we are. */
  readonly digest: DigestClient | null;
}

/** What goes on within one dialog of a call, whoever called: re-INVITE, UPDATE, INFO, REFER, OPTIONS, BYE, in both directions. */
export class CallSession {
  readonly dialog: Dialog;
  readonly invited: boolean;
  readonly context: CallContext;
  readonly user: SessionUser;
  readonly client: DialogClient;
  readonly peer = new PeerCapabilities();
  readonly offers = new OfferAnswer();
  readonly timer: SessionTimer;
  readonly incoming: IncomingOffers;
  readonly updates: IncomingUpdates;
  readonly reoffers: Reoffers;
  readonly referrals: Referrals;
  /** `early` until the 2xx; `ended` as the application was told, though a BYE may still be due. */
  state: 'early' | 'established' | 'ended' = 'early';
  /** What we said last, and what they said. */
  localSdp: SdpText | null = null;
  remoteSdp: SdpText | null = null;

  private readonly contactUser: string | null;
  private readonly contactScheme: 'sip' | 'sips';
  private readonly sessionId: SessionId;
  private byeReason: string | undefined;
  /** Whether a picture may be asked for by INFO. */
  private fastUpdate: 'free' | 'asking' | 'refused' = 'free';
  private probing: { answered: Promise<boolean>; settle: (alive: boolean) => void } | null = null;

  constructor(parts: SessionParts, user: SessionUser, context: CallContext) {
    const { dialog, flow, invited, sessionId, digest } = parts;
    this.dialog = dialog;
    this.invited = invited;
    this.context = context;
    this.user = user;
    this.contactUser = parts.contactUser;
    this.contactScheme = parts.contactScheme;
    this.sessionId = sessionId;
    this.client = new DialogClient(dialog, flow, invited, sessionId, digest, context);
    this.incoming = new IncomingOffers(this);
    this.updates = new IncomingUpdates(this);
    this.reoffers = new Reoffers(this);
    this.referrals = new Referrals(this);
    this.timer = new SessionTimer(context.timers, {
      refresh: () => this.reoffers.refresh(),
      expired: () => this.endWithBye({ cause: 'session-expired' }, 'session expired'),
    });
    context.remember(this);
  }

  get handler(): CallHandler | null {
    return this.user.handler;
  }

  /** Where the peer takes requests, also outside of the dialog; null when its Contact is no SIP address. */
  get peerContact(): PeerContact | null {
    const { remoteTarget, routeSet } = this.dialog;
    return remoteTarget.uri === null ? null : { uri: remoteTarget.uri, routes: routeSet, flow: this.client.flow };
  }

  /** A request within the dialog other than ACK and CANCEL. */
  received(request: SipRequest, transaction: ServerTransaction): void {
    this.sessionId.learn(request);
    const respond = (status: number, parts?: ResponseParts) =>
      transaction.respond(this.response(request, status, parts));
    if (!this.dialog.takeInOrder(request)) return respond(500);
    if (request.method === 'BYE') return this.receivedBye(request, transaction);
    if (this.state === 'ended') return respond(481);
    switch (request.method) {
      case 'INVITE':
        return this.incoming.invite(request, transaction);
      case 'UPDATE':
        return this.updates.received(request, transaction);
      case 'PRACK':
        return this.incoming.prack(request, transaction);
      case 'INFO':
        return this.receivedInfo(request, respond);
      case 'REFER':
        return this.referrals.received(request, transaction);
      case 'NOTIFY':
        return this.referrals.notified(request, respond);
      case 'SUBSCRIBE':
        // Those to what is subscribed to already did not get here.
        return receiveSubscription(request, dialogOfCall(this, request, transaction), this.user.call);
      case 'OPTIONS':
        return respond(200, { headers: [['Contact', this.contact()], ...this.context.local.capabilities] });
      default:
        // Methods that the application answers, such as REGISTER, have no meaning in a call.
        return respond(405, { headers: [['Allow', this.context.local.allow]] });
    }
  }

  /** An ACK for a 2xx. */
  acknowledged(ack: SipRequest): void {
    this.incoming.acknowledged(ack);
  }

  hangUp(reason?: string): void {
    this.endWithBye({ cause: 'local-bye' }, reason);
  }

  probe(): Promise<boolean> {
    if (this.state !== 'established') return Promise.resolve(this.state === 'early');
    if (this.probing !== null) return this.probing.answered;
    let settle: (alive: boolean) => void = () => {};
    const answered = new Promise<boolean>((resolve) => {
      settle = resolve;
    });
    this.probing = { answered, settle };
    const sent = this.client.send(
      'OPTIONS',
      { headers: [['Accept', 'application/sdp']] },
      {
        response: ({ status }) => {
          if (status === 481 || status === 408) this.gone(status);
          else if (status >= 200) this.settleProbe(true);
        },
        failed: (failure) => (failure === 'timeout' ? this.gone(408) : this.transportFailed('no answer to OPTIONS')),
      },
    );
    if (!sent) this.transportFailed('no way to the peer');
    return answered;
  }

  askKeyFrame(): void {
    if (this.state !== 'established' || this.fastUpdate !== 'free') return;
    this.fastUpdate = 'asking';
    const over = (status: number): void => {
      if (status === 481 || status === 408) return this.gone(status);
      // What is not understood is not asked for again.
      this.fastUpdate = [405, 415, 469, 501].includes(status) ? 'refused' : 'free';
    };
    const parts = { headers: [], body: FAST_UPDATE, contentType: MEDIA_CONTROL_TYPE };
    const sent = this.client.send('INFO', parts, {
      response: ({ status }) => {
        if (status >= 200) over(status);
      },
      failed: (failure) => over(failure === 'timeout' ? 408 : 503),
    });
    if (!sent) this.fastUpdate = 'free';
  }

  /** A request of ours got 481 or 408: the peer does not know the dialog any more (RFC 3261 §12.2.1.2). */
  gone(status: number): void {
    if (this.state === 'ended') return;
    this.end({ cause: 'dialog-gone', status });
    // After a 408 the peer may still be there, and must not wait for us.
    if (status === 408) this.sendBye();
    else this.context.forget(this);
  }

  transportFailed(message: string): void {
    if (this.state === 'ended') return;
    const established = this.state === 'established';
    this.end({ cause: 'transport', message });
    if (established) this.sendBye();
    else this.context.forget(this);
  }

  /** An answer to our offer that came before the final response. */
  learnAnswer(answer: SdpText): void {
    if (answer === this.remoteSdp) return;
    this.remoteSdp = answer;
    this.handler?.answered(answer);
  }

  /** Ends the session, and has BYE sent: at once, or when the ACK for our 2xx has come (RFC 3261 §15). */
  endWithBye(end: CallEnd, reason?: string): void {
    if (this.state === 'ended') return;
    this.byeReason = reason;
    const awaitsAck = this.incoming.awaitsAck;
    this.end(end, awaitsAck);
    if (!awaitsAck) this.sendBye();
  }

  /** Tells the application, once; what waits for a reply of it is refused. */
  end(end: CallEnd, awaitsAck = false): void {
    if (this.state === 'ended') return;
    this.state = 'ended';
    this.incoming.stop(awaitsAck);
    this.updates.stop();
    this.reoffers.stop();
    this.referrals.stop();
    this.timer.stop();
    this.client.abandon();
    this.settleProbe(false);
    this.user.ended(end);
  }

  sendBye(): void {
    const { byeReason: reason } = this;
    const headers = reason === undefined ? [] : [['Reason', `SIP;text=${quote(reason)}`] as const];
    const sent = this.client.send(
      'BYE',
      { headers },
      {
        response: ({ status }) => {
          if (status >= 200) this.context.forget(this);
        },
        failed: () => this.context.forget(this),
      },
    );
    if (!sent) this.context.forget(this);
  }

  response(request: SipRequest, status: number, parts: ResponseParts = {}): SipResponse {
    const headers = [...(parts.headers ?? []), this.sessionId.field];
    return this.context.local.createResponse(request, status, this.dialog.localTag, { ...parts, headers });
  }

  /** The Contact and the way of an accepted INVITE, UPDATE or SUBSCRIBE are those of our requests from now on (RFC 3261 §12.2). */
  refreshTarget(request: SipRequest, flow: Flow): void {
    this.dialog.refreshTarget(request);
    this.client.flow = flow;
    this.client.cameIn = true;
  }

  /** What an UPDATE says of it before the INVITE is answered is for the answer to say (RFC 4028 §3). */
  restartTimer(interval: SessionInterval | null): void {
    if (this.state === 'established') this.timer.restart(interval);
  }

  /** Why an INVITE or UPDATE is refused, whatever it offers; null: it is not. */
  refusalOf(request: SipRequest, body: SessionBody): Refusal | null {
    if ('status' in body) return body;
    const timer = answerSessionTimer(request, this.context.sessionTimer);
    return 'status' in timer ? timer : null;
  }

  /** For a 500 to one that comes before the last is answered (RFC 3261 §14.2, RFC 3311 §5.2). */
  later(): ResponseParts {
    return { headers: [['Retry-After', String(this.context.random.below(11))]] };
  }

  contact(): string {
    return this.context.local.contact(this.contactUser, this.client.flow, this.contactScheme);
  }

  private receivedBye(request: SipRequest, transaction: ServerTransaction): void {
    transaction.respond(this.response(request, 200));
    this.incoming.stop(false);
    this.end({ cause: 'remote-bye', reason: request.headers.get('reason') ?? null });
    this.context.forget(this);
  }

  private receivedInfo(request: SipRequest, respond: (status: number, parts?: ResponseParts) => void): void {
    const info = readInfo(request);
    if (info.tells === 'refused') return respond(info.status, { headers: info.headers });
    respond(200);
    if (info.tells === 'key') this.handler?.key(info.key, info.durationMs);
    else if (info.tells === 'fast-update') this.handler?.keyFrameWanted?.();
  }

  private settleProbe(alive: boolean): void {
    this.probing?.settle(alive);
    this.probing = null;
  }
}
