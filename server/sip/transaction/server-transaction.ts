import type { Timer, Timers } from '../../timers.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import type { Via } from '../message/via.ts';
import { writeMessage } from '../message/write-message.ts';
import type { Flow } from '../transport/flow.ts';
import type { Flows } from './flows.ts';
import { type InviteServerInput, type InviteServerState, stepInviteServer } from './invite-server-transaction.ts';
import type { KnownTransaction } from './lingering.ts';
import {
  type NonInviteServerInput,
  type NonInviteServerState,
  stepNonInviteServer,
} from './non-invite-server-transaction.ts';
import { TRYING_MS } from './timer-values.ts';
import { TransactionRunner } from './transaction-runner.ts';

/** What the layer needs of a server transaction's machine. */
export interface ServerTransactionOwner {
  readonly timers: Timers;
  readonly flows: Flows;
  /** The ACK for a 2xx that matched the transaction (RFC 6026 §7.1). */
  acknowledged(ack: SipRequest, flow: Flow): void;
  terminated(transaction: ServerTransaction): void;
  /** Only retransmissions of the request are awaited now; they get this response over this way, or nothing. */
  answered(transaction: ServerTransaction, response: Uint8Array | null, way: Flow | null): void;
}

/**
 * One request that came in, until no retransmission of it can come any more.
 * It does not keep the request, so that a transaction which only absorbs retransmissions is small.
 */
export class ServerTransaction implements KnownTransaction {
  readonly key: string;
  /** What a merged request would share with this one; null within a dialog, and for the merged request itself. */
  readonly mergeKey: string | null;
  readonly method: string;
  /** The way that the request came in. */
  readonly flow: Flow;
  /** Told when no ACK came for a refusal (`timeout`), or when a response could not be sent. */
  failed: ((failure: 'timeout' | 'transport-error') => void) | null = null;
  cancellable: KnownTransaction['cancellable'] = null;

  private readonly owner: ServerTransactionOwner;
  /** The way for responses. */
  private way: Flow | null;
  /** To find another way by, when a connection is gone; UDP has but one. */
  private readonly via: Via | null;
  private readonly runner:
    | TransactionRunner<InviteServerState, InviteServerInput>
    | TransactionRunner<NonInviteServerState, NonInviteServerInput>;
  private readonly invite: TransactionRunner<InviteServerState, InviteServerInput> | null;
  private lastStatus = 0;
  private lastToTag: string | undefined;
  private responseBytes: Uint8Array | null = null;
  private isOver = false;
  /** Until 100 is sent, when nothing else was before. */
  private tryingTimer: Timer | null = null;
  /** Only while an ACK is handed to the machine. */
  private ack: { request: SipRequest; flow: Flow } | null = null;

  constructor(key: string, mergeKey: string | null, request: SipRequest, flow: Flow, owner: ServerTransactionOwner) {
    this.key = key;
    this.mergeKey = mergeKey;
    this.method = request.method;
    this.flow = flow;
    this.way = owner.flows.forResponse(request.via, flow);
    this.via = flow.reliable ? request.via : null;
    this.owner = owner;
    const actions = {
      send: () => this.sendResponse(),
      inform: (of: string) => this.inform(of),
      completed: () => this.linger(this.responseBytes),
      terminated: () => owner.terminated(this),
    };
    if (request.method === 'INVITE') {
      this.invite = new TransactionRunner<InviteServerState, InviteServerInput>(
        stepInviteServer,
        'initial',
        flow.reliable,
        owner.timers,
        actions,
      );
      this.runner = this.invite;
    } else {
      this.invite = null;
      this.runner = new TransactionRunner<NonInviteServerState, NonInviteServerInput>(
        stepNonInviteServer,
        'initial',
        flow.reliable,
        owner.timers,
        actions,
      );
    }
  }

  get state(): InviteServerState | NonInviteServerState {
    return this.runner.state;
  }

  get responseToTag(): string | undefined {
    return this.lastToTag;
  }

  /** Sends a response. Does nothing once a final one was sent. */
  respond(response: SipResponse): void {
    if (this.lastStatus >= 200) return;
    this.tryingTimer?.clear();
    this.tryingTimer = null;
    this.lastStatus = response.status;
    this.lastToTag = response.to.parameters.get('tag');
    this.responseBytes = writeMessage(response);
    this.runner.input({ status: response.status });
  }

  /**
   * Has 100 sent to the INVITE, unless another response is given within 200 ms (RFC 3261 §17.2.1): the client's first
   * retransmission is due after 500, and most INVITEs are answered in much less.
   */
  trying(create: () => SipResponse): void {
    if (this.lastStatus > 0 || this.tryingTimer !== null) return;
    this.tryingTimer = this.owner.timers.set(TRYING_MS, () => this.respond(create()));
  }

  /** The ACK for the 2xx has come, or is not awaited any more: from now on the INVITE is only absorbed (RFC 6026 §7.1). */
  settled(): void {
    if (this.runner.state === 'accepted') this.linger(null);
  }

  /** Sends the 2xx to INVITE again, which is the user agent's to repeat (RFC 3261 §13.3.1.4). */
  repeat(): void {
    this.runner.input({ status: this.lastStatus });
  }

  /** The request itself at first, then each retransmission of it. */
  receive(): void {
    this.runner.input('request');
  }

  receiveAck(request: SipRequest, flow: Flow): void {
    this.ack = { request, flow };
    this.invite?.input('ack');
    this.ack = null;
  }

  private linger(response: Uint8Array | null): void {
    if (this.isOver) return;
    this.isOver = true;
    this.runner.stop();
    this.owner.answered(this, response, this.way);
  }

  private inform(of: string): void {
    if (of === 'ack' && this.ack !== null) this.owner.acknowledged(this.ack.request, this.ack.flow);
    if (of === 'timeout' || of === 'transport-error') this.failed?.(of);
  }

  private sendResponse(): void {
    // A request that nobody answered yet, not even with a provisional response, has nothing to repeat.
    if (this.responseBytes === null) return;
    if (this.way?.open !== true && this.via !== null) this.way = this.owner.flows.forResponse(this.via, this.flow);
    if (this.way?.open === true) this.way.send(this.responseBytes);
    // Later, as any other failure: nobody is told of it within the call that sends.
    else this.owner.timers.set(0, () => this.runner.input('transport-error'));
  }
}
