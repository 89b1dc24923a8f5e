import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import type { WebhookAnswer, WebhookRequest } from '../../server/events/webhook-sender.ts';
import { type NewWebhook, Webhooks } from '../../server/events/webhooks.ts';
import { Database } from '../../server/store/database.ts';
import { WebhookTable } from '../../server/store/webhook-table.ts';
import { someone } from '../rooms/someone.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';
import { EPOCH_MS, someRooms } from './some-rooms.ts';

const OK: WebhookAnswer = { status: 204, retryAfterMs: null };
const DOWN: WebhookAnswer = { error: 'connect ECONNREFUSED' };
const status = (code: number, retryAfterMs: number | null = null): WebhookAnswer => ({ status: code, retryAfterMs });

const ends: Array<() => void> = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

function openDatabase() {
  const dataDir = mkdtempSync(join(tmpdir(), 'parley-webhooks-'));
  const database = new Database(dataDir);
  ends.push(() => {
    database.close();
    rmSync(dataDir, { recursive: true });
  });
  return database;
}

/** Answers every request at once, as `answer` says. */
class Receiver {
  answer: (request: WebhookRequest) => WebhookAnswer | Promise<WebhookAnswer> = () => OK;
  readonly got: Array<WebhookRequest & { atMs: number; event: string; version: number }> = [];
  private readonly timers: VirtualTimers;

  constructor(timers: VirtualTimers) {
    this.timers = timers;
  }

  readonly send = async (request: WebhookRequest): Promise<WebhookAnswer> => {
    const { event, version } = JSON.parse(request.body);
    this.got.push({ ...request, atMs: this.timers.now(), event, version });
    return this.answer(request);
  };

  get versions(): number[] {
    return this.got.map(({ version }) => version);
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

function telling(database = openDatabase()) {
  const timers = new VirtualTimers();
  const epochMs = () => EPOCH_MS + timers.now();
  const { rooms, events } = someRooms(undefined, epochMs);
  const receiver = new Receiver(timers);
  const webhooks = new Webhooks({
    ...{ events, timers, epochMs, send: receiver.send, random: () => 0.5, allowed: () => true },
    store: new WebhookTable(database),
    log: pino({ level: 'silent' }),
  });
  ends.unshift(() => webhooks.close());
  const add = (more: Partial<NewWebhook> = {}) =>
    webhooks.add({ url: 'https://example.com/hook', events: [], room: null, secret: null, ...more });
  /** Virtual time, and what is awaited in it. */
  const pass = async (ms: number, stepMs = ms) => {
    await settled();
    for (let passed = 0; passed < ms; passed += stepMs) {
      timers.advance(Math.min(stepMs, ms - passed));
      await settled();
    }
  };
  return { timers, rooms, webhooks, receiver, add, pass, database };
}

describe('a webhook', () => {
  it('is told of each change once, in order, signed', async () => {
    const { rooms, receiver, add } = telling();
    const { webhook, secret } = add({ secret: 'a secret of the receiver' });
    expect(secret).toBe('a secret of the receiver');
    const room = rooms.open('demo', 'adhoc');
    room.join(someone('anna'));
    room.leave('anna');
    await settled();
    expect(receiver.got.map(({ event }) => event)).toEqual(['room-opened', 'participant-joined', 'participant-left']);
    const { headers, body, url } = receiver.got[1]!;
    expect(url).toBe('https://example.com/hook');
    expect(headers).toMatchObject({
      'Content-Type': 'application/json',
      'Parley-Event': 'participant-joined',
      'Parley-Webhook': webhook.id,
    });
    const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(headers['Parley-Signature']!) ?? [];
    expect(Number(t)).toBe(Math.floor(EPOCH_MS / 1000));
    expect(v1).toBe(createHmac('sha256', secret).update(`${t}.${body}`).digest('hex'));
    expect(JSON.parse(body)).toMatchObject({ id: 'run1-2', room: 'demo', version: 1, participant: { id: 'anna' } });
  });

  it('is told only of what it asked for', async () => {
    const { rooms, receiver, add } = telling();
    add({ events: ['participant-joined'], room: 'demo' });
    rooms.open('demo', 'adhoc').join(someone('anna'));
    rooms.open('other', 'adhoc').join(someone('ben'));
    await settled();
    expect(receiver.got.map(({ body }) => JSON.parse(body).participant.id)).toEqual(['anna']);
  });

  it('that fails is tried again, each wait twice the last, and nothing overtakes', async () => {
    const { rooms, receiver, add, webhooks, pass } = telling();
    const { webhook } = add();
    receiver.answer = () => (receiver.got.length <= 6 ? DOWN : OK);
    const room = rooms.open('demo', 'adhoc');
    room.join(someone('anna'));
    expect(webhooks.waiting).toBe(2);
    await pass(63_000, 500);
    expect(webhooks.waiting).toBe(0);
    expect(webhooks.counts).toEqual({ delivered: 2, retried: 6, dead: 0 });
    expect(receiver.got.map(({ atMs }) => atMs)).toEqual([0, 1000, 3000, 7000, 15_000, 31_000, 63_000, 63_000]);
    expect(receiver.versions).toEqual([0, 0, 0, 0, 0, 0, 0, 1]);
    expect(webhooks.get(webhook.id)).toMatchObject({ waiting: 0, failures: 0, lastError: null });
    // All is well again: the next failure waits no longer than the first did.
    receiver.got.length = 0;
    receiver.answer = () => (receiver.got.length <= 1 ? DOWN : OK);
    room.leave('anna');
    await settled();
    await pass(1000);
    expect(receiver.got).toHaveLength(2);
  });

  it('waits ten minutes at most, and as long as Retry-After says, up to an hour', async () => {
    const { rooms, receiver, add, pass } = telling();
    add();
    receiver.answer = () => status(503, receiver.got.length === 1 ? 90_000 : receiver.got.length === 2 ? 1e9 : null);
    rooms.open('demo', 'adhoc');
    await settled();
    await pass(89_999);
    expect(receiver.got).toHaveLength(1);
    await pass(1);
    expect(receiver.got).toHaveLength(2);
    await pass(3_600_000);
    expect(receiver.got).toHaveLength(3);
    receiver.answer = () => DOWN;
    await pass(8 * 600_000, 1000);
    const gaps = receiver.got.slice(4).map(({ atMs }, index) => atMs - receiver.got[index + 3]!.atMs);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(601_000);
  });

  it('gives an event up after 12 tries, keeps it, and sends it again when asked', async () => {
    const { rooms, receiver, add, webhooks, pass } = telling();
    const { webhook } = add();
    receiver.answer = ({ body }) => (JSON.parse(body).version === 0 ? status(500) : OK);
    const room = rooms.open('demo', 'adhoc');
    room.join(someone('anna'));
    await pass(3_600_000, 1000);
    expect(receiver.versions).toEqual([...Array(12).fill(0), 1]);
    expect(webhooks.get(webhook.id)).toMatchObject({ waiting: 0, failures: 1 });
    expect(webhooks.failures(webhook.id)).toMatchObject([
      { id: 'run1-1', event: 'room-opened', attempts: 12, reason: 'answered with status 500', data: { version: 0 } },
    ]);
    receiver.answer = () => OK;
    expect(webhooks.counts).toEqual({ delivered: 1, retried: 11, dead: 1 });
    expect(webhooks.retry(webhook.id, ['run1-9'])).toBe(0);
    expect(webhooks.retry(webhook.id, null)).toBe(1);
    await settled();
    expect(receiver.versions.at(-1)).toBe(0);
    expect(webhooks.failures(webhook.id)).toEqual([]);
    expect(webhooks.retry(webhook.id, null)).toBe(0);
  });

  it.each([
    [400, 3],
    [404, 3],
    [302, 12],
    [408, 12],
    [429, 12],
    [500, 12],
  ])('that answers %i is tried %i times', async (code, times) => {
    const { rooms, receiver, add, webhooks, pass } = telling();
    const { webhook } = add();
    receiver.answer = () => status(code);
    rooms.open('demo', 'adhoc');
    await pass(3_600_000, 1000);
    expect(receiver.got).toHaveLength(times);
    expect(webhooks.failures(webhook.id)).toMatchObject([{ reason: `answered with status ${code}` }]);
  });

  it('that is down for hours loses little, and gets the rest in order when it is back', async () => {
    const { rooms, receiver, add, webhooks, pass } = telling();
    const { webhook } = add();
    receiver.answer = () => DOWN;
    const room = rooms.open('demo', 'adhoc');
    for (let index = 0; index < 100; index++) room.join(someone(`p${index}`));
    await pass(6 * 3_600_000, 10_000);
    const { failures } = webhooks.get(webhook.id)!;
    expect(failures).toBeLessThan(5);
    receiver.answer = () => OK;
    receiver.got.length = 0;
    await pass(600_000, 10_000);
    expect(receiver.versions).toEqual(Array.from({ length: 101 - failures }, (_, index) => index + failures));
  });

  it('is not told what is older than a day, and of 1000 waiting the oldest goes', async () => {
    const { rooms, receiver, add, webhooks, pass } = telling();
    const { webhook } = add();
    receiver.answer = () => DOWN;
    const room = rooms.open('demo', 'adhoc');
    for (let index = 0; index < 1100; index++) room.join(someone(`p${index}`));
    expect(webhooks.get(webhook.id)).toMatchObject({ waiting: 1000, failures: 101 });
    await pass(25 * 3_600_000, 60_000);
    expect(webhooks.get(webhook.id)).toMatchObject({ waiting: 0, failures: 1000 });
    expect(webhooks.failures(webhook.id)!.at(-1)!.data).toMatchObject({ version: 1100 });
  });

  it('takes back of what was given up only as many as may wait', async () => {
    const { rooms, receiver, add, webhooks } = telling();
    const { webhook } = add();
    receiver.answer = () => DOWN;
    const room = rooms.open('demo', 'adhoc');
    for (let index = 0; index < 1100; index++) room.join(someone(`p${index}`));
    expect(webhooks.retry(webhook.id, null)).toBe(0);
    expect(webhooks.get(webhook.id)).toMatchObject({ waiting: 1000, failures: 101 });
  });

  it('sends one at a time: what is on its way is not given up, nor sent twice', async () => {
    const { rooms, receiver, add, webhooks } = telling();
    const { webhook } = add();
    let answer: (answer: WebhookAnswer) => void = () => {};
    receiver.answer = () => new Promise((resolve) => (answer = resolve));
    const room = rooms.open('demo', 'adhoc');
    for (let index = 0; index < 1100; index++) room.join(someone(`p${index}`));
    await settled();
    expect(receiver.versions).toEqual([0]);
    answer(OK);
    await settled();
    expect(receiver.versions).toEqual([0, 102]);
    expect(webhooks.failures(webhook.id)!.map(({ id }) => id)).not.toContain('run1-1');
  });

  it('goes on after a restart with what waited, in order', async () => {
    const before = telling();
    const { webhook } = before.add();
    before.receiver.answer = () => DOWN;
    const room = before.rooms.open('demo', 'adhoc');
    for (const id of ['anna', 'ben']) room.join(someone(id));
    await before.pass(5000, 1000);
    room.leave('ben');
    before.webhooks.close();

    const after = telling(before.database);
    await settled();
    expect(after.receiver.versions).toEqual([0, 1, 2, 3]);
    expect(after.webhooks.get(webhook.id)).toMatchObject({ waiting: 0, url: 'https://example.com/hook' });
    after.webhooks.close();
    const third = telling(before.database);
    await settled();
    expect(third.receiver.got).toEqual([]);
  });

  it('has what waits written down within a second, in case of a crash', async () => {
    const { rooms, receiver, add, pass, database } = telling();
    add();
    receiver.answer = () => DOWN;
    rooms.open('demo', 'adhoc');
    await pass(1000);
    const after = telling(database);
    await settled();
    expect(after.receiver.versions).toEqual([0]);
  });

  it('that was removed is told nothing more, and leaves nothing', async () => {
    const { rooms, receiver, add, webhooks, timers, database, pass } = telling();
    const { webhook } = add();
    receiver.answer = () => DOWN;
    const room = rooms.open('demo', 'adhoc');
    await pass(2000, 500);
    const tries = receiver.got.length;
    expect(webhooks.remove(webhook.id)).toBe(true);
    expect(webhooks.remove(webhook.id)).toBe(false);
    expect([webhooks.get(webhook.id), webhooks.failures(webhook.id), webhooks.retry(webhook.id, null)]).toEqual([
      ...[null, null, null],
    ]);
    room.join(someone('anna'));
    await pass(60_000, 500);
    expect(receiver.got).toHaveLength(tries);
    expect(timers.pending).toBe(0);
    expect(database.all('SELECT * FROM webhook_deliveries')).toEqual([]);
  });

  it('is one of 100 at most', () => {
    const { add, webhooks } = telling();
    for (let index = 0; index < 100; index++) add();
    expect(webhooks.full).toBe(true);
  });
});
