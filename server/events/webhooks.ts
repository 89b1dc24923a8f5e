import { randomBytes } from 'node:crypto';
import { type EventName, eventNames, type RoomEvent } from './room-event.ts';
import type { RoomEvents } from './room-events.ts';
import { webhookUrlProblem } from './webhook-address.ts';
import { type WebhookCounts, WebhookQueue, type WebhookQueueOptions } from './webhook-queue.ts';
import type { Failure, StoredWebhook } from './webhook-store.ts';

const MAX_WEBHOOKS = 100;

export interface NewWebhook {
  url: string;
  /** None: all. */
  events: EventName[];
  room: string | null;
  /** Null: one is made. */
  secret: string | null;
}

export interface WebhookView {
  id: string;
  url: string;
  events: EventName[];
  room: string | null;
  /** ISO 8601. */
  createdAt: string;
  /** Events that are yet to be delivered, and that were given up. */
  waiting: number;
  failures: number;
  lastDeliveredAt: string | null;
  /** Why the latest attempt failed; null when it did not. */
  lastError: string | null;
}

export interface FailureView {
  /** The event's. */
  id: string;
  event: EventName;
  attempts: number;
  reason: string;
  queuedAt: string;
  failedAt: string;
  /** The body. */
  data: unknown;
}

export interface WebhooksOptions extends WebhookQueueOptions {
  events: RoomEvents;
  /** Whether requests may go to that IP address. */
  allowed: (address: string) => boolean;
}

interface Entry {
  readonly webhook: StoredWebhook;
  readonly queue: WebhookQueue;
}

/** Who wants to be told of events by requests to a URL of theirs. */
export class Webhooks {
  /** For metrics. */
  readonly counts: WebhookCounts = { delivered: 0, retried: 0, dead: 0 };
  private readonly options: WebhooksOptions;
  private readonly byId = new Map<string, Entry>();
  private readonly unsubscribe: () => void;

  /** Goes on with those of the store. */
  constructor(options: WebhooksOptions) {
    this.options = options;
    for (const webhook of options.store.webhooks()) this.start(webhook).resume();
    this.unsubscribe = options.events.subscribe((event) => this.tell(event));
  }

  get full(): boolean {
    return this.byId.size >= MAX_WEBHOOKS;
  }

  /** Events that are yet to be delivered. */
  get waiting(): number {
    return [...this.byId.values()].reduce((sum, { queue }) => sum + queue.waitingCount, 0);
  }

  /** Why that cannot be a webhook's URL; null when it can. */
  urlProblem(url: string): string | null {
    return webhookUrlProblem(url, this.options.allowed);
  }

  list(): WebhookView[] {
    return [...this.byId.values()].map((entry) => this.viewOf(entry));
  }

  get(id: string): WebhookView | null {
    const entry = this.byId.get(id);
    return entry ? this.viewOf(entry) : null;
  }

  /** @param asked with a URL in which `urlProblem` finds nothing, unless `full` */
  add({ url, events, room, secret }: NewWebhook): { webhook: WebhookView; secret: string } {
    const webhook: StoredWebhook = {
      id: randomBytes(9).toString('base64url'),
      url,
      events: events.length === 0 ? [...eventNames] : [...new Set(events)],
      room,
      secret: secret ?? randomBytes(32).toString('base64url'),
      createdMs: this.options.epochMs(),
    };
    this.options.store.put(webhook);
    this.start(webhook);
    return { webhook: this.get(webhook.id)!, secret: webhook.secret };
  }

  /** With all that waits or has failed. False when there is none. */
  remove(id: string): boolean {
    const entry = this.byId.get(id);
    if (!entry) return false;
    entry.queue.close(true);
    this.byId.delete(id);
    this.options.store.delete(id);
    return true;
  }

  /** What was given up, the oldest first; null when there is no such webhook. */
  failures(id: string): FailureView[] | null {
    return this.byId.has(id) ? this.options.store.failures(id).map(failureView) : null;
  }

  /**
   * Queues again what was given up, behind what waits already, and tries at once: the oldest, as many as may wait.
   * @param eventIds null: all
   * @returns how many; null when there is no such webhook
   */
  retry(id: string, eventIds: readonly string[] | null): number | null {
    const entry = this.byId.get(id);
    if (!entry) return null;
    const meant = this.options.store.failures(id).filter(({ eventId }) => eventIds?.includes(eventId) ?? true);
    const again = meant.slice(0, Math.max(0, entry.queue.freePlaces)).map(({ eventId, name, text }) => {
      return { eventId, name, text, queuedMs: this.options.epochMs(), attempts: 0 };
    });
    // At once: they are no failures any more, and must not be lost.
    this.options.store.keepWaiting(id, again);
    entry.queue.addKept(again);
    entry.queue.wake();
    return again.length;
  }

  /** Sends no more; what waits is kept. */
  close(): void {
    this.unsubscribe();
    for (const { queue } of this.byId.values()) queue.close();
  }

  private start(webhook: StoredWebhook): WebhookQueue {
    const queue = new WebhookQueue(webhook, this.options, this.counts);
    this.byId.set(webhook.id, { webhook, queue });
    return queue;
  }

  private tell({ id: eventId, name, room, text, atMs: queuedMs }: RoomEvent): void {
    for (const { webhook, queue } of this.byId.values()) {
      if (!webhook.events.includes(name) || (webhook.room !== null && webhook.room !== room)) continue;
      queue.add({ eventId, name, text, queuedMs, attempts: 0 });
    }
  }

  private viewOf({ webhook, queue }: Entry): WebhookView {
    const { id, url, events, room, createdMs } = webhook;
    const { waitingCount: waiting, lastDeliveredAt, lastError } = queue;
    const failures = this.options.store.failureCount(id);
    const createdAt = new Date(createdMs).toISOString();
    return { id, url, events, room, createdAt, waiting, failures, lastDeliveredAt, lastError };
  }
}

function failureView({ eventId, name, attempts, reason, queuedMs, failedMs, text }: Failure): FailureView {
  return {
    id: eventId,
    event: name,
    attempts,
    reason,
    queuedAt: new Date(queuedMs).toISOString(),
    failedAt: new Date(failedMs).toISOString(),
    data: JSON.parse(text),
  };
}
