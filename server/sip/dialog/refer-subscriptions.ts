import type { ResponseParts } from '../message/create-message.ts';
import type { SipRequest } from '../message/message.ts';
import { type Dialog, dialogId, tagOf } from './dialog.ts';
import type { ReferSubscription } from './refer-subscription.ts';

type Respond = (status: number, parts?: ResponseParts) => void;

/** The id in an Event of the package `refer`, null when it names none; undefined for other packages. */
export function referEventId(request: SipRequest): number | null | undefined {
  const event = /^\s*refer\s*(?:;\s*id=(\d{1,10})\s*)?$/i.exec(request.headers.get('event') ?? '');
  if (event === null) return undefined;
  return event[1] === undefined ? null : Number(event[1]);
}

/** What stands in a 489. */
export const OUR_EVENTS = [['Allow-Events', 'refer']] as const;

/** The subscriptions that REFERs to us have made, by their dialogs, which they can outlive a call in (RFC 5057 §4.1). */
export class ReferSubscriptions {
  private readonly dialogs = new Map<string, { readonly dialog: Dialog; readonly all: Set<ReferSubscription> }>();

  add(dialog: Dialog, subscription: ReferSubscription): void {
    const known = this.dialogs.get(dialog.id) ?? { dialog, all: new Set() };
    this.dialogs.set(dialog.id, known);
    known.all.add(subscription);
  }

  remove(dialog: Dialog, subscription: ReferSubscription): void {
    const known = this.dialogs.get(dialog.id);
    known?.all.delete(subscription);
    if (known?.all.size === 0) this.dialogs.delete(dialog.id);
  }

  /** A SUBSCRIBE within a dialog (RFC 6665 §4.2.1); false when it means no subscription here. */
  received(request: SipRequest, respond: Respond): boolean {
    const id = referEventId(request);
    const known = this.dialogs.get(dialogId(request.callId, tagOf(request.to), tagOf(request.from)));
    if (known === undefined || id === undefined) return false;
    const subscription = [...known.all].find((candidate) => candidate.isNamed(id));
    if (subscription === undefined) return false;
    if (!known.dialog.takeInOrder(request)) respond(500);
    else this.renew(subscription, request, respond);
    return true;
  }

  private renew(subscription: ReferSubscription, { headers }: SipRequest, respond: Respond): void {
    const wanted = headers.get('expires')?.trim();
    if (wanted !== undefined && !/^\d{1,10}$/.test(wanted)) return respond(400, { reason: 'Bad Expires' });
    const seconds = subscription.renew(wanted === undefined ? null : Number(wanted));
    respond(200, {
      headers: [
        ['Expires', String(seconds)],
        ['Contact', subscription.contact],
      ],
    });
  }
}
