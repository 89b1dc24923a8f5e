import type { Timer } from '../../timers.ts';
import type { SipRequest } from '../message/message.ts';
import type { Flow } from '../transport/flow.ts';
import type { CallContext } from './call-context.ts';
import type { Dialog, DialogRequestParts } from './dialog.ts';
import type { RequestUser } from './dialog-client.ts';
import type { EventName } from './event.ts';

/** For how long a subscription can be had, in seconds. */
export interface SubscriptionLimits {
  /** Where the subscriber does not say. */
  readonly usual: number;
  /** Who wants less, but not nothing, gets 423. */
  readonly shortest: number;
  readonly longest: number;
}

/** Why a subscription ends (RFC 6665 §4.1.3). */
export type SubscriptionEnd = 'noresource' | 'timeout' | 'rejected' | 'probation';

/** What one NOTIFY says; `body` and `contentType` go together. */
export interface Notification {
  readonly body?: string;
  readonly contentType?: string;
  /** The subscription ends with it; null: it goes on. */
  readonly end: SubscriptionEnd | null;
}

/** Where NOTIFYs of a subscription have their content from. */
export interface NotificationSource {
  /** As the Event of a NOTIFY names it. */
  readonly event: string;
  /** Whether the Event of a SUBSCRIBE names it. */
  isNamed(event: EventName): boolean;
  /**
   * The next NOTIFY, asked for when the one before was answered; null when there is nothing new.
   * @param whole the state is due whether it is new or not: after a SUBSCRIBE, or at the end
   */
  next(whole: boolean): Notification | null;
  /** No more NOTIFY is sent. */
  ended(): void;
}

/** The dialog that a subscription is in: that of a call, or one that it made. */
export interface SubscriptionDialog {
  readonly dialog: Dialog;
  readonly context: CallContext;
  notify(parts: DialogRequestParts, user: RequestUser): boolean;
  contact(): string;
  /** A SUBSCRIBE within it was accepted: its Contact and way are those of our requests from now on (RFC 6665 §4.2.1). */
  refreshed(request: SipRequest, flow: Flow): void;
}

export interface SubscriptionParts {
  readonly dialog: SubscriptionDialog;
  readonly source: NotificationSource;
  readonly limits: SubscriptionLimits;
  /** 0: the state is told once (RFC 6665 §4.4.3). */
  readonly seconds: number;
  /** Between two NOTIFYs, but for those after a SUBSCRIBE and the last; 0 unless told. */
  readonly minIntervalMs?: number;
}

/** Of one NOTIFY that gets 500. */
const MAX_TRIES = 3;

/** One who is told of an event: the NOTIFYs, one after the other, and how long it lasts (RFC 6665 §4.2). */
export class Subscription {
  readonly dialog: SubscriptionDialog;
  readonly limits: SubscriptionLimits;
  private readonly source: NotificationSource;
  private readonly minIntervalMs: number;
  private due: 'nothing' | 'news' | 'whole' = 'nothing';
  private end: SubscriptionEnd | null = null;
  private underWay: Notification | null = null;
  private over = false;
  private tries = 0;
  private expiresMs = 0;
  private expiry: Timer | null = null;
  private pause: Timer | null = null;
  private nextMs = 0;

  constructor({ dialog, source, limits, seconds, minIntervalMs = 0 }: SubscriptionParts) {
    this.dialog = dialog;
    this.source = source;
    this.limits = limits;
    this.minIntervalMs = minIntervalMs;
    this.lasts(seconds);
    dialog.context.subscriptions.add(dialog.dialog, this);
  }

  isNamed(event: EventName): boolean {
    return !this.over && this.end === null && this.source.isNamed(event);
  }

  /** There may be something new. */
  news(): void {
    if (this.due === 'nothing') this.due = 'news';
    this.proceed();
  }

  /** The whole state is to be told, new or not. */
  tellState(): void {
    this.due = 'whole';
    this.proceed();
  }

  /** A last NOTIFY says why. */
  terminate(reason: SubscriptionEnd): void {
    this.end ??= reason;
    this.tellState();
  }

  /** By a SUBSCRIBE, which is answered first; the state is told after each (RFC 6665 §4.2.1.2). */
  renew(seconds: number): void {
    if (this.end !== null) return;
    this.lasts(seconds);
    this.dialog.context.timers.set(0, () => (seconds > 0 ? this.tellState() : this.terminate('timeout')));
  }

  private lasts(seconds: number): void {
    const { timers } = this.dialog.context;
    this.expiry?.clear();
    this.expiresMs = timers.now() + seconds * 1000;
    this.expiry = seconds === 0 ? null : timers.set(seconds * 1000, () => this.terminate('timeout'));
  }

  private proceed(): void {
    if (this.over || this.underWay !== null || this.due === 'nothing') return;
    const { timers } = this.dialog.context;
    const waitMs = this.due === 'whole' ? 0 : this.nextMs - timers.now();
    if (waitMs > 0) {
      this.pause ??= timers.set(waitMs, () => {
        this.pause = null;
        this.proceed();
      });
      return;
    }
    const whole = this.due === 'whole';
    this.due = 'nothing';
    // Who may not know the state any more is not told it.
    const next = this.end === 'rejected' ? { end: this.end } : this.source.next(whole);
    if (next === null) return;
    this.underWay = { ...next, end: next.end ?? this.end };
    this.nextMs = timers.now() + this.minIntervalMs;
    this.send(this.underWay);
  }

  private send(notification: Notification): void {
    this.tries++;
    const sent = this.dialog.notify(this.parts(notification), {
      response: ({ status }) => {
        if (status >= 200) this.answered(notification, status);
      },
      failed: () => this.finish(),
      outlivesCall: true,
    });
    if (!sent) this.finish();
  }

  private answered(notification: Notification, status: number): void {
    if (this.over) return;
    // A later request has overtaken it (RFC 3261 §12.2.2); what it says is still news.
    if (status === 500 && this.tries < MAX_TRIES) return this.send(notification);
    this.tries = 0;
    this.underWay = null;
    if (notification.end !== null || status >= 300) this.finish();
    else this.news();
  }

  private parts({ body, contentType, end }: Notification): DialogRequestParts {
    const leftS = Math.max(0, Math.ceil((this.expiresMs - this.dialog.context.timers.now()) / 1000));
    const state = end === null ? `active;expires=${leftS}` : `terminated;reason=${end}`;
    return {
      headers: [
        ['Event', this.source.event],
        ['Subscription-State', state],
        ['Contact', this.dialog.contact()],
      ],
      ...(body === undefined || contentType === undefined ? {} : { body, contentType }),
    };
  }

  private finish(): void {
    if (this.over) return;
    this.over = true;
    this.underWay = null;
    this.expiry?.clear();
    this.pause?.clear();
    this.dialog.context.subscriptions.remove(this.dialog.dialog, this);
    this.source.ended();
  }
}
