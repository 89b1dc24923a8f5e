import { credentialsOf, type DigestClient } from '../auth/digest-client.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { writeMessage } from '../message/write-message.ts';
import type { ClientTransaction, ClientTransactionUser } from '../transaction/client-transaction.ts';
import type { Flows } from '../transaction/flows.ts';
import type { TransactionLayer } from '../transaction/transaction-layer.ts';
import { type Flow, MAX_UDP_REQUEST_BYTES } from '../transport/flow.ts';
import { withTopVia } from '../transport/via-routing.ts';
import type { Dialog, DialogRequestParts } from './dialog.ts';
import type { LocalEnd } from './local-end.ts';
import { listensAt, nextHop } from './next-hop.ts';
import type { SessionId } from './session-id.ts';

export interface RequestUser extends ClientTransactionUser {
  /** The request is about to go out: at once, and once more for each challenge that was answered. */
  sending?(request: SipRequest, flow: Flow): void;
  sent?(transaction: ClientTransaction): void;
  /** NOTIFY: subscriptions go on after the call in whose dialog they are (RFC 5057 §4.1). */
  readonly outlivesCall?: boolean;
}

export interface DialogClientContext {
  readonly flows: Flows;
  readonly transactions: TransactionLayer;
  readonly local: LocalEnd;
}

/** Sends our requests within one dialog. */
export class DialogClient {
  /** By which the peer's last accepted INVITE came in, or ours went out. */
  flow: Flow;
  /** Whether requests of the peer came in by that flow. */
  cameIn: boolean;
  /** Requests that wait for a connection. */
  private readonly waiting = new Map<symbol, RequestUser>();
  /** The peer takes no TCP connections: the next large request need not wait to find that out. */
  private streamRefused = false;
  private readonly dialog: Dialog;
  private readonly context: DialogClientContext;
  private readonly sessionId: SessionId;
  private readonly digest: DigestClient | null;

  constructor(
    dialog: Dialog,
    flow: Flow,
    cameIn: boolean,
    sessionId: SessionId,
    digest: DigestClient | null,
    context: DialogClientContext,
  ) {
    this.dialog = dialog;
    this.flow = flow;
    this.cameIn = cameIn;
    this.sessionId = sessionId;
    this.digest = digest;
    this.context = context;
  }

  /** False when there is no way to the peer; then `user` is told nothing. */
  send(method: string, parts: DialogRequestParts, user: RequestUser): boolean {
    const flow = this.nextHop();
    if (flow === null) return false;
    const request = this.create(method, parts, flow);
    if (this.isTooLarge(request, flow)) this.sendLarge(request, method, parts, user, flow);
    else this.sendOver(flow, request, method, parts, user);
    return true;
  }

  /** The call is over: what of it still waits for its way is not sent any more. */
  abandon(): void {
    for (const [waiting, user] of this.waiting) if (!user.outlivesCall) this.waiting.delete(waiting);
  }

  /**
   * The ACK for a 2xx, which has no transaction; null when there is no way to the peer (RFC 3261 §13.2.2.4).
   * Deviation: a large one goes over UDP too (RFC 3261 §18.1.1), as each repetition of the 2xx is answered at once.
   */
  acknowledge(invite: SipRequest, sdp: string | null): { bytes: Uint8Array; flow: Flow } | null {
    const flow = this.nextHop();
    if (flow === null) return null;
    const ack = this.dialog.createRequest('ACK', this.context.local.newVia(flow), {
      cseqNumber: invite.cseq.number,
      headers: [...credentialsOf(invite), this.sessionId.field],
      ...(sdp === null ? {} : { body: sdp, contentType: 'application/sdp' }),
    });
    const bytes = writeMessage(ack);
    flow.send(bytes);
    return { bytes, flow };
  }

  private sendOver(
    flow: Flow,
    request: SipRequest,
    method: string,
    parts: DialogRequestParts,
    user: RequestUser,
  ): void {
    user.sending?.(request, flow);
    const transaction = this.context.transactions.send(request, flow, {
      response: (response) => {
        if (!this.retried(method, parts, response, user)) user.response(response);
      },
      failed: (failure) => user.failed(failure),
    });
    user.sent?.(transaction);
  }

  /**
   * Over TCP, or over UDP where no connection can be made (RFC 3261 §18.1.1). What has gone out meanwhile has a higher number
   * than `measured`, which is then made anew.
   */
  private sendLarge(
    measured: SipRequest,
    method: string,
    parts: DialogRequestParts,
    user: RequestUser,
    flow: Flow,
  ): void {
    const waiting = Symbol(method);
    this.waiting.set(waiting, user);
    this.context.flows.stream?.(flow, (stream) => {
      if (!this.waiting.delete(waiting)) return;
      this.streamRefused ||= stream === null;
      const way = stream ?? flow;
      const request = this.dialog.isDue(measured)
        ? withTopVia(measured, this.context.local.newVia(way))
        : this.create(method, parts, way);
      this.sendOver(way, request, method, parts, user);
    });
  }

  private isTooLarge(request: SipRequest, flow: Flow): boolean {
    if (flow.reliable || this.streamRefused || this.context.flows.stream === undefined) return false;
    // Most have no body; then it need not be measured.
    if (request.body.length === 0 && this.dialog.routeSet.length < 5) return false;
    return writeMessage(request).length > MAX_UDP_REQUEST_BYTES && listensAt(this.dialog, flow);
  }

  private create(method: string, parts: DialogRequestParts, flow: Flow): SipRequest {
    const headers = [...(parts.headers ?? []), this.sessionId.field];
    const request = this.dialog.createRequest(method, this.context.local.newVia(flow), { ...parts, headers });
    for (const [name, value] of this.digest?.credentials(request) ?? []) request.headers.add(name, value);
    return request;
  }

  /** Whether a challenge was answered, with the request anew (RFC 3261 §22.2). */
  private retried(method: string, parts: DialogRequestParts, response: SipResponse, user: RequestUser): boolean {
    if (this.digest === null || response.status < 200) return false;
    if (response.status !== 401 && response.status !== 407) {
      this.digest.answered(response);
      return false;
    }
    return this.digest.challenged(response) === 'retry' && this.send(method, parts, user);
  }

  private nextHop(): Flow | null {
    return nextHop(this.dialog, this.flow, this.cameIn, this.context.flows);
  }
}
