import type { Timer } from '../../timers.ts';
import type { ResponseParts } from '../message/create-message.ts';
import type { SipRequest } from '../message/message.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { RejectOptions, SdpText } from './call.ts';
import type { CallSession } from './call-session.ts';
import { readSessionBody, sdpOf } from './session-body.ts';
import { answerSessionTimer } from './session-interval.ts';

/** UPDATE is to be answered promptly, and gets 504 otherwise (RFC 3311 §5.2). */
const UPDATE_TIMEOUT_MS = 10_000;

interface PendingUpdate {
  readonly request: SipRequest;
  readonly transaction: ServerTransaction;
  readonly timer: Timer;
}

/** The UPDATEs that come in within one dialog, and what they offer (RFC 3311). */
export class IncomingUpdates {
  private pending: PendingUpdate | null = null;
  private readonly session: CallSession;

  constructor(session: CallSession) {
    this.session = session;
  }

  /** Without SDP it only refreshes the session and the target (RFC 3311 §5.2). */
  received(request: SipRequest, transaction: ServerTransaction): void {
    const { session } = this;
    const respond = (status: number, parts?: ResponseParts) =>
      transaction.respond(session.response(request, status, parts));
    if (this.pending !== null) return respond(500, session.later());
    const body = readSessionBody(request);
    const refusal = session.refusalOf(request, body);
    if (refusal !== null) return respond(refusal.status, refusal);
    const offer = sdpOf(body);
    if (offer === null) return this.accept(request, transaction, null);
    const meaning = session.offers.take('UPDATE', 'them', true);
    if (meaning === 'glare') return respond(491);
    if (meaning === 'busy') return respond(500, session.later());
    const timer = session.context.timers.set(UPDATE_TIMEOUT_MS, () => this.refuse(504));
    const pending = { request, transaction, timer };
    this.pending = pending;
    session.handler?.reoffered(offer, {
      accept: (sdp) => {
        if (this.pending !== pending) return;
        this.settle();
        session.remoteSdp = offer;
        this.accept(request, transaction, sdp);
      },
      reject: (status, options) => {
        if (this.pending === pending) this.refuse(status, options);
      },
    });
  }

  private accept(request: SipRequest, transaction: ServerTransaction, sdp: SdpText | null): void {
    const { session } = this;
    const timer = answerSessionTimer(request, session.context.sessionTimer);
    if ('status' in timer) throw new Error('an UPDATE with too small an interval was taken');
    session.peer.learn(request.headers);
    session.refreshTarget(request, transaction.flow);
    session.restartTimer(timer.interval);
    if (sdp !== null) {
      session.offers.take('2xx-UPDATE', 'us', true);
      session.localSdp = sdp;
    }
    const headers = [['Contact', session.contact()] as const, ...timer.fields];
    const content = sdp === null ? {} : { body: sdp, contentType: 'application/sdp' };
    transaction.respond(session.response(request, 200, { headers, ...content }));
  }

  private refuse(status: number, options: RejectOptions = {}): void {
    const { pending, session } = this;
    if (pending === null) return;
    this.settle();
    session.offers.takeBack('refused-UPDATE');
    pending.transaction.respond(session.response(pending.request, status, options));
  }

  private settle(): void {
    this.pending?.timer.clear();
    this.pending = null;
  }

  /** The session ended: what is pending gets 487 (RFC 3261 §15.1.2). */
  stop(): void {
    this.refuse(487);
  }
}
