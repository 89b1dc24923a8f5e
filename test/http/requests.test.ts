import { describe, expect, it } from 'vitest';
import { type CallOptions, type RunningApi, startApi } from './running-api.ts';

const withKey = (key: string, json?: unknown): CallOptions => ({
  headers: { 'idempotency-key': key },
  ...(json !== undefined && { json }),
});

const dial = (api: RunningApi, key: string, uri = 'sip:carl@example.com') =>
  api.call('POST', '/api/v1/rooms/demo/participants', withKey(key, { uri }));

describe('Idempotency-Key', () => {
  it('carries a request out once, and answers it the same each time', async () => {
    const api = await startApi();
    const first = await dial(api, 'dial-1');
    const second = await dial(api, 'dial-1');
    expect(api.conference.room('demo').participants).toHaveLength(3);
    expect([second.status, second.json]).toEqual([201, first.json]);
    expect(second.headers.get('location')).toBe(first.headers.get('location'));
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    await dial(api, 'dial-2');
    await api.call('POST', '/api/v1/rooms/demo/participants', { json: { uri: 'sip:carl@example.com' } });
    expect(api.conference.room('demo').participants).toHaveLength(5);
  });

  it('stands for one request: not for another body, nor another path', async () => {
    const api = await startApi();
    await dial(api, 'dial-1');
    expect(await dial(api, 'dial-1', 'sip:dora@example.com')).toMatchObject({
      status: 422,
      json: { code: 'idempotency-key-reused' },
    });
    const elsewhere = await api.call('POST', '/api/v1/rooms', withKey('dial-1', { name: 'x' }));
    expect(elsewhere.json.code).toBe('idempotency-key-reused');
  });

  it('belongs to the token that it came with', async () => {
    const api = await startApi();
    const json = { name: 'x', scope: 'moderator' };
    const { token } = (await api.call('POST', '/api/v1/tokens', { json })).json;
    await dial(api, 'dial-1');
    const other = await api.call('POST', '/api/v1/rooms/demo/participants', {
      headers: { 'idempotency-key': 'dial-1', authorization: `Bearer ${token}` },
      json: { uri: 'sip:dora@example.com' },
    });
    expect(other.json.uri).toBe('sip:dora@example.com');
  });

  it('that is being carried out is not begun a second time', async () => {
    const api = await startApi();
    let goOn: () => void = () => {};
    api.conference.meanwhile = new Promise((resolve) => (goOn = resolve));
    const start = () => api.call('POST', '/api/v1/rooms/demo/recordings', withKey('rec'));
    const [one, other] = [start(), start()];
    const early = await Promise.race([one, other]);
    expect(early).toMatchObject({ status: 409, json: { code: 'idempotency-key-in-use' } });
    expect(early.headers.get('retry-after')).toBe('1');
    goOn();
    expect((await Promise.all([one, other])).map(({ status }) => status).sort()).toEqual([201, 409]);
    expect((await start()).status).toBe(201);
    expect(api.conference.recordings('demo')).toHaveLength(1);
  });

  it('may be used again after a failure', async () => {
    const api = await startApi();
    api.conference.updateRoom('demo', { maxParticipants: 2 });
    expect((await dial(api, 'dial-1')).json.code).toBe('room-full');
    api.conference.updateRoom('demo', { maxParticipants: 3 });
    expect((await dial(api, 'dial-1')).status).toBe(201);
  });

  it('gives a secret again, without having stored it', async () => {
    const api = await startApi();
    const make = () => api.call('POST', '/api/v1/tokens', withKey('token', { name: 'x', scope: 'reader' }));
    const [first, second] = [await make(), await make()];
    expect(second.json).toEqual(first.json);
    expect((await api.call('GET', '/api/v1/tokens')).json.tokens).toHaveLength(1);
    expect(api.database.all('SELECT * FROM idempotent_replies')).toEqual([]);
    expect(JSON.stringify(api.database.all('SELECT * FROM tokens'))).not.toContain(first.json.token.split('.')[2]);
  });

  it.each(['', 'a b', 'é', 'x'.repeat(256)])('cannot be %j', async (key) => {
    const api = await startApi();
    const answer = await dial(api, key);
    expect(answer).toMatchObject({ status: 400, json: { code: 'idempotency-key-invalid' } });
  });
});

describe('lists', () => {
  const names = (json: { rooms: Array<{ name: string }> }) => json.rooms.map(({ name }) => name);

  it('come in pages, each thing once, though others come and go meanwhile', async () => {
    const { call, conference } = await startApi();
    for (const name of ['e', 'a', 'c', 'b', 'd']) conference.createRoom(name, {});
    const first = (await call('GET', '/api/v1/rooms?limit=2')).json;
    expect(names(first)).toEqual(['a', 'b']);
    await conference.deleteRoom('b');
    conference.createRoom('bb', {});
    conference.createRoom('aa', {});
    const second = (await call('GET', `/api/v1/rooms?limit=2&cursor=${first.nextCursor}`)).json;
    expect(names(second)).toEqual(['bb', 'c']);
    const third = (await call('GET', `/api/v1/rooms?limit=3&cursor=${second.nextCursor}`)).json;
    expect([names(third), third.nextCursor]).toEqual([['d', 'demo', 'e'], null]);
    expect((await call('GET', `/api/v1/rooms?cursor=${Buffer.from('z').toString('base64url')}`)).json).toEqual({
      rooms: [],
      nextCursor: null,
    });
  });

  it('of every kind are paged', async () => {
    const { call, users, conference } = await startApi();
    users.putUser('bob', { password: 'wonderland', displayName: null });
    users.byName.get('alice')!.registrations = 1;
    await conference.startRecording('demo', {});
    for (const name of ['x', 'y']) {
      await call('POST', '/api/v1/tokens', { json: { name, scope: 'reader' } });
      await call('POST', '/api/v1/webhooks', { json: { url: 'https://example.com/' } });
    }
    for (const [path, list, all] of [
      ['rooms', 'rooms', 1],
      ['rooms/demo/participants', 'participants', 2],
      ['rooms/demo/recordings', 'recordings', 1],
      ['users', 'users', 2],
      ['users/alice/registrations', 'registrations', 1],
      ['tokens', 'tokens', 2],
      ['webhooks', 'webhooks', 2],
    ] as const) {
      const found = new Set<string>();
      let cursor: string | null = null;
      do {
        const { json } = await call('GET', `/api/v1/${path}?limit=1${cursor === null ? '' : `&cursor=${cursor}`}`);
        expect(json[list], path).toHaveLength(1);
        found.add(JSON.stringify(json[list][0]));
        cursor = json.nextCursor;
      } while (cursor !== null);
      expect(found.size, path).toBe(all);
    }
  });
});

describe('pages of other origins', () => {
  const origin = 'https://app.example.com';
  const preflight = { origin, 'access-control-request-method': 'PATCH', authorization: '' };

  it('are kept out unless configured', async () => {
    const { call } = await startApi();
    const asked = await call('OPTIONS', '/api/v1/rooms', { headers: preflight });
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([401, null]);
    const got = await call('GET', '/api/v1/rooms', { headers: { origin } });
    expect([got.status, got.headers.get('access-control-allow-origin')]).toEqual([200, null]);
  });

  it('may ask when they are, with what the API needs, and never with cookies', async () => {
    const { call } = await startApi({}, { corsOrigins: [origin] });
    const { status, headers, text } = await call('OPTIONS', '/api/v1/rooms/demo', { headers: preflight });
    expect([status, text]).toEqual([204, '']);
    expect(headers.get('access-control-allow-origin')).toBe(origin);
    expect(headers.get('access-control-allow-methods')).toContain('PATCH');
    expect(headers.get('access-control-allow-headers')).toMatch(/Authorization.*Idempotency-Key.*Last-Event-ID/);
    expect(headers.get('access-control-allow-credentials')).toBeNull();
    expect(headers.get('vary')).toContain('Origin');
    const failed = await call('GET', '/api/v1/rooms', { headers: { origin, authorization: '' } });
    expect([failed.status, failed.headers.get('access-control-allow-origin')]).toEqual([401, origin]);
    const other = await call('OPTIONS', '/api/v1/rooms', { headers: { ...preflight, origin: 'https://evil.example' } });
    expect([other.status, other.headers.get('access-control-allow-origin')]).toEqual([401, null]);
    expect(other.headers.get('vary')).toContain('Origin');
  });

  it('can read that they ask too much', async () => {
    const { call } = await startApi({ requests: { limit: 1, windowMs: 60_000 } }, { corsOrigins: [origin] });
    await call('GET', '/api/v1/rooms', { headers: { origin } });
    const { status, headers } = await call('GET', '/api/v1/rooms', { headers: { origin } });
    expect([status, headers.get('access-control-allow-origin')]).toEqual([429, origin]);
  });

  it('may all ask with *', async () => {
    const { call } = await startApi({}, { corsOrigins: ['*'] });
    const { status, headers } = await call('GET', '/api/v1/rooms', { headers: { origin } });
    expect([status, headers.get('access-control-allow-origin')]).toEqual([200, '*']);
  });

  it('can read every header that answers tell something by', async () => {
    const { call } = await startApi({}, { corsOrigins: [origin] });
    const { headers } = await call('GET', '/api/v1/rooms', { headers: { origin } });
    const exposed = headers.get('access-control-expose-headers')!.split(', ');
    for (const name of ['Allow', 'Idempotency-Replayed', 'Link', 'Location', 'Retry-After'])
      expect(exposed).toContain(name);
  });
});
