import { Dialog, dialogId, tagOf } from '../../server/sip/dialog/dialog.ts';
import { readSessionBody } from '../../server/sip/dialog/session-body.ts';
import { createRequest, createResponse } from '../../server/sip/message/create-message.ts';
import type { SipMessage, SipRequest, SipResponse } from '../../server/sip/message/message.ts';
import { parseNameAddress } from '../../server/sip/message/name-address.ts';
import { createVia, MAGIC_COOKIE, type Via } from '../../server/sip/message/via.ts';
import { writeMessage } from '../../server/sip/message/write-message.ts';
import type { ServerTransaction } from '../../server/sip/transaction/server-transaction.ts';
import { TransactionLayer, type TransactionUser } from '../../server/sip/transaction/transaction-layer.ts';
import type { Flow } from '../../server/sip/transport/flow.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { VirtualTimers } from './virtual-timers.ts';

const LOCAL = '192.0.2.1';
const TARGET = 'sip:demo@192.0.2.2';

/** After a provisional response nothing but the user's patience ends an INVITE whose final response was lost. */
const PATIENCE_MS = 400_000;

/** A final status of an INVITE or re-INVITE; 408 when none came. */
export type Answered = (status: number, response: SipResponse | null) => void;

/** A phone of few words, on the same transactions: calls, changes its call, and hangs up. */
export class TestClient implements TransactionUser {
  readonly transactions: TransactionLayer;
  state: 'idle' | 'calling' | 'established' | 'ended' = 'idle';
  byesReceived = 0;
  provisionals = 0;

  private readonly timers: VirtualTimers;
  private readonly random: SeededRandom;
  private readonly flow: Flow;
  private dialog: Dialog | null = null;
  private invite: SipRequest | null = null;

  constructor(timers: VirtualTimers, random: SeededRandom, flow: Flow) {
    this.timers = timers;
    this.random = random;
    this.flow = flow;
    this.transactions = new TransactionLayer({
      timers,
      flows: { forResponse: () => flow, forRequest: () => flow },
      user: this,
      newTag: () => random.token(),
      maxServerTransactions: 1000,
    });
  }

  received(message: SipMessage, flow: Flow): void {
    this.transactions.received(message, flow);
  }

  /** Without an offer, the answer goes into the ACK. */
  call(offer: string | null, answered: Answered): void {
    const request = createRequest({
      method: 'INVITE',
      requestUri: TARGET,
      via: this.newVia(),
      from: parseNameAddress(`<sip:phone@${LOCAL}>;tag=${this.random.token()}`)!,
      to: parseNameAddress(`<${TARGET}>`)!,
      callId: this.random.token(),
      cseqNumber: 1,
      headers: [['Contact', `<sip:phone@${LOCAL}>`]],
      ...(offer === null ? {} : { body: offer, contentType: 'application/sdp' }),
    });
    this.state = 'calling';
    this.invite = request;
    this.sendInvite(request, offer === null, (status, response) => {
      if (status < 300 && response !== null) {
        this.dialog = Dialog.ofClient(request, response);
        this.state = 'established';
      } else this.state = 'ended';
      answered(status, response);
    });
  }

  reinvite(offer: string | null, answered: Answered): void {
    const request = this.dialog!.createRequest('INVITE', this.newVia(), {
      headers: [['Contact', `<sip:phone@${LOCAL}>`]],
      ...(offer === null ? {} : { body: offer, contentType: 'application/sdp' }),
    });
    this.sendInvite(request, offer === null, (status, response) => {
      if (status === 481 || status === 408) this.state = 'ended';
      answered(status, response);
    });
  }

  cancel(): void {
    const { requestUri, via, from, to, callId, cseq } = this.invite!;
    const cancel = createRequest({ method: 'CANCEL', requestUri, via, from, to, callId, cseqNumber: cseq.number });
    this.transactions.send(cancel, this.flow, { response: () => {}, failed: () => {} });
  }

  hangUp(): void {
    this.state = 'ended';
    this.sendInDialog('BYE', () => {});
  }

  options(answered: (status: number) => void): void {
    this.sendInDialog('OPTIONS', answered);
  }

  acknowledged(): void {
    throw new Error('an ACK to somebody who answered no INVITE');
  }

  request(request: SipRequest, transaction: ServerTransaction): void {
    const id = dialogId(request.callId, tagOf(request.to), tagOf(request.from));
    const known = this.state !== 'ended' && id === this.dialog?.id && this.dialog.takeInOrder(request);
    if (known && request.method === 'BYE') {
      this.state = 'ended';
      this.byesReceived++;
    }
    transaction.respond(createResponse(request, known ? 200 : 481));
  }

  private sendInDialog(method: string, answered: (status: number) => void): void {
    this.transactions.send(this.dialog!.createRequest(method, this.newVia()), this.flow, {
      response: ({ status }) => {
        if (status >= 200) answered(status);
      },
      failed: () => answered(408),
    });
  }

  private sendInvite(request: SipRequest, answerInAck: boolean, answered: Answered): void {
    let ack: Uint8Array | null = null;
    const patience = this.timers.set(PATIENCE_MS, () => transaction.transportFailed());
    const transaction = this.transactions.send(request, this.flow, {
      response: (response) => {
        if (response.status < 200) {
          this.provisionals++;
          return;
        }
        if (ack !== null) {
          // Each retransmission of the 2xx gets the ACK again (RFC 3261 §13.2.2.4).
          this.flow.send(ack);
          return;
        }
        patience.clear();
        if (response.status < 300) {
          const dialog = this.dialog ?? Dialog.ofClient(request, response)!;
          ack = this.createAck(dialog, request, response, answerInAck);
          this.flow.send(ack);
        }
        answered(response.status, response);
      },
      failed: () => {
        patience.clear();
        answered(408, null);
      },
    });
  }

  private createAck(dialog: Dialog, invite: SipRequest, response: SipResponse, withAnswer: boolean): Uint8Array {
    const body = readSessionBody(response);
    if (!('sdp' in body) || body.sdp === null) throw new Error('a 2xx without SDP');
    const answer = withAnswer ? { body: `answer to ${body.sdp}`, contentType: 'application/sdp' } : {};
    return writeMessage(dialog.createRequest('ACK', this.newVia(), { cseqNumber: invite.cseq.number, ...answer }));
  }

  private newVia(): Via {
    const protocol = this.flow.protocol.toUpperCase();
    return createVia(protocol, LOCAL, 5060, `${MAGIC_COOKIE}${this.random.token()}`);
  }
}
