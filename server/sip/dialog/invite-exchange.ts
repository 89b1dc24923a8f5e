import type { Timer, Timers } from '../../timers.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import { doubled, T1_MS, TIMEOUT_MS } from '../transaction/timer-values.ts';
import { ReliableProvisionals } from './reliable-provisionals.ts';

/** How long the application may take for a final response. */
export const ANSWER_TIMEOUT_MS = 180_000;
/** Proxies give up on an INVITE from which they heard nothing for 3 minutes (RFC 3261 §13.3.1.1). */
const PROVISIONAL_INTERVAL_MS = 60_000;

export interface InviteExchangeUser {
  /** The To tag of the dialog. */
  readonly toTag: string;
  /** The client gave up before the final response; `reason` is the CANCEL's Reason. */
  cancelled(reason: string | undefined): void;
  /** No final response was given in time, or no PRACK came for a reliable provisional one. */
  unanswered(status: 480 | 487 | 504): void;
  /** No ACK came within 64·T1 of the 2xx. */
  unacknowledged(): void;
  /** A response could not be sent. */
  transportFailed(): void;
}

/**
 * One INVITE or re-INVITE that came in, from the user agent's side: answered once, a 2xx sent again until the ACK
 * (RFC 3261 §13.3.1).
 */
export class InviteExchange {
  readonly request: SipRequest;
  readonly transaction: ServerTransaction;
  readonly reliable: ReliableProvisionals;
  /** `done`: refused, acknowledged or given up. */
  state: 'pending' | 'accepted' | 'done' = 'pending';

  private readonly timers: Timers;
  private readonly user: InviteExchangeUser;
  private acceptedAtMs = 0;
  /** Until the answer is due, then until the 2xx is sent again. */
  private timer: Timer;
  private provisionalTimer: Timer | null = null;

  constructor(
    request: SipRequest,
    transaction: ServerTransaction,
    firstRseq: number,
    timers: Timers,
    user: InviteExchangeUser,
  ) {
    this.request = request;
    this.transaction = transaction;
    this.timers = timers;
    this.user = user;
    this.reliable = new ReliableProvisionals(timers, firstRseq, {
      send: (response) => transaction.respond(response),
      unacknowledged: () => user.unanswered(504),
    });
    const expiresMs = expiresOf(request) * 1000;
    this.timer =
      expiresMs < ANSWER_TIMEOUT_MS
        ? // RFC 3261 §13.3.1: the invitation expired.
          timers.set(expiresMs, () => user.unanswered(487))
        : timers.set(ANSWER_TIMEOUT_MS, () => user.unanswered(480));
    transaction.failed = (failure) => {
      if (failure === 'transport-error') user.transportFailed();
    };
    transaction.cancellable = { toTag: user.toTag, cancel: (reason) => user.cancelled(reason) };
  }

  provisional(response: SipResponse): void {
    if (this.state !== 'pending') return;
    this.transaction.respond(response);
    this.provisionalTimer?.clear();
    if (response.status === 100) return;
    this.provisionalTimer = this.timers.set(PROVISIONAL_INTERVAL_MS, () => this.provisional(response));
  }

  refuse(response: SipResponse): void {
    if (this.state !== 'pending') return;
    this.finish();
    this.transaction.respond(response);
  }

  accept(response: SipResponse): void {
    if (this.state !== 'pending') return;
    this.release();
    this.state = 'accepted';
    this.acceptedAtMs = this.timers.now();
    this.transaction.respond(response);
    this.repeatAfter(T1_MS);
  }

  /** The ACK came, or what proves that the 2xx arrived; or the dialog ended, and none is awaited any more. */
  finish(): void {
    this.state = 'done';
    this.release();
    // The transaction outlives the call, to absorb retransmissions.
    this.transaction.failed = null;
    this.transaction.settled();
  }

  /** Over reliable transports too, as a hop beyond the next may be unreliable (RFC 3261 §13.3.1.4). */
  private repeatAfter(intervalMs: number): void {
    const leftMs = TIMEOUT_MS - (this.timers.now() - this.acceptedAtMs);
    if (leftMs <= intervalMs) {
      this.timer = this.timers.set(Math.max(0, leftMs), () => this.user.unacknowledged());
      return;
    }
    this.timer = this.timers.set(intervalMs, () => {
      this.transaction.repeat();
      this.repeatAfter(doubled(intervalMs));
    });
  }

  private release(): void {
    this.transaction.cancellable = null;
    this.reliable.stop();
    this.timer.clear();
    this.provisionalTimer?.clear();
    this.provisionalTimer = null;
  }
}

/** Seconds; infinite without the field, or when it makes no sense. */
function expiresOf(request: SipRequest): number {
  const value = request.headers.get('expires');
  return value !== undefined && /^\d{1,10}$/.test(value) ? Number(value) : Number.POSITIVE_INFINITY;
}
