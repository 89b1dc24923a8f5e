import type { Timers } from '../../timers.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import type { Via } from '../message/via.ts';
import { writeMessage } from '../message/write-message.ts';
import type { Flow } from '../transport/flow.ts';
import type { Flows } from './flows.ts';
import { type InviteServerInput, type InviteServerState, stepInviteServer } from './invite-server-transaction.ts';
import {
  type NonInviteServerInput,
  type NonInviteServerState,
  stepNonInviteServer,
} from './non-invite-server-transaction.ts';
import { TransactionRunner } from './transaction-runner.ts';

/** What the layer needs of a server transaction's machine. */
export interface ServerTransactionOwner {
  readonly timers: Timers;
  readonly flows: Flows;
  /** The ACK for a 2xx that matched the transaction (RFC 6026 §7.1). */
  acknowledged(ack: SipRequest, flow: Flow): void;
  terminated(transaction: ServerTransaction): void;
}

/**
 * One request that came in, until no retransmission of it can come any more.
 * It does not keep the request, so that a transaction which only absorbs retransmissions is small.
 */
export class ServerTransaction {
  readonly key: string;
  /** What a merged request would share with this one; null within a dialog, and for the merged request itself. */
  readonly mergeKey: string | null;
  readonly method: string;
  /** The way that the request came in. */
  readonly flow: Flow;
  /** Told when no ACK came for a refusal (`timeout`), or when a response could not be sent. */
  failed: ((failure: 'timeout' | 'transport-error') => void) | null = null;
  /** While a CANCEL can still end the INVITE (RFC 3261 §9.2): how, and the To tag that its answer will have. */
  cancellable: { readonly toTag: string; cancel(): void } | null = null;

  private readonly owner: ServerTransactionOwner;
  private readonly via: Via;
  private readonly runner:
    | TransactionRunner<InviteServerState, InviteServerInput>
    | TransactionRunner<NonInviteServerState, NonInviteServerInput>;
  private readonly invite: TransactionRunner<InviteServerState, InviteServerInput> | null;
  private response: SipResponse | null = null;
  private responseBytes: Uint8Array | null = null;
  /** Only while an ACK is handed to the machine. */
  private ack: { request: SipRequest; flow: Flow } | null = null;

  constructor(key: string, mergeKey: string | null, request: SipRequest, flow: Flow, owner: ServerTransactionOwner) {
    this.key = key;
    this.mergeKey = mergeKey;
    this.method = request.method;
    this.flow = flow;
    this.via = request.via;
    this.owner = owner;
    const actions = {
      send: () => this.sendResponse(),
      inform: (of: string) => this.inform(of),
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

  /** A final response was sent. */
  get answered(): boolean {
    return this.response !== null && this.response.status >= 200;
  }

  /** The To tag of the last response, by which the ACK of an RFC 2543 client is known. */
  get responseToTag(): string | undefined {
    return this.response?.to.parameters.get('tag');
  }

  /** Sends a response; the same 2xx again when it is given again. Does nothing once another final response was sent. */
  respond(response: SipResponse): void {
    if (this.answered && response !== this.response) return;
    if (response !== this.response) {
      this.response = response;
      this.responseBytes = writeMessage(response);
    }
    this.runner.input({ status: response.status });
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

  private inform(of: string): void {
    if (of === 'ack' && this.ack !== null) this.owner.acknowledged(this.ack.request, this.ack.flow);
    if (of === 'timeout' || of === 'transport-error') this.failed?.(of);
  }

  private sendResponse(): void {
    // A request that nobody answered yet, not even with a provisional response, has nothing to repeat.
    if (this.responseBytes === null) return;
    const flow = this.owner.flows.forResponse(this.via, this.flow);
    if (flow !== null) flow.send(this.responseBytes);
    // Later, as any other failure: nobody is told of it within the call that sends.
    else this.owner.timers.set(0, () => this.runner.input('transport-error'));
  }
}
