import type { EventName } from '../events/room-event.ts';
import type { Delivery, Failure, StoredWebhook, WebhookStore } from '../events/webhook-store.ts';
import type { Database } from './database.ts';

const MAX_FAILURES = 1000;

interface WebhookRow {
  id: string;
  url: string;
  events: string;
  room: string | null;
  secret: string;
  created_ms: number;
}

interface DeliveryRow {
  event_id: string;
  name: string;
  body: string;
  queued_ms: number;
  attempts: number;
  reason: string | null;
  failed_ms: number | null;
}

const PUT = `INSERT OR REPLACE INTO webhook_deliveries
  (webhook, event_id, name, body, queued_ms, attempts, reason, failed_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;

/** Webhooks in the database, with what they have not been told: a row with `failed_ms` was given up, one without waits. */
export class WebhookTable implements WebhookStore {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  webhooks(): StoredWebhook[] {
    return this.database.all<WebhookRow>('SELECT * FROM webhooks ORDER BY created_ms, id').map(webhookOf);
  }

  put({ id, url, events, room, secret, createdMs }: StoredWebhook): void {
    const sql = 'INSERT INTO webhooks (id, url, events, room, secret, created_ms) VALUES (?, ?, ?, ?, ?, ?)';
    this.database.run(sql, id, url, JSON.stringify(events), room, secret, createdMs);
  }

  delete(id: string): void {
    this.database.run('DELETE FROM webhooks WHERE id = ?', id);
  }

  waiting(id: string): Delivery[] {
    const sql = 'SELECT * FROM webhook_deliveries WHERE webhook = ? AND failed_ms IS NULL ORDER BY id';
    return this.database.all<DeliveryRow>(sql, id).map(deliveryOf);
  }

  keepWaiting(id: string, deliveries: readonly Delivery[]): void {
    this.database.transaction(() => {
      for (const { eventId, name, text, queuedMs, attempts } of deliveries) {
        this.database.run(PUT, id, eventId, name, text, queuedMs, attempts, null, null);
      }
    });
  }

  delivered(id: string, eventId: string): void {
    this.database.run('DELETE FROM webhook_deliveries WHERE webhook = ? AND event_id = ?', id, eventId);
  }

  fail(id: string, { eventId, name, text, queuedMs, attempts, reason, failedMs }: Failure): void {
    this.database.transaction(() => {
      this.database.run(PUT, id, eventId, name, text, queuedMs, attempts, reason, failedMs);
      this.database.run(
        `DELETE FROM webhook_deliveries WHERE webhook = ? AND failed_ms IS NOT NULL AND id <=
          (SELECT id FROM webhook_deliveries WHERE webhook = ? AND failed_ms IS NOT NULL
            ORDER BY id DESC LIMIT 1 OFFSET ${MAX_FAILURES})`,
        ...[id, id],
      );
    });
  }

  failures(id: string): Failure[] {
    const sql = 'SELECT * FROM webhook_deliveries WHERE webhook = ? AND failed_ms IS NOT NULL ORDER BY id';
    return this.database
      .all<DeliveryRow>(sql, id)
      .map((row) => ({ ...deliveryOf(row), reason: row.reason ?? '', failedMs: row.failed_ms ?? 0 }));
  }

  failureCount(id: string): number {
    const sql = 'SELECT count(*) AS count FROM webhook_deliveries WHERE webhook = ? AND failed_ms IS NOT NULL';
    return this.database.all<{ count: number }>(sql, id)[0]?.count ?? 0;
  }
}

function webhookOf({ id, url, events, room, secret, created_ms: createdMs }: WebhookRow): StoredWebhook {
  return { id, url, events: JSON.parse(events) as EventName[], room, secret, createdMs };
}

function deliveryOf({ event_id: eventId, name, body, queued_ms: queuedMs, attempts }: DeliveryRow): Delivery {
  return { eventId, name: name as EventName, text: body, queuedMs, attempts };
}
