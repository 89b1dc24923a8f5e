import type { SipRequest } from '../message/message.ts';
import type { NameAddress } from '../message/name-address.ts';
import type { Flow } from '../transport/flow.ts';
import type { PeerContact } from './ways.ts';

/** Why a call is over. */
export type CallEnd =
  | { cause: 'remote-bye'; reason: string | null }
  | { cause: 'local-bye' }
  /** The INVITE was refused, by us or by the one whom we called; `reason` is the phrase that came with theirs. */
  | { cause: 'rejected'; status: number; reason?: string }
  /** Given up by the caller before the final answer (RFC 3261 §9.2); `reason` is the Reason of a CANCEL that came in. */
  | { cause: 'cancelled'; reason?: string }
  /** Whom we called did not answer in time; the INVITE was cancelled. */
  | { cause: 'no-answer' }
  /** No ACK within 64·T1 of the 2xx (RFC 3261 §13.3.1.4); a BYE was sent. */
  | { cause: 'ack-timeout' }
  /** A request of ours within the dialog got 481 or 408, or none at all (RFC 3261 §12.2.1.2). */
  | { cause: 'dialog-gone'; status: number }
  /** Nobody refreshed the session in time (RFC 4028 §10); a BYE was sent. */
  | { cause: 'session-expired' }
  | { cause: 'transport'; message: string };

/** An offer or an answer as it stands in a body: SDP text. */
export type SdpText = string;

/** What the one who has a call is told. Every method is called at most as often as its sentence says. */
export interface CallHandler {
  /** Whom we called sent a provisional response: rings, or has more to say. Only for calls that we make. */
  progressed(status: number, reason: string): void;
  /**
   * An answer to what we offered, outside of `confirmed` and `reoffer`: early media, a PRACK, a refreshed session.
   * After the first it is another one to the same offer, such as when another phone took the call (RFC 3261 §13.2.2.4).
   */
  answered(answer: SdpText): void;
  /** The dialog stands: the 2xx was acknowledged. `answer` is one to our offer that was not told before, or null. */
  confirmed(answer: SdpText | null): void;
  /**
   * A re-INVITE or UPDATE, with its offer, or null when it has none and our answer must carry one (RFC 3261 §14.2).
   * Must be settled once by `reply.accept` or `reply.reject`, now or later; `confirmed` follows for an accepted re-INVITE.
   */
  reoffered(offer: SdpText | null, reply: ReofferReply): void;
  /** A key was pressed: 0 to 9, *, #, A to D, told by INFO. */
  key(key: string, durationMs: number): void;
  /** They need a key frame of our picture, told by INFO (RFC 5168). Absent: there is no picture. */
  keyFrameWanted?(): void;
  /** A REFER within the dialog (RFC 3515): the peer asks us to call somebody. To be settled at once. */
  referred(referral: Referral): void;
  /** Exactly once, and nothing after it. */
  ended(end: CallEnd): void;
}

export interface ReofferReply {
  accept(sdp: SdpText): void;
  reject(status: number, options?: RejectOptions): void;
}

export interface RejectOptions {
  reason?: string;
  /** Such as a Warning or Retry-After. */
  headers?: ReadonlyArray<readonly [string, string]>;
}

/** What came of our re-INVITE or UPDATE. */
export type ReofferResult =
  /** The answer, null when it was told by `answered` or when the offer was theirs. */
  | { readonly answer: SdpText | null }
  /** It was refused; what was agreed before stays. */
  | { readonly status: number };

/** Somebody wants us to send a request to another (RFC 3515), settled by one of `accept` and `reject`. */
export interface Referral {
  readonly request: SipRequest;
  readonly flow: Flow;
  readonly referTo: NameAddress;
  /** Who asks, as Referred-By says it (RFC 3892). */
  readonly referredBy: NameAddress | null;
  /** 202, or 200 where no subscription is wanted; what came of it goes to whom it gives. */
  accept(): ReferralProgress;
  reject(status: number, options?: RejectOptions): void;
}

export interface ReferralProgress {
  /** A response to the request that was sent; a final one ends the subscription. */
  report(status: number, reason: string): void;
}

/** A call of either direction. */
export interface Call {
  /** Unique among the calls of this process; stands in logs. */
  readonly id: string;
  /** Call-ID of its messages. */
  readonly callId: string;
  /** The way to the peer; for a call that we make, before there is any, null. */
  readonly flow: Flow | null;
  /** Where the peer takes requests; null before anybody answered a call of ours. */
  readonly contact: PeerContact | null;
  /** Ours in Session-ID (RFC 7989), which stands in the logs of others. */
  readonly sessionId: string;
  /** BYE, or what there is before an answer: 480, CANCEL; before the ACK it waits for it (RFC 3261 §15). `ended` follows. */
  hangUp(reason?: string): void;
  /** In-dialog OPTIONS: whether the other side still knows the call (any answer but 481 and 408, RFC 3261 §12.2.1.2). */
  probe(): Promise<boolean>;
  /** Asks for a key frame of theirs by INFO (RFC 5168); not again while one is on its way, or where it is not understood. */
  askKeyFrame(): void;
  /**
   * Changes the session: a re-INVITE, or an UPDATE before the answer. `offer` is asked for at each attempt, as there are
   * more than one when both sides change it at once (RFC 3261 §14.1); null lets the peer offer, by way of `reoffered`.
   */
  reoffer(offer: (() => SdpText) | null, concluded: (result: ReofferResult) => void): void;
  /** Asks the peer to call `target` (RFC 3515); told of each status until a final one, which may be that of the REFER. */
  refer(target: string, told: (status: number) => void): void;
}

/** A call that came in as an INVITE; ours until `ended`. */
export interface IncomingCall extends Call {
  readonly request: SipRequest;
  readonly flow: Flow;
  /** The first INVITE's offer; null for a late offer, where our 2xx carries ours. */
  readonly offer: SdpText | null;
  /** The call that this one wants to take the place of (RFC 3891). */
  readonly replaces: Call | null;
  /** The call whose conference this one wants to enter (RFC 3911). */
  readonly joins: Call | null;
  /** Must be called at once, within `UserAgentHandler.invited`. */
  handle(handler: CallHandler): void;
  /** Sends a provisional response; 100 is sent without being asked. */
  progress(status: number, options?: ProgressOptions): void;
  /** 200 with our answer, or our offer if theirs is still to come. Does nothing when the call has ended meanwhile. */
  accept(sdp: SdpText): void;
  /** A final response that ends the call. Does nothing when the call has ended meanwhile. */
  reject(status: number, options?: RejectOptions): void;
}

export interface ProgressOptions {
  reason?: string;
  /** Our answer, or our offer, for early media: it goes out reliably where the peer can do that (RFC 3262). */
  sdp?: SdpText;
}
