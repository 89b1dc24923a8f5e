import { splitList } from '../message/header-value.ts';
import type { SipRequest } from '../message/message.ts';
import { type NameAddress, parseNameAddress } from '../message/name-address.ts';
import type { Flow } from '../transport/flow.ts';
import type { Referral, ReferralProgress, RejectOptions } from './call.ts';
import { ReferSubscription } from './refer-subscription.ts';
import type { RequestDialog } from './request-dialog.ts';

/** Hands a REFER to the application, or refuses what is malformed (RFC 3515 §2.4.2). */
export function receiveReferral(
  request: SipRequest,
  first: boolean,
  dialog: RequestDialog,
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

class ReceivedReferral implements Referral {
  readonly request: SipRequest;
  readonly flow: Flow;
  readonly referTo: NameAddress;
  readonly referredBy: NameAddress | null;
  private readonly first: boolean;
  private readonly dialog: RequestDialog;

  constructor(request: SipRequest, referTo: NameAddress, first: boolean, dialog: RequestDialog) {
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
