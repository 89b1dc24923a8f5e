import type { Timer, Timers } from '../../timers.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { T1_MS, TIMEOUT_MS } from '../transaction/timer-values.ts';

export interface ReliableProvisionalsUser {
  send(response: SipResponse): void;
  /** No PRACK came within 64·T1. */
  unacknowledged(): void;
}

interface Waiting {
  readonly make: (rseq: number) => SipResponse;
  /** Has an offer or an answer in it. */
  readonly sdp: boolean;
}

/** The reliable provisional responses to one INVITE, each sent until its PRACK comes (RFC 3262 §3). */
export class ReliableProvisionals {
  private readonly timers: Timers;
  private readonly user: ReliableProvisionalsUser;
  private rseq: number;
  /** The next waits for the PRACK of the one before. */
  private readonly queue: Waiting[] = [];
  private current: (Waiting & { readonly rseq: number; response: SipResponse }) | null = null;
  private timer: Timer | null = null;
  private afterwards: (() => void) | null = null;

  constructor(timers: Timers, firstRseq: number, user: ReliableProvisionalsUser) {
    this.timers = timers;
    this.rseq = firstRseq - 1;
    this.user = user;
  }

  send(waiting: Waiting): void {
    this.queue.push(waiting);
    if (this.current === null) this.sendNext();
  }

  /** At once, or when no SDP waits for a PRACK any more: before that no 2xx may be sent (RFC 3262 §3). */
  whenSessionIsKnown(action: () => void): void {
    if (this.sdpWaits) this.afterwards = action;
    else action();
  }

  /** Whether one waits for its PRACK. */
  get waits(): boolean {
    return this.current !== null;
  }

  /** False for a PRACK that acknowledges nothing here, and gets 481. */
  acknowledged(prack: SipRequest, inviteCseq: number): boolean {
    const match = /^\s*(\d+)\s+(\d+)\s+INVITE\s*$/.exec(prack.headers.get('rack') ?? '');
    if (match === null || this.current === null) return false;
    return Number(match[1]) === this.current.rseq && Number(match[2]) === inviteCseq;
  }

  /** Goes on after a PRACK that was acknowledged and dealt with. */
  next(): void {
    this.timer?.clear();
    this.current = null;
    this.sendNext();
    if (this.sdpWaits || this.afterwards === null) return;
    const action = this.afterwards;
    this.afterwards = null;
    action();
  }

  /** The INVITE has its final response. A PRACK may still come for what was sent before (RFC 3262 §3). */
  stop(): void {
    this.timer?.clear();
    this.queue.length = 0;
    this.afterwards = null;
  }

  private get sdpWaits(): boolean {
    return this.current?.sdp === true || this.queue.some(({ sdp }) => sdp);
  }

  private sendNext(): void {
    const waiting = this.queue.shift();
    if (waiting === undefined) return;
    const rseq = ++this.rseq;
    const response = waiting.make(rseq);
    this.current = { ...waiting, rseq, response };
    this.user.send(response);
    this.repeatAfter(T1_MS, TIMEOUT_MS);
  }

  /** The intervals double without a limit but 64·T1 for all of them (RFC 3262 §3). */
  private repeatAfter(intervalMs: number, leftMs: number): void {
    if (leftMs <= intervalMs) {
      this.timer = this.timers.set(leftMs, () => this.user.unacknowledged());
      return;
    }
    this.timer = this.timers.set(intervalMs, () => {
      if (this.current !== null) this.user.send(this.current.response);
      this.repeatAfter(intervalMs * 2, leftMs - intervalMs);
    });
  }
}
