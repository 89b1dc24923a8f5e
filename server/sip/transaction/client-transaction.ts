import type { Timers } from '../../timers.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { writeMessage } from '../message/write-message.ts';
import type { Flow } from '../transport/flow.ts';
import { createRefusalAck } from './ack.ts';
import { type InviteClientInput, type InviteClientState, stepInviteClient } from './invite-client-transaction.ts';
import {
  type NonInviteClientInput,
  type NonInviteClientState,
  stepNonInviteClient,
} from './non-invite-client-transaction.ts';
import { TransactionRunner } from './transaction-runner.ts';

/** What the one who sent a request is told. */
export interface ClientTransactionUser {
  /** Each provisional response, then the final one; for INVITE also each further 2xx. */
  response(response: SipResponse): void;
  /** No final response will come: none came in time, or the request (or the ACK for a refusal) could not be sent. */
  failed(failure: 'timeout' | 'transport-error'): void;
}

export interface ClientTransactionOwner {
  readonly timers: Timers;
  terminated(transaction: ClientTransaction): void;
}

/** One request of ours, until no response to it can come any more. */
export class ClientTransaction {
  readonly key: string;
  readonly flow: Flow;

  private readonly owner: ClientTransactionOwner;
  private readonly user: ClientTransactionUser;
  private readonly request: SipRequest;
  private readonly runner:
    | TransactionRunner<InviteClientState, InviteClientInput>
    | TransactionRunner<NonInviteClientState, NonInviteClientInput>;
  private requestBytes: Uint8Array | null = null;
  private ackBytes: Uint8Array | null = null;
  private lastResponse: SipResponse | null = null;

  constructor(
    key: string,
    request: SipRequest,
    flow: Flow,
    user: ClientTransactionUser,
    owner: ClientTransactionOwner,
  ) {
    this.key = key;
    this.request = request;
    this.flow = flow;
    this.user = user;
    this.owner = owner;
    const actions = {
      send: (message: string) => (message === 'ack' ? this.sendAck() : this.sendRequest()),
      inform: (of: string) => this.inform(of),
      terminated: () => owner.terminated(this),
    };
    this.runner =
      request.method === 'INVITE'
        ? new TransactionRunner<InviteClientState, InviteClientInput>(
            stepInviteClient,
            'initial',
            flow.reliable,
            owner.timers,
            actions,
          )
        : new TransactionRunner<NonInviteClientState, NonInviteClientInput>(
            stepNonInviteClient,
            'initial',
            flow.reliable,
            owner.timers,
            actions,
          );
  }

  get state(): InviteClientState | NonInviteClientState {
    return this.runner.state;
  }

  start(): void {
    this.runner.input('start');
  }

  receive(response: SipResponse): void {
    this.lastResponse = response;
    this.runner.input({ status: response.status });
  }

  transportFailed(): void {
    this.runner.input('transport-error');
  }

  private inform(of: string): void {
    if (of === 'response' && this.lastResponse !== null) this.user.response(this.lastResponse);
    if (of === 'timeout' || of === 'transport-error') this.user.failed(of);
  }

  private sendRequest(): void {
    this.requestBytes ??= writeMessage(this.request);
    this.send(this.requestBytes);
  }

  private sendAck(): void {
    if (this.lastResponse === null) throw new Error('an ACK without a response');
    this.ackBytes ??= writeMessage(createRefusalAck(this.request, this.lastResponse));
    this.send(this.ackBytes);
  }

  private send(bytes: Uint8Array): void {
    if (this.flow.open) this.flow.send(bytes);
    // Later, as any other failure: nobody is told of it within the call that sends.
    else this.owner.timers.set(0, () => this.transportFailed());
  }
}
