import type { ResponseParts } from '../message/create-message.ts';
import type { SipRequest } from '../message/message.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { ProgressOptions, RejectOptions, ReofferReply, SdpText } from './call.ts';
import type { CallSession } from './call-session.ts';
import { InviteExchange, type InviteExchangeUser } from './invite-exchange.ts';
import { tagsOf } from './peer-capabilities.ts';
import { readSessionBody, sdpOf } from './session-body.ts';
import { answerSessionTimer } from './session-interval.ts';

const MAX_FIRST_RSEQ = 2 ** 31 - 1;

/** The INVITEs and PRACKs that come in within one dialog, and what they offer. */
export class IncomingOffers {
  /** The last INVITE. */
  private exchange: InviteExchange | null = null;
  /** A PRACK with an offer that is not answered yet. */
  private pendingPrack: ReofferReply | null = null;
  private readonly session: CallSession;

  constructor(session: CallSession) {
    this.session = session;
  }

  /** Whether an INVITE of the peer is on its way, until its ACK. */
  get inviting(): boolean {
    return this.exchange !== null && this.exchange.state !== 'done';
  }

  /** Whether our 2xx waits for its ACK. */
  get awaitsAck(): boolean {
    return this.exchange?.state === 'accepted';
  }

  /** Whether a reliable provisional response of ours waits for its PRACK. */
  get awaitsPrack(): boolean {
    return this.exchange?.state === 'pending' && this.exchange.reliable.waits;
  }

  /** Takes an INVITE: 100 goes out if nothing else does soon. The first of a dialog is told of its end through `first`. */
  begin(
    invite: SipRequest,
    transaction: ServerTransaction,
    sdp: SdpText | null,
    first?: Pick<InviteExchangeUser, 'cancelled' | 'unanswered'>,
  ): InviteExchange {
    const { session } = this;
    const { context, dialog } = session;
    session.peer.learn(invite.headers);
    session.offers.take('INVITE', 'them', sdp !== null);
    const firstRseq = 1 + context.random.below(MAX_FIRST_RSEQ);
    const exchange = new InviteExchange(invite, transaction, firstRseq, context.timers, {
      toTag: dialog.localTag,
      cancelled: (reason) => (first ? first.cancelled(reason) : this.refuse(exchange, 487)),
      unanswered: (status) => (first ? first.unanswered(status) : this.refuse(exchange, status)),
      unacknowledged: () => this.unacknowledged(exchange),
      transportFailed: () => session.transportFailed('a response could not be sent'),
    });
    this.exchange = exchange;
    transaction.trying(() => context.local.createResponse(invite, 100, null));
    return exchange;
  }

  /** A provisional response, reliable where it has SDP or must be (RFC 3262 §3). */
  progress(exchange: InviteExchange, status: number, { reason, sdp }: ProgressOptions): void {
    const { session } = this;
    const { headers } = exchange.request;
    const required = tagsOf(headers, 'require').has('100rel');
    const reliable = required || (sdp !== undefined && tagsOf(headers, 'supported').has('100rel'));
    const message = reliable ? '1xx-rel' : '1xx';
    const meaning = sdp === undefined ? 'nothing' : session.offers.meaningOf(message, 'us');
    const content =
      sdp !== undefined && meaning !== 'nothing' ? { body: sdp, contentType: 'application/sdp' } : undefined;
    const fields = [['Contact', session.contact()] as const, ['Allow', session.context.local.allow] as const];
    const parts: ResponseParts = { ...content, ...(reason === undefined ? {} : { reason }) };
    if (!reliable) {
      exchange.provisional(session.response(exchange.request, status, { ...parts, headers: fields }));
      return;
    }
    if (exchange.state !== 'pending') return;
    if (content !== undefined) this.agreed(exchange, content.body);
    session.offers.take('1xx-rel', 'us', content !== undefined);
    exchange.reliable.send({
      sdp: content !== undefined,
      make: (rseq) => {
        const headers = [...fields, ['Require', '100rel'] as const, ['RSeq', String(rseq)] as const];
        return session.response(exchange.request, status, { ...parts, headers });
      },
    });
  }

  /** 200 with our answer or offer, unless a reliable provisional response had it. */
  accept(exchange: InviteExchange, sdp: SdpText, accepted: () => void = () => {}): void {
    exchange.reliable.whenSessionIsKnown(() => {
      if (exchange.state !== 'pending') return;
      const { session } = this;
      const { request } = exchange;
      const timer = answerSessionTimer(request, session.context.sessionTimer);
      if ('status' in timer) throw new Error('an INVITE with too small an interval was taken');
      const needed = session.offers.meaningOf('2xx-INVITE', 'us') !== 'nothing';
      session.offers.take('2xx-INVITE', 'us', needed);
      if (needed) this.agreed(exchange, sdp);
      accepted();
      session.timer.restart(timer.interval);
      const headers = [
        ['Contact', session.contact()] as const,
        ...session.context.local.sessionCapabilities,
        ...timer.fields,
      ];
      const content = needed ? { body: sdp, contentType: 'application/sdp' } : {};
      exchange.accept(session.response(request, 200, { headers, ...content }));
    });
  }

  refuse(exchange: InviteExchange, status: number, options: RejectOptions = {}): void {
    if (status < 300) throw new Error(`${status} does not refuse an INVITE`);
    if (exchange.state === 'pending') this.session.offers.takeBack('refused-INVITE');
    exchange.refuse(this.session.response(exchange.request, status, options));
  }

  /** A re-INVITE. */
  invite(request: SipRequest, transaction: ServerTransaction): void {
    const { session } = this;
    const respond = (status: number, parts?: ResponseParts) =>
      transaction.respond(session.response(request, status, parts));
    // RFC 3261 §14.2.
    if (this.exchange?.state === 'pending') return respond(500, session.later());
    const ourOfferWaits = session.offers.waiting === 'us';
    // Among these is our offer in a 2xx, which waits for its answer in the ACK (RFC 5407 §3.1.5).
    const ourInviteWaits = session.reoffers.inviting || (session.state === 'early' && !session.invited);
    if (ourInviteWaits || ourOfferWaits) return respond(491);
    if (session.offers.waiting === 'them') return respond(500, session.later());
    const body = readSessionBody(request);
    const refusal = session.refusalOf(request, body);
    if (refusal !== null) return respond(refusal.status, refusal);
    if (this.exchange?.state === 'accepted') this.acknowledgedByReinvite(this.exchange);
    // The application may have hung up on being told that the dialog stands.
    if (session.state === 'ended') return respond(481);
    const offer = sdpOf(body);
    const exchange = this.begin(request, transaction, offer);
    session.handler?.reoffered(offer, {
      accept: (sdp) => {
        if (exchange.state !== 'pending') return;
        session.refreshTarget(request, transaction.flow);
        this.accept(exchange, sdp);
      },
      reject: (status, options) => this.refuse(exchange, status, options),
    });
  }

  prack(request: SipRequest, transaction: ServerTransaction): void {
    const { session, exchange } = this;
    const respond = (status: number, parts?: ResponseParts) =>
      transaction.respond(session.response(request, status, parts));
    if (exchange === null || !exchange.reliable.acknowledged(request, exchange.request.cseq.number)) {
      return respond(481);
    }
    if (this.pendingPrack !== null) return respond(500, session.later());
    const body = readSessionBody(request);
    if ('status' in body) return respond(body.status, { headers: body.headers });
    const meaning = session.offers.take('PRACK', 'them', body.sdp !== null);
    if (meaning !== 'offer' || body.sdp === null) {
      respond(200);
      if (meaning === 'answer' && body.sdp !== null) session.learnAnswer(body.sdp);
      exchange.reliable.next();
      return;
    }
    const reply = this.replyToPrack(exchange, body.sdp, respond);
    this.pendingPrack = reply;
    session.handler?.reoffered(body.sdp, reply);
  }

  /** An ACK for a 2xx; repeated ones and those of earlier INVITEs change nothing. */
  acknowledged(ack: SipRequest): void {
    const { exchange, session } = this;
    if (exchange?.state !== 'accepted' || ack.cseq.number !== exchange.request.cseq.number) return;
    exchange.finish();
    if (session.state === 'ended') return session.sendBye();
    const sdp = sdpOf(readSessionBody(ack));
    const meaning = session.offers.take('ACK', 'them', sdp !== null);
    if (meaning === 'answer') session.remoteSdp = sdp;
    session.handler?.confirmed(meaning === 'answer' ? sdp : null);
  }

  /** The session ended: what is pending gets 487 (RFC 3261 §15.1.2). */
  stop(awaitsAck: boolean): void {
    this.pendingPrack?.reject(487);
    if (this.exchange?.state === 'pending') this.refuse(this.exchange, 487);
    if (!awaitsAck) this.exchange?.finish();
  }

  private unacknowledged(exchange: InviteExchange): void {
    exchange.finish();
    if (this.session.state === 'ended') this.session.sendBye();
    else this.session.endWithBye({ cause: 'ack-timeout' });
  }

  /** Who sends the next INVITE has got the 2xx to the last; only its ACK is late or lost (RFC 5407 §3.1.4). */
  private acknowledgedByReinvite(exchange: InviteExchange): void {
    exchange.finish();
    this.session.offers.take('ACK', 'them', false);
    this.session.handler?.confirmed(null);
  }

  /** What is said of the session in answer to an INVITE, or as our offer. */
  private agreed({ request }: InviteExchange, sdp: SdpText): void {
    const { session } = this;
    session.localSdp = sdp;
    session.remoteSdp = sdpOf(readSessionBody(request)) ?? session.remoteSdp;
  }

  private replyToPrack(
    exchange: InviteExchange,
    offer: SdpText,
    respond: (status: number, parts?: ResponseParts) => void,
  ): ReofferReply {
    const { session } = this;
    const settles = (): boolean => {
      const first = this.pendingPrack === reply;
      if (first) this.pendingPrack = null;
      return first;
    };
    const reply: ReofferReply = {
      accept: (sdp) => {
        if (!settles()) return;
        session.offers.take('2xx-PRACK', 'us', true);
        session.localSdp = sdp;
        session.remoteSdp = offer;
        respond(200, { body: sdp, contentType: 'application/sdp' });
        exchange.reliable.next();
      },
      reject: (status, options) => {
        if (!settles()) return;
        session.offers.takeBack('refused-PRACK');
        respond(status, options);
        exchange.reliable.next();
      },
    };
    return reply;
  }
}
