import type { ResponseParts } from '../message/create-message.ts';
import type { SipRequest } from '../message/message.ts';
import type { Flow } from '../transport/flow.ts';
import { type Dialog, dialogId, tagOf } from './dialog.ts';
import { eventOf } from './event.ts';
import type { Subscription, SubscriptionLimits } from './subscription.ts';

type Respond = (status: number, parts?: ResponseParts) => void;

/** The subscriptions to us by their dialogs, which they can outlive a call in (RFC 5057 §4.1). */
export class Subscriptions {
  private readonly dialogs = new Map<string, { readonly dialog: Dialog; readonly all: Set<Subscription> }>();

  add(dialog: Dialog, subscription: Subscription): void {
    const known = this.dialogs.get(dialog.id) ?? { dialog, all: new Set() };
    this.dialogs.set(dialog.id, known);
    known.all.add(subscription);
  }

  remove(dialog: Dialog, subscription: Subscription): void {
    const known = this.dialogs.get(dialog.id);
    known?.all.delete(subscription);
    if (known?.all.size === 0) this.dialogs.delete(dialog.id);
  }

  /** A SUBSCRIBE within a dialog (RFC 6665 §4.2.1); false when it means no subscription here. */
  received(request: SipRequest, flow: Flow, respond: Respond): boolean {
    const event = eventOf(request);
    const known = this.dialogs.get(dialogId(request.callId, tagOf(request.to), tagOf(request.from)));
    if (known === undefined || event === null) return false;
    const subscription = [...known.all].find((candidate) => candidate.isNamed(event));
    if (subscription === undefined) return false;
    if (known.dialog.takeInOrder(request)) this.renew(subscription, request, flow, respond);
    else respond(500);
    return true;
  }

  private renew(subscription: Subscription, request: SipRequest, flow: Flow, respond: Respond): void {
    const granted = grantedSeconds(request, subscription.limits);
    if (typeof granted !== 'number') return respond(granted.status, granted);
    subscription.dialog.refreshed(request, flow);
    respond(200, {
      headers: [
        ['Expires', String(granted)],
        ['Contact', subscription.dialog.contact()],
      ],
    });
    subscription.renew(granted);
  }
}

/** For how long a SUBSCRIBE gets what it wants, or why it does not (RFC 6665 §4.2.1.1). */
export function grantedSeconds(
  { headers }: SipRequest,
  { usual, shortest, longest }: SubscriptionLimits,
): number | (ResponseParts & { readonly status: number }) {
  const text = headers.get('expires')?.trim() ?? String(usual);
  if (!/^\d{1,10}$/.test(text)) return { status: 400, reason: 'Bad Expires' };
  const wanted = Number(text);
  if (wanted > 0 && wanted < shortest) return { status: 423, headers: [['Min-Expires', String(shortest)]] };
  return Math.min(wanted, longest);
}
