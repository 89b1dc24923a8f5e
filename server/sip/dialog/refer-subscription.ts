import { reasonPhrase } from '../message/reason-phrases.ts';
import type { ReferralProgress } from './call.ts';
import { type EventName, referEventId } from './event.ts';
import {
  type Notification,
  type NotificationSource,
  Subscription,
  type SubscriptionDialog,
  type SubscriptionLimits,
} from './subscription.ts';

/** Longer than anything that we do for a REFER. */
const LIMITS: SubscriptionLimits = { usual: 300, shortest: 1, longest: 300 };

/** NOTIFYs that wait for the answer to the one before; of more, the last provisional response takes the place of another. */
const MAX_WAITING = 8;

/** Tells what comes of a REFER to the one who sent it (RFC 3515 §2.4.4). */
export class ReferSubscription implements ReferralProgress, NotificationSource {
  readonly event: string;
  private readonly id: number;
  private readonly first: boolean;
  private readonly subscription: Subscription;
  private readonly waiting: Notification[] = [];
  private latest: Notification = fragment(100, '');
  private over = false;

  /** `id` is the CSeq number of the REFER; `first` says that it was the first one in its dialog. */
  constructor(id: number, first: boolean, dialog: SubscriptionDialog) {
    this.id = id;
    this.first = first;
    // Several subscriptions in one dialog are told apart by it (RFC 3515 §2.4.6).
    this.event = first ? 'refer' : `refer;id=${id}`;
    this.subscription = new Subscription({ dialog, source: this, limits: LIMITS, seconds: LIMITS.usual });
  }

  report(status: number, reason: string): void {
    if (this.latest.end !== null || this.over) return;
    this.latest = fragment(status, reason);
    if (this.waiting.length >= MAX_WAITING) this.waiting.pop();
    this.waiting.push(this.latest);
    this.subscription.news();
  }

  /** By the id, which may be missing for the first one (RFC 3515 §2.4.6). */
  isNamed(event: EventName): boolean {
    const id = referEventId(event);
    return id === null ? this.first : id === this.id;
  }

  next(whole: boolean): Notification | null {
    if (whole) this.waiting.length = 0;
    return whole ? this.latest : (this.waiting.shift() ?? null);
  }

  ended(): void {
    this.over = true;
  }
}

function fragment(status: number, reason: string): Notification {
  // A line break in a phrase would make another line of the fragment.
  const phrase = reason === '' ? reasonPhrase(status) : reason.replace(/[\r\n]+/g, ' ');
  return {
    body: `SIP/2.0 ${status} ${phrase}\r\n`,
    contentType: 'message/sipfrag;version=2.0',
    end: status >= 200 ? 'noresource' : null,
  };
}
