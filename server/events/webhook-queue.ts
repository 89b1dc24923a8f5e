import type { Log } from '../log.ts';
import type { Timer, Timers } from '../timers.ts';
import { signature } from './signature.ts';
import type { SendWebhook, WebhookAnswer } from './webhook-sender.ts';
import type { Delivery, StoredWebhook, WebhookStore } from './webhook-store.ts';

/** The first wait after a failure; each further one in a row is twice as long. */
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 600_000;
/** Waits are shortened or lengthened by up to so much, so that not all come back at once. */
const JITTER = 0.2;
/** `Retry-After` is heeded up to here. */
const LONGEST_RETRY_AFTER_MS = 3_600_000;
const MAX_ATTEMPTS = 12;
/** Of what the receiver understood and does not want. */
const MAX_REFUSALS = 3;
const MAX_AGE_MS = 24 * 3_600_000;
const MAX_WAITING = 1000;
/** What has waited for so long is written down. */
const KEEP_AFTER_MS = 1000;

/** 4xx that say "later": Request Timeout, Too Early, Too Many Requests. */
const LATER = new Set([408, 425, 429]);

/** What became of attempts to deliver, of all webhooks together. */
export interface WebhookCounts {
  delivered: number;
  /** Failed, and to be tried again. */
  retried: number;
  /** Given up. */
  dead: number;
}

export interface WebhookQueueOptions {
  timers: Timers;
  /** Milliseconds since 1970. */
  epochMs: () => number;
  /** 0 to 1. */
  random: () => number;
  send: SendWebhook;
  store: WebhookStore;
  log: Log;
}

/**
 * What one webhook is to be told, strictly in order: the next is sent when the one before it was taken (2xx) or given up.
 * After a failure the queue rests, longer each time.
 */
export class WebhookQueue {
  private readonly webhook: StoredWebhook;
  private readonly options: WebhookQueueOptions;
  private readonly counts: WebhookCounts;
  private readonly waiting: Delivery[] = [];
  /** By event id: what the store has as waiting. */
  private readonly kept = new Set<string>();
  private readonly ending = new AbortController();
  private sending = false;
  private failuresInARow = 0;
  private rest: Timer | null = null;
  private keeping: Timer | null = null;
  /** ISO 8601. */
  lastDeliveredAt: string | null = null;
  lastError: string | null = null;

  constructor(webhook: StoredWebhook, options: WebhookQueueOptions, counts: WebhookCounts) {
    this.webhook = webhook;
    this.options = options;
    this.counts = counts;
  }

  get waitingCount(): number {
    return this.waiting.length;
  }

  /** How many more may wait. */
  get freePlaces(): number {
    return MAX_WAITING - this.waiting.length;
  }

  /** What waited when the program ended. */
  resume(): void {
    this.addKept(this.options.store.waiting(this.webhook.id));
    this.sendNext();
  }

  /** Takes what the store has as waiting already. */
  addKept(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) {
      this.waiting.push(delivery);
      this.kept.add(delivery.eventId);
    }
  }

  add(delivery: Delivery): void {
    this.waiting.push(delivery);
    // The one that is being sent is not given up meanwhile.
    if (this.waiting.length > MAX_WAITING) this.giveUp(this.sending ? 1 : 0, 'too many events wait for this webhook');
    this.keeping ??= this.options.timers.set(KEEP_AFTER_MS, () => this.keep());
    this.sendNext();
  }

  /** Tries at once, however long the rest was to be. */
  wake(): void {
    this.rest?.clear();
    this.rest = null;
    this.sendNext();
  }

  /** Sends no more. What waits is in the store then, unless the webhook was removed. */
  close(removed = false): void {
    this.ending.abort();
    this.rest?.clear();
    if (removed) this.keeping?.clear();
    else this.keep();
  }

  private sendNext(): void {
    const next = this.waiting[0];
    if (next === undefined || this.sending || this.rest !== null || this.ending.signal.aborted) return;
    this.sending = true;
    next.attempts++;
    const { epochMs, send } = this.options;
    const headers = {
      'Content-Type': 'application/json',
      'User-Agent': 'Parley',
      'Parley-Webhook': this.webhook.id,
      'Parley-Event': next.name,
      'Parley-Signature': signature(this.webhook.secret, epochMs(), next.text),
    };
    void send({ url: this.webhook.url, headers, body: next.text }, this.ending.signal).then((answer) => {
      this.sending = false;
      if (!this.ending.signal.aborted) this.answered(next, answer);
    });
  }

  private answered(delivery: Delivery, answer: WebhookAnswer): void {
    if ('status' in answer && answer.status >= 200 && answer.status < 300) {
      this.failuresInARow = 0;
      this.counts.delivered++;
      this.lastDeliveredAt = new Date(this.options.epochMs()).toISOString();
      this.lastError = null;
      this.waiting.shift();
      if (this.kept.delete(delivery.eventId)) {
        this.stored(() => this.options.store.delivered(this.webhook.id, delivery.eventId));
      }
      this.sendNext();
      return;
    }
    const reason = 'error' in answer ? answer.error : `answered with status ${answer.status}`;
    this.lastError = reason;
    this.failuresInARow++;
    const { log, timers } = this.options;
    const waitMs = this.waitAfter(answer);
    const about = { webhook: this.webhook.id, eventId: delivery.eventId, attempts: delivery.attempts, reason };
    log[this.failuresInARow === 1 ? 'warn' : 'debug']({ ...about, waitMs }, 'webhook not delivered');
    if (delivery.attempts >= mostAttempts(answer)) this.giveUp(0, reason);
    else this.counts.retried++;
    this.giveUpTheOld();
    this.rest = timers.set(waitMs, () => this.wake());
  }

  private waitAfter(answer: WebhookAnswer): number {
    const usual = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(20, this.failuresInARow - 1));
    const jittered = Math.round(usual * (1 + JITTER * (2 * this.options.random() - 1)));
    const asked = 'status' in answer ? (answer.retryAfterMs ?? 0) : 0;
    return Math.max(jittered, Math.min(asked, LONGEST_RETRY_AFTER_MS));
  }

  private giveUpTheOld(): void {
    const before = this.options.epochMs() - MAX_AGE_MS;
    while (this.waiting[0] !== undefined && this.waiting[0].queuedMs < before) {
      this.giveUp(0, this.lastError ?? 'it waited too long');
    }
  }

  private giveUp(index: number, reason: string): void {
    const [delivery] = this.waiting.splice(index, 1);
    if (!delivery) return;
    const { store, log, epochMs } = this.options;
    this.kept.delete(delivery.eventId);
    this.counts.dead++;
    log.error({ webhook: this.webhook.id, eventId: delivery.eventId, reason }, 'webhook given up');
    this.stored(() => store.fail(this.webhook.id, { ...delivery, reason, failedMs: epochMs() }));
  }

  private keep(): void {
    this.keeping?.clear();
    this.keeping = null;
    const fresh = this.waiting.filter(({ eventId }) => !this.kept.has(eventId));
    if (fresh.length === 0) return;
    this.stored(() => this.options.store.keepWaiting(this.webhook.id, fresh));
    for (const { eventId } of fresh) this.kept.add(eventId);
  }

  /** A full disk must not stop deliveries; what could not be written is lost only if the program ends now. */
  private stored(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.options.log.error({ err: error, webhook: this.webhook.id }, 'webhook delivery not stored');
    }
  }
}

function mostAttempts(answer: WebhookAnswer): number {
  const refused = 'status' in answer && answer.status >= 400 && answer.status < 500 && !LATER.has(answer.status);
  return refused ? MAX_REFUSALS : MAX_ATTEMPTS;
}
