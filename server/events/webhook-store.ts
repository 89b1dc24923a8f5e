import type { EventName } from './room-event.ts';

export interface StoredWebhook {
  id: string;
  url: string;
  events: EventName[];
  /** Null: events of all rooms. */
  room: string | null;
  /** As it is needed to sign; it is never shown. */
  secret: string;
  createdMs: number;
}

/** One event on its way to one webhook. */
export interface Delivery {
  readonly eventId: string;
  readonly name: EventName;
  /** The body. */
  readonly text: string;
  /** When it came into the queue, milliseconds since 1970. */
  readonly queuedMs: number;
  attempts: number;
}

/** A delivery that was given up. */
export interface Failure extends Delivery {
  reason: string;
  failedMs: number;
}

/** Where webhooks, and what they have not been told yet, outlive a restart. */
export interface WebhookStore {
  webhooks(): StoredWebhook[];
  put(webhook: StoredWebhook): void;
  /** With all that waits or has failed. */
  delete(id: string): void;
  /** What waits, the oldest first. */
  waiting(id: string): Delivery[];
  keepWaiting(id: string, deliveries: readonly Delivery[]): void;
  delivered(id: string, eventId: string): void;
  /** Takes the place of one that waits. Keeps the latest so many of a webhook. */
  fail(id: string, failure: Failure): void;
  /** The oldest first. */
  failures(id: string): Failure[];
  failureCount(id: string): number;
}
