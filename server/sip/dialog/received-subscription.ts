import { splitList } from '../message/header-value.ts';
import type { SipRequest } from '../message/message.ts';
import type { Flow } from '../transport/flow.ts';
import type { Call, RejectOptions } from './call.ts';
import { type EventName, eventOf } from './event.ts';
import type { RequestDialog } from './request-dialog.ts';
import { type NotificationSource, Subscription, type SubscriptionLimits } from './subscription.ts';
import { grantedSeconds } from './subscriptions.ts';

/** An event package of the application (RFC 6665 §7.2). */
export interface EventPackage {
  /** Of what its NOTIFYs carry. */
  readonly contentType: string;
  readonly limits: SubscriptionLimits;
  /** Between two NOTIFYs. */
  readonly minIntervalMs: number;
  /** Somebody wants to be told; to be settled at once. */
  subscribed(subscriber: ReceivedSubscription): void;
}

/** A SUBSCRIBE that asks for something new, settled by one of `accept` and `reject`. */
export interface ReceivedSubscription {
  readonly request: SipRequest;
  readonly flow: Flow;
  readonly event: EventName;
  /** The call that it came in; null outside of calls. */
  readonly call: Call | null;
  /** 200, and the state at once (RFC 6665 §4.2.1.2). */
  accept(source: NotificationSource): Subscription;
  reject(status: number, options?: RejectOptions): void;
}

/** Hands a SUBSCRIBE to the package that it names, or refuses what cannot be had (RFC 6665 §4.2.1.1). */
export function receiveSubscription(request: SipRequest, dialog: RequestDialog, call: Call | null): void {
  const { local, packages } = dialog.context;
  const event = eventOf(request);
  // Only a REFER makes a subscription to what comes of it (RFC 3515 §3.2).
  if (event?.name === 'refer') return dialog.respond(call === null ? 403 : 481);
  const found = packages.get(event?.name ?? '');
  if (event === null || found === undefined) return dialog.respond(489, { headers: [local.allowEvents] });
  if (!takes(request, found.contentType)) return dialog.respond(406, { headers: [['Accept', found.contentType]] });
  const seconds = grantedSeconds(request, found.limits);
  if (typeof seconds !== 'number') return dialog.respond(seconds.status, seconds);
  found.subscribed({
    ...{ request, flow: dialog.flow, event, call },
    accept(source) {
      dialog.respond(200, {
        headers: [
          ['Expires', String(seconds)],
          ['Contact', dialog.contact()],
        ],
      });
      // In the dialog of a call its Contact is the call's from now on (RFC 6665 §4.2.1).
      if (call !== null) dialog.refreshed(request, dialog.flow);
      const { limits, minIntervalMs } = found;
      const subscription = new Subscription({ dialog, source, limits, seconds, minIntervalMs });
      if (seconds > 0) subscription.tellState();
      else subscription.terminate('timeout');
      return subscription;
    },
    reject(status, { headers, reason } = {}) {
      dialog.respond(status, { ...(headers ? { headers } : {}), ...(reason === undefined ? {} : { reason }) });
    },
  });
}

/** Without Accept, what the package says goes without saying (RFC 6665 §7.2). */
function takes({ headers }: SipRequest, contentType: string): boolean {
  if (!headers.has('accept')) return true;
  const ranges = headers.all('accept').flatMap(splitList);
  const any = `${contentType.split('/')[0]}/*`;
  return ranges.some((range) => [contentType, any, '*/*'].includes(range.split(';')[0]!.trim().toLowerCase()));
}
