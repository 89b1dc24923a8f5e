import type { ResponseParts } from '../message/create-message.ts';
import { splitList } from '../message/header-value.ts';
import type { SipRequest } from '../message/message.ts';
import { type NameAddress, parseNameAddress } from '../message/name-address.ts';
import { reasonPhrase } from '../message/reason-phrases.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { Flow } from '../transport/flow.ts';
import type { Referral, ReferralProgress, RejectOptions } from './call.ts';
import type { CallContext } from './call-context.ts';
import { Dialog, type DialogRequestParts } from './dialog.ts';
import { DialogClient, type RequestUser } from './dialog-client.ts';
import { SessionId } from './session-id.ts';

/** How long a subscription lasts at most; longer than anything that we do for a REFER. */
const SUBSCRIPTION_S = 300;

/** Of one NOTIFY that gets 500. */
const MAX_TRIES = 3;

/** The dialog that a REFER came in, or that it made. */
export interface ReferralDialog {
  readonly flow: Flow;
  respond(status: number, parts?: ResponseParts): void;
  notify(parts: DialogRequestParts, user: RequestUser): boolean;
  contact(): string;
}

/** Hands a REFER to the application, or refuses what is malformed (RFC 3515 §2.4.2). */
export function receiveReferral(
  request: SipRequest,
  first: boolean,
  dialog: ReferralDialog,
  referred: (referral: Referral) => void,
): void {
  const referTo = request.headers.all('refer-to').flatMap(splitList);
  const target = referTo.length === 1 ? parseNameAddress(referTo[0]!) : null;
  if (target === null) {
    dialog.respond(400, { reason: 'One Refer-To is needed' });
    return;
  }
  referred(new ReceivedReferral(request, target, first, dialog));
}

/** A REFER outside of any call, which makes a dialog of its own for its subscription (RFC 3515 §2.4). */
export function receiveLoneReferral(
  request: SipRequest,
  transaction: ServerTransaction,
  context: CallContext,
  referred: (referral: Referral) => void,
): void {
  const { local, random } = context;
  const { flow } = transaction;
  const tag = local.newTag();
  const sessionId = new SessionId(random);
  sessionId.learn(request);
  const respond = (status: number, parts: ResponseParts = {}) => {
    const headers = [...(parts.headers ?? []), sessionId.field];
    transaction.respond(local.createResponse(request, status, tag, { ...parts, headers }));
  };
  const dialog = Dialog.ofServer(request, tag);
  if (dialog === null) return respond(400, { reason: 'Missing Contact' });
  const client = new DialogClient(dialog, flow, true, sessionId, null, context);
  const contact = local.contact(request.uri?.user ?? null, flow, request.uri?.scheme);
  const notify = client.send.bind(client, 'NOTIFY');
  receiveReferral(request, true, { flow, respond, notify, contact: () => contact }, referred);
}

class ReceivedReferral implements Referral {
  readonly request: SipRequest;
  readonly flow: Flow;
  readonly referTo: NameAddress;
  readonly referredBy: NameAddress | null;
  private readonly first: boolean;
  private readonly dialog: ReferralDialog;

  constructor(request: SipRequest, referTo: NameAddress, first: boolean, dialog: ReferralDialog) {
    this.request = request;
    this.flow = dialog.flow;
    this.referTo = referTo;
    this.referredBy = parseNameAddress(request.headers.get('referred-by') ?? '');
    this.first = first;
    this.dialog = dialog;
  }

  accept(): ReferralProgress {
    const { dialog, request } = this;
    const contact = ['Contact', dialog.contact()] as const;
    if (request.headers.get('refer-sub')?.trim().toLowerCase().startsWith('false')) {
      dialog.respond(200, { headers: [contact, ['Refer-Sub', 'false']] });
      return { report: () => {} };
    }
    dialog.respond(202, { headers: [contact] });
    // Several subscriptions in one dialog are told apart by it (RFC 3515 §2.4.6).
    const event = this.first ? 'refer' : `refer;id=${request.cseq.number}`;
    const notifier = new ReferNotifier(event, dialog);
    notifier.report(100, 'Trying');
    return notifier;
  }

  reject(status: number, { headers, reason }: RejectOptions = {}): void {
    this.dialog.respond(status, { ...(headers ? { headers } : {}), ...(reason === undefined ? {} : { reason }) });
  }
}

/** Tells what comes of a REFER, one NOTIFY after the other (RFC 3515 §2.4.4). */
class ReferNotifier implements ReferralProgress {
  private readonly event: string;
  private readonly dialog: ReferralDialog;
  private readonly queue: Array<{ status: number; reason: string }> = [];
  private state: 'idle' | 'sending' | 'over' = 'idle';
  private final = false;
  private tries = 0;

  constructor(event: string, dialog: ReferralDialog) {
    this.event = event;
    this.dialog = dialog;
  }

  report(status: number, reason: string): void {
    if (this.final || this.state === 'over') return;
    this.final = status >= 200;
    this.queue.push({ status, reason: reason === '' ? reasonPhrase(status) : reason });
    if (this.state === 'idle') this.sendNext();
  }

  private sendNext(): void {
    const [next] = this.queue;
    if (next === undefined) {
      this.state = 'idle';
      return;
    }
    this.state = 'sending';
    this.tries++;
    const last = next.status >= 200;
    const state = last ? 'terminated;reason=noresource' : `active;expires=${SUBSCRIPTION_S}`;
    const parts = {
      headers: [
        ['Event', this.event] as const,
        ['Subscription-State', state] as const,
        ['Contact', this.dialog.contact()] as const,
      ],
      // A line break in a phrase would make another line of the fragment.
      body: `SIP/2.0 ${next.status} ${next.reason.replace(/[\r\n]+/g, ' ')}\r\n`,
      contentType: 'message/sipfrag;version=2.0',
    };
    const sent = this.dialog.notify(parts, {
      response: ({ status }) => {
        if (status < 200) return;
        // A later request has overtaken it (RFC 3261 §12.2.2); what it says is still news.
        if (status === 500 && this.tries < MAX_TRIES) return this.sendNext();
        this.tries = 0;
        this.queue.shift();
        if (last || status >= 300) this.state = 'over';
        else this.sendNext();
      },
      failed: () => {
        this.state = 'over';
      },
    });
    if (!sent) this.state = 'over';
  }
}
