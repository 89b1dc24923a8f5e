import type { SipRequest } from '../message/message.ts';
import type { Flow } from '../transport/flow.ts';

/** Why a call is over. */
export type CallEnd =
  | { cause: 'remote-bye'; reason: string | null }
  | { cause: 'local-bye' }
  | { cause: 'rejected'; status: number }
  /** CANCEL before the final answer (RFC 3261 §9.2); the INVITE was answered 487. */
  | { cause: 'cancelled' }
  /** No ACK within 64·T1 of the 2xx (RFC 3261 §13.3.1.4); a BYE was sent. */
  | { cause: 'ack-timeout' }
  /** A request of ours within the dialog got 481 or 408, or none at all (RFC 3261 §12.2.1.2). */
  | { cause: 'dialog-gone'; status: number }
  | { cause: 'transport'; message: string };

/** An offer or an answer as it stands in a body: SDP text. */
export type SdpText = string;

/** What the one who took a call is told. Every method is called at most as often as its sentence says. */
export interface CallHandler {
  /** The dialog stands: the 2xx was acknowledged. `answer` is the SDP of the ACK when the 2xx carried our offer. */
  confirmed(answer: SdpText | null): void;
  /**
   * A re-INVITE, with its offer, or null when it has none and our answer must carry one (RFC 3261 §14.2).
   * Must be settled once by `reply.accept` or `reply.reject`, now or later; `confirmed` follows for an accepted one.
   */
  reoffered(offer: SdpText | null, reply: ReofferReply): void;
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

/** A call that came in as an INVITE; ours until `ended`. */
export interface IncomingCall {
  /** Unique among the calls of this process; stands in logs. */
  readonly id: string;
  readonly request: SipRequest;
  readonly flow: Flow;
  /** The first INVITE's offer; null for a late offer, where our 2xx carries ours. */
  readonly offer: SdpText | null;
  /** Must be called at once, within `UserAgentHandler.invited`. */
  handle(handler: CallHandler): void;
  /** Sends a provisional response; 100 is sent without being asked. */
  progress(status: number, reason?: string): void;
  /** 200 with our answer, or our offer if theirs is still to come. Does nothing when the call has ended meanwhile. */
  accept(sdp: SdpText): void;
  /** A final response that ends the call. Does nothing when the call has ended meanwhile. */
  reject(status: number, options?: RejectOptions): void;
  /** BYE; before the answer, a 480; before the ACK it waits for it (RFC 3261 §15). `ended` follows at once. */
  hangUp(reason?: string): void;
  /** In-dialog OPTIONS: whether the other side still knows the call (any answer but 481 and 408, RFC 3261 §12.2.1.2). */
  probe(): Promise<boolean>;
}
