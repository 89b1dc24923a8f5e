import type { Timer } from '../../timers.ts';
import { reasonPhrase } from '../message/reason-phrases.ts';
import type { ReferralProgress } from './call.ts';
import type { ReferralDialog } from './referral.ts';

/** How long a subscription lasts unless it is renewed, and at most; longer than anything that we do for a REFER. */
const LONGEST_S = 300;

/** Of one NOTIFY that gets 500. */
const MAX_TRIES = 3;

/** NOTIFYs that wait for the answer to the one before; of more, the last provisional response takes the place of another. */
const MAX_WAITING = 8;

interface Notification {
  readonly status: number;
  readonly reason: string;
  /** Why the subscription ends with it (RFC 6665 §4.1.3); null: it goes on. */
  readonly end: 'noresource' | 'timeout' | null;
}

/** Tells what comes of a REFER, one NOTIFY after the other, to the one who sent it (RFC 3515 §2.4.4). */
export class ReferSubscription implements ReferralProgress {
  private readonly id: number;
  private readonly first: boolean;
  private readonly dialog: ReferralDialog;
  private readonly queue: Notification[] = [];
  private latest: Notification = { status: 100, reason: 'Trying', end: null };
  private state: 'idle' | 'sending' | 'over' = 'idle';
  private tries = 0;
  private expiresMs: number;
  private timer: Timer;

  /** `id` is the CSeq number of the REFER; `first` says that it was the first one in its dialog. */
  constructor(id: number, first: boolean, dialog: ReferralDialog) {
    this.id = id;
    this.first = first;
    this.dialog = dialog;
    const { timers, subscriptions } = dialog.context;
    this.expiresMs = timers.now() + LONGEST_S * 1000;
    this.timer = timers.set(LONGEST_S * 1000, () => this.expire());
    subscriptions.add(dialog.dialog, this);
  }

  report(status: number, reason: string): void {
    const end = status >= 200 ? 'noresource' : null;
    this.tell({ status, reason: reason === '' ? reasonPhrase(status) : reason, end });
  }

  /** Whether an Event names it: by the id, which may be missing for the first one (RFC 3515 §2.4.6). */
  isNamed(id: number | null): boolean {
    return id === null ? this.first : id === this.id;
  }

  get contact(): string {
    return this.dialog.contact();
  }

  /**
   * A SUBSCRIBE renews it, or ends it with 0 seconds; gives for how long it is good. The state is told once more, as after
   * each SUBSCRIBE (RFC 6665 §4.2.1.2), and goes out after the answer to it.
   */
  renew(wantedS: number | null): number {
    const grantedS = Math.min(wantedS ?? LONGEST_S, LONGEST_S);
    const { timers } = this.dialog.context;
    this.timer.clear();
    this.expiresMs = timers.now() + grantedS * 1000;
    if (grantedS > 0) this.timer = timers.set(grantedS * 1000, () => this.expire());
    timers.set(0, () => (grantedS > 0 ? this.tell(this.latest) : this.expire()));
    return grantedS;
  }

  private expire(): void {
    this.tell({ ...this.latest, end: 'timeout' });
  }

  private tell(notification: Notification): void {
    if (this.latest.end !== null || this.state === 'over') return;
    this.latest = notification;
    const sending = this.state === 'sending' ? 1 : 0;
    if (this.queue.length - sending >= MAX_WAITING) this.queue.pop();
    this.queue.push(notification);
    if (sending === 0) this.sendNext();
  }

  private sendNext(): void {
    const [next] = this.queue;
    if (next === undefined) {
      this.state = 'idle';
      return;
    }
    this.state = 'sending';
    this.tries++;
    const sent = this.dialog.notify(this.parts(next), {
      response: ({ status }) => {
        if (status < 200) return;
        // A later request has overtaken it (RFC 3261 §12.2.2); what it says is still news.
        if (status === 500 && this.tries < MAX_TRIES) return this.sendNext();
        this.tries = 0;
        this.queue.shift();
        if (next.end !== null || status >= 300) this.finish();
        else this.sendNext();
      },
      failed: () => this.finish(),
    });
    if (!sent) this.finish();
  }

  private parts({ status, reason, end }: Notification) {
    const leftS = Math.max(0, Math.ceil((this.expiresMs - this.dialog.context.timers.now()) / 1000));
    const state = end === null ? `active;expires=${leftS}` : `terminated;reason=${end}`;
    return {
      headers: [
        // Several subscriptions in one dialog are told apart by it (RFC 3515 §2.4.6).
        ['Event', this.first ? 'refer' : `refer;id=${this.id}`] as const,
        ['Subscription-State', state] as const,
        ['Contact', this.contact] as const,
      ],
      // A line break in a phrase would make another line of the fragment.
      body: `SIP/2.0 ${status} ${reason.replace(/[\r\n]+/g, ' ')}\r\n`,
      contentType: 'message/sipfrag;version=2.0',
    };
  }

  private finish(): void {
    this.state = 'over';
    this.queue.length = 0;
    this.timer.clear();
    this.dialog.context.subscriptions.remove(this.dialog.dialog, this);
  }
}
