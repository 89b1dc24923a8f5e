import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { signature } from '../../server/events/signature.ts';
import { EventReader, type ReadEvent } from '../http/event-reader.ts';
import { Parley } from './clients/parley.ts';
import { eventually, pause } from './clients/pause.ts';
import { ToneCaller } from './clients/tone-caller.ts';

const ADMINISTRATOR = 'the-administrator-of-this-test';

const ends: Array<() => unknown> = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A server with a data directory that outlives it, which may send webhooks to loopback. */
async function startParley(dataDir: string): Promise<Parley> {
  return Parley.start({
    env: {
      PARLEY_DATA_DIR: dataDir,
      PARLEY_API_TOKEN: ADMINISTRATOR,
      PARLEY_WEBHOOK_ADDRESSES: '127.0.0.1',
    },
  });
}

function makeDataDir(): string {
  const dataDir = mkdtempSync(join(tmpdir(), 'parley-api-e2e-'));
  ends.push(() => rmSync(dataDir, { recursive: true, force: true }));
  return dataDir;
}

async function call(parley: Parley, method: string, path: string, { token = ADMINISTRATOR, json }: Asked = {}) {
  const response = await fetch(`${parley.httpUrl}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(json !== undefined && { body: JSON.stringify(json) }),
  });
  const text = await response.text();
  return { status: response.status, json: text === '' ? null : JSON.parse(text) };
}
interface Asked {
  token?: string;
  json?: unknown;
}

const stream = (parley: Parley, path: string, token: string, headers: Record<string, string> = {}) =>
  EventReader.open(Number(new URL(parley.httpUrl).port), `/api/v1${path}`, {
    ...headers,
    authorization: `Bearer ${token}`,
  });

async function dial(parley: Parley, name: string, room: string): Promise<ToneCaller> {
  const caller = await ToneCaller.start({
    voice: { name, frequencyHz: 425, levelDbfs: -12 },
    serverPort: parley.sipPort,
  });
  ends.push(() => caller.stop());
  await caller.dial(parley.sipUri(room));
  return caller;
}

/** Reads until an event is one that is waited for, which is the last of them. */
async function readUntil(reader: EventReader, isLast: (event: ReadEvent) => boolean): Promise<ReadEvent[]> {
  const read: ReadEvent[] = [];
  for (;;) {
    const next = await reader.next();
    if (next === null) throw new Error(`the stream ended after ${read.map(({ event }) => event)}`);
    read.push(next);
    if (isLast(next)) return read;
  }
}

interface Receiver {
  url: string;
  got: Array<{ id: string; signature: string; body: string }>;
  up: boolean;
}

async function startReceiver(): Promise<Receiver> {
  const receiver: Receiver = { url: '', got: [], up: true };
  const server: Server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    if (!receiver.up) {
      response.writeHead(503).end();
      return;
    }
    receiver.got.push({ id: JSON.parse(body).id, signature: String(request.headers['parley-signature']), body });
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => server.close());
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return receiver;
}

const left = (name: string) => (event: ReadEvent) =>
  event.event === 'participant-left' && String(event.data.participant.uri).includes(name);

describe('events of real calls', () => {
  test('streams, webhooks and answers tell the same; a token for one room sees nothing of another', async () => {
    const parley = await startParley(makeDataDir());
    ends.push(() => parley.stop());
    const receiver = await startReceiver();
    const hook = await call(parley, 'POST', '/webhooks', { json: { url: receiver.url } });
    const made = await call(parley, 'POST', '/tokens', { json: { name: 'board', scope: 'moderator', room: 'board' } });
    const { token } = made.json;
    const all = await stream(parley, '/events', ADMINISTRATOR);
    const own = await stream(parley, '/events', token);

    const anne = await dial(parley, 'anne', 'board');
    const other = await dial(parley, 'mata', 'secret');
    const inRoom = await call(parley, 'GET', '/rooms/board', { token });
    expect(inRoom).toMatchObject({ status: 200, json: { participants: [{ state: 'connected' }] } });
    const [{ id }] = inRoom.json.participants;
    const mute = await call(parley, 'PATCH', `/rooms/board/participants/${id}`, { token, json: { muted: true } });
    expect(mute).toMatchObject({ status: 200, json: { muted: { by: 'moderator' } } });
    expect(await call(parley, 'GET', '/rooms/secret', { token })).toMatchObject({ status: 404 });
    expect((await call(parley, 'GET', '/rooms', { token })).json.rooms).toHaveLength(1);

    const toMute = await readUntil(own, ({ data }) => data.participant?.muted?.by === 'moderator');
    const { version } = (await call(parley, 'GET', '/rooms/board', { token })).json;
    expect(version).toBeGreaterThanOrEqual(toMute.at(-1)!.data.version);
    await other.hangUp();
    await anne.hangUp();
    const ownEvents = [...toMute, ...(await readUntil(own, left('anne')))];
    const allEvents = await readUntil(all, left('anne'));

    expect(ownEvents[0]).toMatchObject({ event: 'state', data: { rooms: [] } });
    const versions = ownEvents.slice(1).map(({ data }) => data.version);
    expect(versions).toEqual(versions.map((_, index) => index));
    expect(own.text).not.toMatch(/secret|mata/);
    expect(all.text).toMatch(/secret/);
    await eventually(
      'the webhook was told of the last event',
      () => receiver.got.map((one) => one.id),
      (ids) => ids.includes(allEvents.at(-1)!.id),
    );
    const told = receiver.got.map((one) => one.id);
    const expected = allEvents.slice(1).map((event) => event.id);
    expect(told.slice(0, expected.length)).toEqual(expected);
    for (const { signature: given, body } of receiver.got) {
      const t = Number(/^t=(\d+),/.exec(given)?.[1]);
      expect(given).toBe(signature(hook.json.secret, t * 1000, body));
    }
    for (const reader of [all, own]) reader.close();
  });

  test('what could not be delivered outlives kill -9; tokens do too; a stream of the former run begins anew', async () => {
    const dataDir = makeDataDir();
    const receiver = await startReceiver();
    receiver.up = false;
    const first = await startParley(dataDir);
    const hook = await call(first, 'POST', '/webhooks', { json: { url: receiver.url, room: 'board' } });
    const { token } = (await call(first, 'POST', '/tokens', { json: { name: 'x', scope: 'reader' } })).json;
    const reader = await stream(first, '/rooms/demo/events', token);
    const before = (await reader.next())!;
    await dial(first, 'anne', 'board');
    const path = `/webhooks/${hook.json.id}`;
    await eventually(
      'the webhook fails',
      async () => (await call(first, 'GET', path)).json,
      ({ lastError, waiting }) => lastError === 'answered with status 503' && waiting >= 2,
    );
    // What has waited for a second is written down; what came in the last one may not be.
    const { waiting } = (await call(first, 'GET', path)).json;
    await pause(2_000);
    await first.kill();

    receiver.up = true;
    const second = await startParley(dataDir);
    ends.push(() => second.stop());
    await eventually(
      'all is delivered',
      () => receiver.got.length,
      (count) => count >= waiting,
    );
    expect(receiver.got.slice(0, 2).map(({ body }) => JSON.parse(body).event)).toEqual([
      'room-opened',
      'participant-joined',
    ]);
    const now = await eventually(
      'the last answer has come',
      async () => (await call(second, 'GET', path)).json,
      (view) => view.waiting === 0,
    );
    expect(now).toMatchObject({ failures: 0, lastError: null });
    const again = await stream(second, '/rooms/demo/events', token, { 'last-event-id': before.id });
    expect(await again.next()).toMatchObject({ event: 'state' });
    again.close();
  });
});
