import type { SipResponse } from '../message/message.ts';
import type { Call, CallEnd, CallHandler, SdpText } from './call.ts';
import type { CallContext } from './call-context.ts';
import { CallSession, type SessionParts, type SessionUser } from './call-session.ts';
import type { ClientInvite } from './client-invite.ts';
import { PrackSender } from './prack-sender.ts';
import { readSessionBody, sdpOf } from './session-body.ts';
import { acceptedSessionTimer } from './session-interval.ts';

/** For the forks that the application does not hear of. */
const BYSTANDER: CallHandler = {
  progressed: () => {},
  answered: () => {},
  confirmed: () => {},
  reoffered: (_offer, reply) => reply.reject(500, { headers: [['Retry-After', '5']] }),
  key: () => {},
  referred: (referral) => referral.reject(603),
  ended: () => {},
};

export interface ForkOwner {
  readonly call: Call;
  readonly handler: CallHandler;
  /** The one whose early media the application hears, and later the one that answered. */
  readonly current: Fork | null;
  forkEnded(fork: Fork, end: CallEnd): void;
}

/** One of those who ring for a call of ours: an early dialog, of which one becomes the call (RFC 3261 §13.2.2). */
export class Fork implements SessionUser {
  readonly session: CallSession;
  /** For which it rings. */
  readonly invite: ClientInvite;
  private readonly owner: ForkOwner;
  private readonly pracks: PrackSender;

  constructor(parts: SessionParts, invite: ClientInvite, offer: SdpText, owner: ForkOwner, context: CallContext) {
    this.invite = invite;
    this.owner = owner;
    this.session = new CallSession(parts, this, context);
    this.session.localSdp = offer;
    this.session.offers.take('INVITE', 'us', true);
    this.pracks = new PrackSender(this.session);
  }

  get call(): Call {
    return this.owner.call;
  }

  get handler(): CallHandler {
    return this.owner.current === this ? this.owner.handler : BYSTANDER;
  }

  ended(end: CallEnd): void {
    this.owner.forkEnded(this, end);
  }

  progressed(response: SipResponse): void {
    this.session.peer.learn(response.headers);
    this.pracks.received(response);
  }

  /** It answered first. Gives the answer to our offer, which may have come before the 2xx; null when there was none. */
  accepted(response: SipResponse): SdpText | null {
    const { session, invite } = this;
    session.state = 'established';
    session.dialog.confirm(response);
    session.peer.learn(response.headers);
    const sdp = sdpOf(readSessionBody(response));
    if (session.offers.take('2xx-INVITE', 'them', sdp !== null) === 'answer') session.remoteSdp = sdp;
    invite.acknowledge(response, session.client, null);
    session.offers.take('ACK', 'us', false);
    session.timer.restart(acceptedSessionTimer(response, session.context.sessionTimer));
    return session.remoteSdp;
  }

  /** It answered too late, or second: the dialog that stands now is ended (RFC 3261 §13.2.2.4). */
  dismiss(response: SipResponse): void {
    this.drop();
    this.session.dialog.confirm(response);
    this.invite.acknowledge(response, this.session.client, null);
    this.session.sendBye();
  }

  /** Another one answered, or nobody will. */
  drop(): void {
    this.session.end({ cause: 'cancelled' });
    this.session.context.forget(this.session);
  }
}
