import type { Timer, Timers } from '../../timers.ts';
import { createRequest } from '../message/create-message.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import type { ClientTransaction } from '../transaction/client-transaction.ts';
import { TIMEOUT_MS } from '../transaction/timer-values.ts';
import type { TransactionLayer } from '../transaction/transaction-layer.ts';
import type { Flow } from '../transport/flow.ts';
import { tagOf } from './dialog.ts';
import type { DialogClient, RequestUser } from './dialog-client.ts';

/** Without a provisional response for so long, the INVITE is given up; as timer C of proxies (RFC 3261 §16.6). */
const SILENCE_MS = 181_000;

export interface ClientInviteUser {
  /** 101 to 199. */
  progressed(response: SipResponse): void;
  /** The first 2xx of each peer that answers; to be acknowledged, now or later. */
  accepted(response: SipResponse): void;
  refused(response: SipResponse): void;
  /** No final response came. */
  failed(failure: 'timeout' | 'transport-error'): void;
}

export interface ClientInviteContext {
  readonly timers: Timers;
  readonly transactions: TransactionLayer;
}

/** One INVITE or re-INVITE of ours, from the user agent's side (RFC 3261 §13.2, §9.1). */
export class ClientInvite implements RequestUser {
  private readonly user: ClientInviteUser;
  private readonly context: ClientInviteContext;
  private outgoing: { request: SipRequest; flow: Flow } | null = null;
  private transaction: ClientTransaction | null = null;
  private state: 'calling' | 'proceeding' | 'done' = 'calling';
  /** Wanted, with these fields; it is sent once there was a provisional response. */
  private cancelFields: ReadonlyArray<readonly [string, string]> | null = null;
  private silence: Timer | null = null;
  private gaveUp = false;
  /** By To tag: the ACK, which answers each repetition of the 2xx; null while it is still to be made. */
  private readonly acks = new Map<string, { bytes: Uint8Array; flow: Flow } | null>();

  constructor(context: ClientInviteContext, user: ClientInviteUser) {
    this.context = context;
    this.user = user;
  }

  /** As it was sent last. */
  get request(): SipRequest {
    if (this.outgoing === null) throw new Error('the INVITE was not sent yet');
    return this.outgoing.request;
  }

  get flow(): Flow {
    if (this.outgoing === null) throw new Error('the INVITE was not sent yet');
    return this.outgoing.flow;
  }

  sending(request: SipRequest, flow: Flow): void {
    this.outgoing = { request, flow };
    this.state = 'calling';
  }

  sent(transaction: ClientTransaction): void {
    this.transaction = transaction;
    if (this.state !== 'done') this.listenFor(SILENCE_MS);
  }

  response(response: SipResponse): void {
    if (response.status < 200) this.provisional(response);
    else if (response.status < 300) this.success(response);
    else {
      this.finish();
      this.user.refused(response);
    }
  }

  failed(failure: 'timeout' | 'transport-error'): void {
    if (this.state === 'done') return;
    this.finish();
    this.user.failed(this.gaveUp ? 'timeout' : failure);
  }

  /** CANCEL, once there was a provisional response; what comes of it is told as any other end (RFC 3261 §9.1). */
  cancel(fields: ReadonlyArray<readonly [string, string]> = []): void {
    if (this.state === 'done' || this.cancelFields !== null) return;
    this.cancelFields = fields;
    if (this.state === 'proceeding') this.sendCancel(fields);
  }

  /** The ACK for a 2xx, and for each repetition of it. */
  acknowledge(accepted: SipResponse, client: DialogClient, sdp: string | null): void {
    this.acks.set(tagOf(accepted.to), client.acknowledge(this.request, sdp));
  }

  private provisional(response: SipResponse): void {
    if (this.state === 'done') return;
    const first = this.state === 'calling';
    this.state = 'proceeding';
    if (this.cancelFields !== null) {
      if (first) this.sendCancel(this.cancelFields);
      return;
    }
    this.listenFor(SILENCE_MS);
    if (response.status > 100) this.user.progressed(response);
  }

  private success(response: SipResponse): void {
    this.finish();
    const tag = tagOf(response.to);
    const ack = this.acks.get(tag);
    if (ack === undefined) {
      this.acks.set(tag, null);
      this.user.accepted(response);
    } else if (ack?.flow.open) ack.flow.send(ack.bytes);
  }

  private sendCancel(fields: ReadonlyArray<readonly [string, string]>): void {
    const { requestUri, via, from, to, callId, cseq, headers } = this.request;
    // RFC 7989 §6: that of the INVITE.
    const sessionId = headers.all('session-id').map((value) => ['Session-ID', value] as const);
    const cancel = createRequest({
      method: 'CANCEL',
      requestUri,
      via,
      from,
      to,
      callId,
      cseqNumber: cseq.number,
      routes: headers.all('route'),
      headers: [...fields, ...sessionId],
    });
    this.context.transactions.send(cancel, this.flow, { response: () => {}, failed: () => {} });
    // RFC 3261 §9.1: without a final response after 64·T1 there will be none.
    this.listenFor(TIMEOUT_MS);
  }

  /** Something must come within that time. */
  private listenFor(ms: number): void {
    this.silence?.clear();
    this.silence = this.context.timers.set(ms, () => {
      this.gaveUp = true;
      if (this.cancelFields === null && this.state === 'proceeding') this.cancel();
      else this.transaction?.transportFailed();
    });
  }

  private finish(): void {
    this.state = 'done';
    this.silence?.clear();
    this.silence = null;
  }
}
