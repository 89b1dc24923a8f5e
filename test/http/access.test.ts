import { describe, expect, it } from 'vitest';
import { operations } from '../../server/http/operations.ts';
import { EventReader } from './event-reader.ts';
import { type Answer, type RunningApi, startApi } from './running-api.ts';

interface Asked {
  scope: string;
  room?: string;
  expiresAt?: string;
}

async function tokenFor({ call }: RunningApi, asked: Asked): Promise<{ token: string; id: string }> {
  const { status, json } = await call('POST', '/api/v1/tokens', { json: { name: 'a test', ...asked } });
  expect(status).toBe(201);
  return json;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const as = (api: RunningApi, token: string) => (method: string, path: string, json?: unknown) =>
  api.call(method, `/api/v1${path}`, { headers: bearer(token), ...(json !== undefined && { json }) });

const withRooms = async () => {
  const api = await startApi();
  api.conference.createRoom('secret', {});
  return api;
};

/** There must be somebody in it. */
const recordSecret = async (api: RunningApi) => {
  await api.call('POST', '/api/v1/rooms/secret/participants', { json: { uri: 'sip:ann@example.com' } });
  expect((await api.call('POST', '/api/v1/rooms/secret/recordings')).status).toBe(201);
};

const expectRefused = (answer: Answer, scope: string) => {
  expect(answer).toMatchObject({ status: 403, json: { code: 'scope-insufficient' } });
  expect(answer.headers.get('www-authenticate')).toBe(
    `Bearer realm="parley", error="insufficient_scope", scope="${scope}"`,
  );
};

describe('tokens', () => {
  it('are made, listed without their secret, and removed, and then worth nothing', async () => {
    const api = await startApi();
    const made = await api.call('POST', '/api/v1/tokens', { json: { name: 'wallboard', scope: 'reader' } });
    expect(made.json).toMatchObject({ name: 'wallboard', scope: 'reader', room: null, expiresAt: null });
    const { token, ...shown } = made.json;
    expect(made.headers.get('location')).toBe(`/api/v1/tokens/${shown.id}`);
    expect((await api.call('GET', `/api/v1/tokens/${shown.id}`)).json).toEqual(shown);
    expect((await api.call('GET', '/api/v1/tokens')).json).toEqual({ tokens: [shown], nextCursor: null });
    expect((await as(api, token)('GET', '/rooms')).status).toBe(200);
    expect((await api.call('DELETE', `/api/v1/tokens/${shown.id}`)).status).toBe(204);
    expect((await as(api, token)('GET', '/rooms')).json.code).toBe('authentication-failed');
    expect((await api.call('DELETE', `/api/v1/tokens/${shown.id}`)).json.code).toBe('token-not-found');
    expect(JSON.stringify(api.logged)).not.toContain(token);
  });

  it.each(['', 'x', 'parley.', 'wrong-secret'])('are worth nothing with another secret: %j', async (secret) => {
    const api = await startApi();
    const { token, id } = await tokenFor(api, { scope: 'reader' });
    const answer = await as(api, secret === '' ? token.slice(0, -1) : `parley.${id}.${secret}`)('GET', '/rooms');
    expect(answer.json.code).toBe('authentication-failed');
  });

  it('expire', async () => {
    const api = await startApi();
    const expiresAt = '2999-01-01T01:00:00.000Z';
    const lasting = await tokenFor(api, { scope: 'reader', expiresAt: '2999-01-01T02:00:00+01:00' });
    expect((await api.call('GET', `/api/v1/tokens/${lasting.id}`)).json.expiresAt).toBe(expiresAt);
    expect((await as(api, lasting.token)('GET', '/rooms')).status).toBe(200);
    const { token } = api.parts.tokens.add({ name: 'x', scope: 'reader', room: null, expiresMs: Date.now() })!;
    expect((await as(api, token)('GET', '/rooms')).json.code).toBe('authentication-failed');
  });

  it.each([
    [{ name: 'x', scope: 'king' }, '#/scope'],
    [{ name: '', scope: 'reader' }, '#/name'],
    [{ name: 'x', scope: 'administrator', room: 'demo' }, '#/room'],
    [{ name: 'x', scope: 'reader', expiresAt: '2020-01-01T00:00:00Z' }, '#/expiresAt'],
    [{ name: 'x', scope: 'reader', expiresAt: 'tomorrow' }, '#/expiresAt'],
  ])('cannot be %j', async (json, pointer) => {
    const { call } = await startApi();
    const answer = await call('POST', '/api/v1/tokens', { json });
    expect(answer.json).toMatchObject({ code: 'invalid-body', errors: [{ pointer }] });
  });

  it('say what they allow', async () => {
    const api = await startApi();
    expect((await api.call('GET', '/api/v1/access')).json).toEqual({ scope: 'administrator', room: null, token: null });
    const { token, id } = await tokenFor(api, { scope: 'moderator', room: 'Demo' });
    expect((await as(api, token)('GET', '/access')).json).toEqual({ scope: 'moderator', room: 'demo', token: id });
  });

  it('are named in the log by their id', async () => {
    const api = await startApi();
    const { token, id } = await tokenFor(api, { scope: 'moderator', room: 'demo' });
    await as(api, token)('POST', '/rooms/demo/mute', { muted: true });
    await expect.poll(() => api.logged.at(-1)).toMatchObject({ path: '/api/v1/rooms/demo/mute', by: id });
  });
});

describe('what a token allows', () => {
  it('is what each operation says, and nothing above it, before anything is looked at', async () => {
    const api = await startApi();
    const ranks = ['reader', 'moderator', 'administrator'];
    for (const scope of ['reader', 'moderator']) {
      const { token } = await tokenFor(api, { scope });
      for (const operation of operations) {
        if (ranks.indexOf(operation.scope) <= ranks.indexOf(scope)) continue;
        const path = operation.path.replace(/\{\w+\}/g, 'demo');
        expectRefused(await as(api, token)(operation.method.toUpperCase(), path), operation.scope);
      }
    }
  });

  it('readers change nothing', () => {
    for (const { scope, method, id } of operations) if (scope === 'reader') expect([id, method]).toEqual([id, 'get']);
  });

  it('nobody but administrators gets at users, tokens and webhooks', () => {
    for (const { scope, path } of operations) {
      if (/^\/(users|tokens|webhooks)/.test(path)) expect([path, scope]).toEqual([path, 'administrator']);
    }
  });

  it('a moderator of one room works in it', async () => {
    const api = await withRooms();
    const ask = as(api, (await tokenFor(api, { scope: 'moderator', room: 'demo' })).token);
    expect((await ask('GET', '/rooms/demo')).status).toBe(200);
    expect((await ask('GET', '/rooms/DEMO')).json.code).toBe('room-not-found');
    expect((await ask('PATCH', '/rooms/demo/participants/ben', { muted: true })).status).toBe(200);
    expect((await ask('POST', '/rooms/demo/recordings')).status).toBe(201);
    expect((await ask('GET', '/rooms')).json.rooms.map(({ name }: { name: string }) => name)).toEqual(['demo']);
  });

  it('for it there are no other rooms: the answer is the same as for a room that is not there', async () => {
    const api = await withRooms();
    for (const scope of ['moderator', 'reader']) {
      const { token } = await tokenFor(api, { scope, room: 'demo' });
      for (const operation of operations) {
        if (!operation.path.startsWith('/rooms/{room}') || operation.scope === 'administrator') continue;
        if (scope === 'reader' && operation.scope === 'moderator') continue;
        const path = (room: string) => operation.path.replace('{room}', room).replace(/\{\w+\}/g, 'x');
        const method = operation.method.toUpperCase();
        const hidden = await as(api, token)(method, path('secret'));
        const absent = await as(api, token)(method, path('absent'));
        expect(hidden).toMatchObject({ status: 404, json: { code: 'room-not-found' } });
        const same = (answer: Answer) => answer.text.replaceAll(/secret|absent|"requestId":"[^"]*"/g, '');
        expect(same(hidden)).toBe(same(absent));
      }
    }
    expect(api.conference.room('secret')).toMatchObject({ participants: [], recordings: [] });
  });

  it('nor recordings of other rooms', async () => {
    const api = await withRooms();
    await recordSecret(api);
    const { token } = await tokenFor(api, { scope: 'reader', room: 'demo' });
    const answer = await as(api, token)('GET', '/recordings/rec-1/file');
    expect(answer).toMatchObject({ status: 404, json: { code: 'recording-not-found' } });
    expect(api.conference.filesAskedFor).toEqual([]);
    await api.call('POST', '/api/v1/rooms/demo/recordings');
    await as(api, token)('GET', '/recordings/rec-1/file');
    expect(api.conference.filesAskedFor).toEqual([['rec-1', 'wav']]);
    const { token: other } = await tokenFor(api, { scope: 'reader', room: 'gone' });
    expect((await as(api, other)('GET', '/recordings/rec-1/file')).json.code).toBe('recording-not-found');
  });

  it('but those of its own room, also when that is closed', async () => {
    const api = await withRooms();
    await recordSecret(api);
    const { recordings } = api.conference.room('secret');
    api.conference.closed.set('secret', recordings);
    api.conference.byName.delete('secret');
    for (const [room, mayHave] of [
      ['secret', true],
      ['demo', false],
    ] as const) {
      const ask = as(api, (await tokenFor(api, { scope: 'reader', room })).token);
      const list = await ask('GET', '/rooms/secret/recordings');
      expect(mayHave ? list.json.recordings : list.json.code).toEqual(mayHave ? recordings : 'room-not-found');
      const one = await ask('GET', '/rooms/secret/recordings/rec-1');
      expect(mayHave ? one.json : one.json.code).toEqual(mayHave ? recordings[0] : 'room-not-found');
      await ask('GET', '/recordings/rec-1/file');
    }
    expect(api.conference.filesAskedFor).toEqual([['rec-1', 'wav']]);
  });

  it('and breakout rooms of its room, as long as they are there', async () => {
    const api = await withRooms();
    const groups = [{ name: 'corner', participants: ['ben'] }];
    await api.conference.openBreakouts('demo', groups);
    await api.conference.openBreakouts('secret', [{ name: 'den', participants: [] }]);
    const ask = as(api, (await tokenFor(api, { scope: 'moderator', room: 'demo' })).token);
    const listed = await ask('GET', '/rooms');
    expect(listed.json.rooms.map(({ name }: { name: string }) => name)).toEqual(['corner', 'demo']);
    expect((await ask('GET', '/rooms/corner')).status).toBe(200);
    expect((await ask('PATCH', '/rooms/corner/participants/ben', { muted: true })).status).toBe(200);
    expect((await ask('POST', '/rooms/corner/recordings')).status).toBe(201);
    await ask('GET', '/recordings/rec-1/file');
    expect(api.conference.filesAskedFor).toEqual([['rec-1', 'wav']]);
    for (const path of ['/rooms/den', '/rooms/den/participants', '/rooms/secret']) {
      expect((await ask('GET', path)).json.code).toBe('room-not-found');
    }
    await api.conference.closeBreakouts('demo');
    expect((await ask('GET', '/rooms/corner')).json.code).toBe('room-not-found');
  });

  it('nor events of other rooms but its breakout rooms, resumed ones too', async () => {
    const api = await withRooms();
    const { token } = await tokenFor(api, { scope: 'reader', room: 'demo' });
    const reader = await EventReader.open(api.port, '/api/v1/events', bearer(token));
    const first = await reader.next();
    api.rooms.open('den', 'adhoc', {}, 'secret');
    const corner = api.rooms.open('corner', 'adhoc', {}, 'demo');
    api.rooms.close(corner);
    expect(await reader.next()).toMatchObject({ event: 'room-opened', data: { room: 'corner' } });
    expect(await reader.next()).toMatchObject({ event: 'room-closed', data: { room: 'corner' } });
    const headers = { ...bearer(token), 'last-event-id': first!.id };
    const resumed = await EventReader.open(api.port, '/api/v1/events', headers);
    expect(await resumed.next()).toMatchObject({ event: 'room-opened', data: { room: 'corner' } });
    for (const stream of [reader, resumed]) {
      expect(stream.text).not.toContain('den');
      stream.close();
    }
  });

  it('nor events of other rooms', async () => {
    const api = await withRooms();
    const { token } = await tokenFor(api, { scope: 'reader', room: 'demo' });
    const reader = await EventReader.open(api.port, '/api/v1/events', bearer(token));
    const first = await reader.next();
    expect(first).toMatchObject({ event: 'state', data: { rooms: [{ name: 'demo' }] } });
    expect(first!.data.rooms).toHaveLength(1);
    api.rooms.open('secret', 'adhoc');
    api.rooms.open('demo', 'adhoc');
    expect(await reader.next()).toMatchObject({ event: 'room-opened', data: { room: 'demo' } });
    expect(reader.text).not.toContain('secret');
    const resumed = await EventReader.open(api.port, '/api/v1/events', {
      ...bearer(token),
      'last-event-id': first!.id,
    });
    expect(await resumed.next()).toMatchObject({ event: 'room-opened', data: { room: 'demo' } });
    expect(resumed.text).not.toContain('secret');
    for (const stream of [reader, resumed]) stream.close();
  });

  it('ends with the token, for streams too', async () => {
    const api = await startApi();
    const { token, id } = await tokenFor(api, { scope: 'reader' });
    const reader = await EventReader.open(api.port, '/api/v1/events', bearer(token));
    await reader.next();
    await api.call('DELETE', `/api/v1/tokens/${id}`);
    api.rooms.open('later', 'adhoc');
    expect(await reader.next()).toBeNull();
    await reader.ended;
    expect(reader.text).not.toContain('later');
  });
});
