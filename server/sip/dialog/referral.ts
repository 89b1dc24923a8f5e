import type { ResponseParts } from '../message/create-message.ts';
import { splitList } from '../message/header-value.ts';
import type { SipRequest } from '../message/message.ts';
import { type NameAddress, parseNameAddress } from '../message/name-address.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { Flow } from '../transport/flow.ts';
import type { Referral, ReferralProgress, RejectOptions } from './call.ts';
import type { CallContext } from './call-context.ts';
import { Dialog, type DialogRequestParts } from './dialog.ts';
import { DialogClient, type RequestUser } from './dialog-client.ts';
import { ReferSubscription } from './refer-subscription.ts';
import { SessionId } from './session-id.ts';

/** The dialog that a REFER came in, or that it made. */
export interface ReferralDialog {
  readonly dialog: Dialog;
  readonly context: CallContext;
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
  receiveReferral(request, true, { dialog, context, flow, respond, notify, contact: () => contact }, referred);
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
    const subscription = new ReferSubscription(request.cseq.number, this.first, dialog);
    subscription.report(100, 'Trying');
    return subscription;
  }

  reject(status: number, { headers, reason }: RejectOptions = {}): void {
    this.dialog.respond(status, { ...(headers ? { headers } : {}), ...(reason === undefined ? {} : { reason }) });
  }
}
