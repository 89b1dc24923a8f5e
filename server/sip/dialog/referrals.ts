import type { ResponseParts } from '../message/create-message.ts';
import type { SipRequest } from '../message/message.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { CallSession } from './call-session.ts';
import { eventOf, referEventId } from './event.ts';
import { receiveReferral } from './referral.ts';
import { dialogOfCall } from './request-dialog.ts';

/** A REFER of ours, until we know what came of it. */
interface SentRefer {
  cseq: number;
  readonly told: (status: number) => void;
}

/** REFER within a call, in both directions (RFC 3515). */
export class Referrals {
  private readonly session: CallSession;
  /** Whether there was a REFER before. */
  private referred = false;
  private readonly sent: SentRefer[] = [];

  constructor(session: CallSession) {
    this.session = session;
  }

  /** Asks the peer to call somebody. */
  refer(target: string, told: (status: number) => void): void {
    const { session } = this;
    const refer: SentRefer = { cseq: 0, told };
    this.sent.push(refer);
    const headers = [['Refer-To', `<${target}>`] as const, ['Contact', session.contact()] as const];
    const sent = session.client.send(
      'REFER',
      { headers },
      {
        sending: (request) => {
          refer.cseq = request.cseq.number;
        },
        response: ({ status, headers: fields }) => {
          if (status < 200 || session.state === 'ended') return;
          if (status === 481 || status === 408) session.gone(status);
          const noSubscription = fields.get('refer-sub')?.toLowerCase().startsWith('false');
          if (status >= 300 || noSubscription) this.conclude(refer, status);
        },
        failed: (failure) =>
          failure === 'timeout' ? session.gone(408) : session.transportFailed('REFER could not be sent'),
      },
    );
    if (!sent) session.transportFailed('no way to the peer');
  }

  received(request: SipRequest, transaction: ServerTransaction): void {
    const { session } = this;
    const first = !this.referred;
    this.referred = true;
    const dialog = dialogOfCall(session, request, transaction);
    const { handler } = session;
    if (handler === null) return dialog.respond(481);
    receiveReferral(request, first, dialog, (referral) => handler.referred(referral));
  }

  /** What came of a REFER of ours (RFC 3515 §2.4.5). */
  notified(request: SipRequest, respond: (status: number, parts?: ResponseParts) => void): void {
    const id = referEventId(eventOf(request));
    if (id === undefined) return respond(489, { headers: [['Allow-Events', 'refer']] });
    const refer = this.sent.find(({ cseq }) => id === null || cseq === id);
    if (refer === undefined) return respond(481);
    respond(200);
    const status = Number(/^SIP\/2\.0 ([1-6]\d\d)\b/.exec(Buffer.from(request.body).toString('latin1'))?.[1]);
    const over = /^\s*terminated/i.test(request.headers.get('subscription-state') ?? '');
    if (status >= 200) this.conclude(refer, status);
    // It ends without having said how.
    else if (over) this.conclude(refer, 408);
    else if (status >= 100) refer.told(status);
  }

  /** The call ended; nothing will be heard of what was asked. */
  stop(): void {
    for (const { told } of this.sent.splice(0)) told(481);
  }

  private conclude(refer: SentRefer, status: number): void {
    const at = this.sent.indexOf(refer);
    if (at < 0) return;
    this.sent.splice(at, 1);
    refer.told(status);
  }
}
