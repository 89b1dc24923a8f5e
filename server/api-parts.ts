import { randomBytes } from 'node:crypto';
import { addressRanges } from './config/address-ranges.ts';
import { EventStreams } from './events/event-streams.ts';
import { RoomEvents } from './events/room-events.ts';
import { isPublicAddress } from './events/webhook-address.ts';
import { webhookSender } from './events/webhook-sender.ts';
import { Webhooks } from './events/webhooks.ts';
import { AccessTokens } from './http/access-tokens.ts';
import { Idempotency } from './http/idempotency.ts';
import type { Log } from './log.ts';
import type { Rooms } from './rooms/rooms.ts';
import type { RecordingView } from './rooms/views.ts';
import type { Database } from './store/database.ts';
import { IdempotencyTable } from './store/idempotency-table.ts';
import { TokenTable } from './store/token-table.ts';
import { WebhookTable } from './store/webhook-table.ts';
import type { Timers } from './timers.ts';

export interface ApiSurroundings {
  rooms: Rooms;
  database: Database;
  timers: Timers;
  log: Log;
  /** The administrator's. */
  token: string;
  /** Those that are shown with a room of that name. */
  recordingsOf(room: string): RecordingView[];
  /** Addresses and ranges that webhooks may lead to, besides public ones. */
  webhookAddresses: readonly string[];
}

export interface ApiParts {
  readonly streams: EventStreams;
  readonly webhooks: Webhooks;
  readonly tokens: AccessTokens;
  readonly idempotency: Idempotency;
  /** Sends no more webhooks; what waits is in the database. */
  close(): void;
}

/** What the HTTP API needs besides the conferences. To be called before rooms are opened, as those are events. */
export function openApi(surroundings: ApiSurroundings): ApiParts {
  const { rooms, database, timers, log, token, recordingsOf, webhookAddresses } = surroundings;
  const events = new RoomEvents({ instance: randomBytes(6).toString('hex'), epochMs: Date.now, recordingsOf });
  rooms.subscribe(events.changed);
  const isConfigured = addressRanges(webhookAddresses);
  const allowed = (address: string) => isPublicAddress(address) || isConfigured(address);
  const webhooks = new Webhooks({
    events,
    allowed,
    timers,
    log,
    epochMs: Date.now,
    random: Math.random,
    send: webhookSender(allowed),
    store: new WebhookTable(database),
  });
  return {
    streams: new EventStreams(events, timers, log),
    webhooks,
    tokens: new AccessTokens(token, new TokenTable(database), Date.now),
    idempotency: new Idempotency(new IdempotencyTable(database), Date.now, log),
    close: () => webhooks.close(),
  };
}
