import type { Timer } from '../../timers.ts';
import type { SipResponse } from '../message/message.ts';
import type { ReofferResult, SdpText } from './call.ts';
import type { CallSession } from './call-session.ts';
import { ClientInvite } from './client-invite.ts';
import { PrackSender } from './prack-sender.ts';
import { readSessionBody, sdpOf } from './session-body.ts';
import { acceptedSessionTimer, minimumOf, requestSessionTimer } from './session-interval.ts';

/** After so many, the peer will not agree to anything. */
const MAX_ATTEMPTS = 10;
/** Where a 500 does not say that we may come again. */
const MAX_ATTEMPTS_UNASKED = 3;
/** A Retry-After that is longer is a refusal. */
const MAX_RETRY_AFTER_S = 60;

interface Wish {
  readonly offer: (() => SdpText) | null;
  /** An UPDATE without SDP does. */
  readonly refreshOnly: boolean;
  readonly concluded: (result: ReofferResult) => void;
  attempts: number;
}

/** Our re-INVITEs and UPDATEs within one dialog, one at a time, until they are accepted or refused for good. */
export class Reoffers {
  private readonly session: CallSession;
  private wish: Wish | null = null;
  private invite: ClientInvite | null = null;
  private retry: Timer | null = null;
  private minimumS: number;
  /** The session is to be refreshed, should what is on its way be refused. */
  private refreshDue = false;

  constructor(session: CallSession) {
    this.session = session;
    this.minimumS = session.context.sessionTimer.minimumS;
  }

  /** Whether a re-INVITE of ours is on its way. */
  get inviting(): boolean {
    return this.invite !== null;
  }

  offer(offer: (() => SdpText) | null, concluded: (result: ReofferResult) => void): void {
    if (this.session.state === 'ended') concluded({ status: 481 });
    else if (this.wish !== null) concluded({ status: 491 });
    else this.begin({ offer, refreshOnly: false, concluded, attempts: 0 });
  }

  /** Keeps the session alive (RFC 4028 §10). What is on its way already does it too, once it is accepted. */
  refresh(): void {
    if (this.wish !== null) {
      this.refreshDue = true;
      return;
    }
    const { session } = this;
    const offer = session.localSdp === null ? null : () => session.localSdp ?? '';
    const concluded = (result: ReofferResult) => {
      if ('answer' in result && result.answer !== null) session.handler?.answered(result.answer);
    };
    this.begin({ offer, refreshOnly: true, concluded, attempts: 0 });
  }

  /** The session ended. A 2xx that still comes to our re-INVITE is acknowledged, no more. */
  stop(): void {
    this.retry?.clear();
    this.retry = null;
    this.conclude({ status: 481 });
  }

  private begin(wish: Wish): void {
    this.wish = wish;
    this.attempt(wish);
  }

  private attempt(wish: Wish): void {
    const { session } = this;
    if (++wish.attempts > MAX_ATTEMPTS) return this.conclude({ status: 491 });
    const update = session.peer.allows('UPDATE') && (wish.refreshOnly || session.state === 'early');
    if (session.state === 'early' && !update) return this.conclude({ status: 405 });
    const needsOffer = !(update && wish.refreshOnly);
    // Also when our last answer waits for its PRACK (RFC 3311 §5.1).
    const offerWaits = needsOffer && (session.offers.waiting !== null || session.incoming.awaitsPrack);
    // As if it had been sent, and had crossed theirs (RFC 3261 §14.1).
    if (offerWaits || (!update && session.incoming.inviting)) return this.retryAfterGlare(wish);
    const sdp = needsOffer ? (wish.offer?.() ?? null) : null;
    const sent = update ? this.sendUpdate(wish, sdp) : this.sendInvite(wish, sdp);
    if (!sent) session.transportFailed('no way to the peer');
  }

  private sendUpdate(wish: Wish, sdp: SdpText | null): boolean {
    const { session } = this;
    if (sdp !== null) session.offers.take('UPDATE', 'us', true);
    return session.client.send('UPDATE', this.parts(sdp), {
      response: (response) => {
        if (response.status < 200) return;
        if (response.status < 300) return this.updated(response, sdp);
        if (sdp !== null) session.offers.takeBack('refused-UPDATE');
        if (response.status === 405 || response.status === 501) session.peer.doesNotKnow('UPDATE');
        this.refused(wish, response);
      },
      failed: (failure) => this.unanswered(failure),
    });
  }

  private updated(response: SipResponse, offered: SdpText | null): void {
    const answer = this.settle(response);
    if (offered === null) return this.conclude({ answer: null });
    const { session } = this;
    session.offers.take('2xx-UPDATE', 'them', answer !== null);
    if (answer === null) return this.conclude({ status: 488 });
    this.agreed(offered, answer);
  }

  private sendInvite(wish: Wish, sdp: SdpText | null): boolean {
    const { session } = this;
    session.offers.take('INVITE', 'us', sdp !== null);
    const pracks = new PrackSender(session);
    const invite = new ClientInvite(session.context, {
      progressed: (response) => {
        if (session.state !== 'ended') pracks.received(response);
      },
      accepted: (response) => this.accepted(invite, response, sdp),
      refused: (response) => {
        this.invite = null;
        session.offers.takeBack('refused-INVITE');
        this.refused(wish, response);
      },
      failed: (failure) => this.unanswered(failure),
    });
    this.invite = invite;
    return session.client.send('INVITE', this.parts(sdp), invite);
  }

  private accepted(invite: ClientInvite, response: SipResponse, offered: SdpText | null): void {
    const { session } = this;
    if (session.state === 'ended') return invite.acknowledge(response, session.client, null);
    const sdp = this.settle(response);
    const unanswered = session.offers.waiting === 'us';
    const meaning = session.offers.take('2xx-INVITE', 'them', sdp !== null);
    if (meaning === 'offer' && sdp !== null) return this.answerOffer(invite, response, sdp);
    invite.acknowledge(response, session.client, null);
    session.offers.take('ACK', 'us', false);
    this.invite = null;
    if (offered === null) return this.conclude({ answer: null });
    if (meaning === 'answer' && sdp !== null) return this.agreed(offered, sdp);
    if (unanswered) return this.conclude({ status: 488 });
    // A reliable provisional response had the answer.
    session.localSdp = offered;
    this.conclude({ answer: null });
  }

  /** Theirs, in the 2xx to an INVITE of ours without one: our answer goes into the ACK. */
  private answerOffer(invite: ClientInvite, response: SipResponse, offer: SdpText): void {
    const { session } = this;
    const acknowledge = (sdp: SdpText | null) => {
      invite.acknowledge(response, session.client, sdp);
      session.offers.take('ACK', 'us', sdp !== null);
      this.invite = null;
    };
    session.remoteSdp = offer;
    session.handler?.reoffered(offer, {
      accept: (sdp) => {
        if (this.invite !== invite) return;
        session.localSdp = sdp;
        acknowledge(sdp);
        this.conclude({ answer: null });
      },
      reject: () => {
        if (this.invite !== invite) return;
        acknowledge(null);
        session.hangUp('offer not acceptable');
      },
    });
  }

  /** What any 2xx changes; gives its SDP. */
  private settle(response: SipResponse): SdpText | null {
    const { session } = this;
    session.dialog.refreshTarget(response);
    session.peer.learn(response.headers);
    session.restartTimer(acceptedSessionTimer(response, session.context.sessionTimer));
    return sdpOf(readSessionBody(response));
  }

  private agreed(offered: SdpText, answer: SdpText): void {
    const { session, wish } = this;
    const news = answer !== session.remoteSdp || wish?.refreshOnly !== true;
    session.localSdp = offered;
    session.remoteSdp = answer;
    this.conclude({ answer: news ? answer : null });
  }

  private refused(wish: Wish, response: SipResponse): void {
    const { session } = this;
    const { status } = response;
    if (session.state === 'ended' || this.wish !== wish) return;
    if (status === 481 || status === 408) return session.gone(status);
    if (status === 491) return this.retryAfterGlare(wish);
    if (status === 422) {
      this.minimumS = Math.max(this.minimumS, minimumOf(response.headers));
      return this.attempt(wish);
    }
    const afterS = Number(/^\s*(\d{1,6})/.exec(response.headers.get('retry-after') ?? '')?.[1]);
    if ((status === 500 || status === 503) && afterS <= MAX_RETRY_AFTER_S) {
      return this.retryAfter(wish, afterS * 1000);
    }
    // Perhaps a later request of ours has overtaken it (RFC 3261 §12.2.2).
    if (status === 500 && wish.attempts < MAX_ATTEMPTS_UNASKED) return this.retryAfter(wish, 1000);
    // A refresh goes as a re-INVITE then.
    if ((status === 405 || status === 501) && wish.refreshOnly && session.localSdp !== null && wish.attempts < 2) {
      return this.attempt(wish);
    }
    this.conclude({ status });
  }

  private unanswered(failure: 'timeout' | 'transport-error'): void {
    this.invite = null;
    if (failure === 'timeout') this.session.gone(408);
    else this.session.transportFailed('a request could not be sent');
  }

  /** RFC 3261 §14.1: who made the Call-ID waits longer, so that the same does not happen again. */
  private retryAfterGlare(wish: Wish): void {
    const { session } = this;
    const { random } = session.context;
    this.retryAfter(wish, session.invited ? 10 * random.below(201) : 2100 + 10 * random.below(191));
  }

  private retryAfter(wish: Wish, ms: number): void {
    this.retry = this.session.context.timers.set(ms, () => this.attempt(wish));
  }

  private conclude(result: ReofferResult): void {
    const { wish } = this;
    const refresh = this.refreshDue && 'status' in result;
    this.wish = null;
    this.refreshDue = false;
    wish?.concluded(result);
    if (refresh && this.session.state === 'established') this.refresh();
  }

  private parts(sdp: SdpText | null) {
    const { session } = this;
    const { local, sessionTimer } = session.context;
    const headers = [
      ['Contact', session.contact()] as const,
      ...local.sessionCapabilities,
      ...requestSessionTimer(sessionTimer, session.timer.agreed, this.minimumS),
    ];
    return sdp === null ? { headers } : { headers, body: sdp, contentType: 'application/sdp' };
  }
}
