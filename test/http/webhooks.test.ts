import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { signature } from '../../server/events/signature.ts';
import { eventSchemas } from '../../server/http/event-schemas.ts';
import { someone } from '../rooms/someone.ts';
import { startApi } from './running-api.ts';

const receivers: Server[] = [];
afterEach(() => {
  for (const server of receivers.splice(0)) server.close();
});

interface Received {
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** Somebody's HTTP server, which answers with `status`. */
async function receiver(): Promise<{ url: string; got: Received[]; status: number }> {
  const state = { url: '', got: [] as Received[], status: 204 };
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    state.got.push({ headers: request.headers, body });
    response.writeHead(state.status).end();
  });
  receivers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  return state;
}

describe('webhooks over HTTP', () => {
  it('are made, listed without their secret, and removed', async () => {
    const { call } = await startApi();
    const json = { url: 'https://example.com/hook', events: ['room-opened'], room: 'Demo' };
    const made = await call('POST', '/api/v1/webhooks', { json });
    expect(made.status).toBe(201);
    const { secret, ...shown } = made.json;
    expect(secret.length).toBeGreaterThan(40);
    expect(shown).toMatchObject({ ...json, room: 'demo', waiting: 0, failures: 0, lastError: null });
    expect((await call('GET', made.headers.get('location')!)).json).toEqual(shown);
    expect((await call('GET', '/api/v1/webhooks')).json).toEqual({ webhooks: [shown], nextCursor: null });
    expect((await call('DELETE', made.headers.get('location')!)).status).toBe(204);
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['GET', '/failures'],
      ['POST', '/failures'],
    ]) {
      const answer = await call(method!, made.headers.get('location')! + path);
      expect(answer).toMatchObject({ status: 404, json: { code: 'webhook-not-found' } });
    }
  });

  it('are told of events, with a signature that the receiver can check', async () => {
    const { call, rooms } = await startApi();
    const listening = await receiver();
    const { secret } = (await call('POST', '/api/v1/webhooks', { json: { url: listening.url } })).json;
    rooms.open('board', 'created').join(someone('anna'));
    await expect.poll(() => listening.got.length).toBe(2);
    const { headers, body } = listening.got[1]!;
    expect(headers['parley-event']).toBe('participant-joined');
    const sentAtS = Number(/^t=(\d+),/.exec(String(headers['parley-signature']))?.[1]);
    expect(headers['parley-signature']).toBe(signature(secret, sentAtS * 1000, body));
    expect(eventSchemas['participant-joined'].strict().parse(JSON.parse(body))).toEqual(JSON.parse(body));
  });

  it('keep what was refused, and send it again when asked', async () => {
    const { call, rooms, parts } = await startApi();
    const listening = await receiver();
    listening.status = 400;
    const made = await call('POST', '/api/v1/webhooks', { json: { url: listening.url } });
    const where = made.headers.get('location')!;
    rooms.open('board', 'created');
    // Three refusals with waits of about 1 s and 2 s between them: it is the rule that is tested in virtual time.
    await expect.poll(() => parts.webhooks.get(made.json.id)?.failures, { timeout: 10_000 }).toBe(1);
    const { json } = await call('GET', `${where}/failures`);
    expect(json).toMatchObject({
      failures: [{ event: 'room-opened', attempts: 3, reason: 'answered with status 400', data: { room: 'board' } }],
      nextCursor: null,
    });
    listening.status = 200;
    expect((await call('POST', `${where}/failures`, { json: { ids: ['another'] } })).json).toEqual({ retried: 0 });
    const again = await call('POST', `${where}/failures`, { json: { ids: [json.failures[0].id] } });
    expect(again).toMatchObject({ status: 200, json: { retried: 1 } });
    await expect.poll(() => listening.got.length).toBe(4);
    await expect.poll(async () => (await call('GET', where)).json).toMatchObject({ waiting: 0, failures: 0 });
  });

  it.each(['ftp://example.com/', 'http://169.254.169.254/latest/meta-data/', 'http://[::1]/', 'http://10.0.0.1/', 'x'])(
    'cannot lead to %s',
    async (url) => {
      const { call } = await startApi({}, {}, []);
      const answer = await call('POST', '/api/v1/webhooks', { json: { url } });
      expect(answer).toMatchObject({ status: 400, json: { code: 'webhook-url-invalid' } });
    },
  );

  it('cannot be told of what does not happen, of what is no room, nor with a secret that is none', async () => {
    const { call } = await startApi();
    const url = 'https://example.com/';
    const made = async (json: object) => (await call('POST', '/api/v1/webhooks', { json: { url, ...json } })).json;
    expect(await made({ events: ['party'] })).toMatchObject({ errors: [{ pointer: '#/events/0' }] });
    expect(await made({ secret: 'short' })).toMatchObject({ errors: [{ pointer: '#/secret' }] });
    expect(await made({ room: 'a b' })).toMatchObject({ code: 'room-name-invalid' });
  });
});
