import type { EventName } from '../sip/dialog/event.ts';
import type { ReceivedSubscription } from '../sip/dialog/received-subscription.ts';
import type { Notification, NotificationSource, Subscription, SubscriptionEnd } from '../sip/dialog/subscription.ts';
import { writeParameters } from '../sip/message/header-value.ts';
import { CONTENT_TYPE } from './conference-document.ts';
import type { ConferenceJournal } from './conference-journal.ts';

/** One subscription to a room: what it was told last, and under which version (RFC 4575 §4.6, §5.1). */
export class ConferenceSubscriber implements NotificationSource {
  readonly event: string;
  /** Whom it was given to for being in the room; null: to somebody with a right of their own. */
  readonly participant: string | null;
  private readonly id: string | null;
  private readonly journal: ConferenceJournal;
  private readonly gone: () => void;
  private subscription: Subscription | null = null;
  private told: number | null = null;
  private version = 0;

  constructor(id: string | null, participant: string | null, journal: ConferenceJournal, gone: () => void) {
    this.id = id;
    this.event = `conference${id === null ? '' : writeParameters(new Map([['id', id]]))}`;
    this.participant = participant;
    this.journal = journal;
    this.gone = gone;
  }

  start(received: ReceivedSubscription): void {
    this.subscription = received.accept(this);
  }

  isNamed({ name, id }: EventName): boolean {
    return name === 'conference' && id === this.id;
  }

  /** Full after a SUBSCRIBE and at the end, else what has changed. */
  next(whole: boolean): Notification | null {
    const { serial } = this.journal;
    if (!whole && this.told === serial) return null;
    const body = this.journal.document(whole ? null : this.told, this.version++);
    this.told = serial;
    return { body, contentType: CONTENT_TYPE, end: null };
  }

  news(): void {
    this.subscription?.news();
  }

  terminate(reason: SubscriptionEnd): void {
    this.subscription?.terminate(reason);
  }

  ended(): void {
    this.gone();
  }
}
