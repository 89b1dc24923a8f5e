import { connect } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { ControlError, type ControlErrorCode } from '../../server/focus/control.ts';
import { operations } from '../../server/http/operations.ts';
import { problem } from '../../server/http/problem-schema.ts';
import { type ProblemCode, problemCodes, problemKinds } from '../../server/http/problems.ts';
import { type Answer, type CallOptions, startApi, TOKEN } from './running-api.ts';

const seen = new Set<string>();

/** Each problem that a test meets is whole: the schema's, with the table's status and title. */
function expectProblem({ status, headers, json }: Answer, code: ProblemCode) {
  expect(json).toMatchObject({ code, status, title: problemKinds[code].title, type: `urn:parley:problem:${code}` });
  expect(status).toBe(problemKinds[code].status);
  expect(headers.get('content-type')).toBe('application/problem+json');
  expect(problem.strict().parse(json)).toEqual(json);
  expect(json.requestId).toBe(headers.get('x-request-id'));
  expect(JSON.stringify(json)).not.toMatch(/\bat \S+ \(|node_modules|\.ts:/);
  seen.add(code);
}

/** Every byte that comes back until the connection ends. */
function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let answer = '';
    socket.setEncoding('latin1');
    socket.on('data', (text) => {
      answer += text;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

function expectRawProblem(answer: string, code: ProblemCode) {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${problemKinds[code].status} `));
  expect(head).toContain('Content-Type: application/problem+json');
  expect(JSON.parse(body)).toMatchObject({ code, status: problemKinds[code].status });
  seen.add(code);
}

describe('a request that asks for what is not there', () => {
  it.each<[ProblemCode, string, string, CallOptions?]>([
    ['room-not-found', 'GET', '/api/v1/rooms/nowhere'],
    ['room-not-found', 'PATCH', '/api/v1/rooms/nowhere', { json: { locked: true } }],
    ['room-not-found', 'DELETE', '/api/v1/rooms/nowhere'],
    ['room-not-found', 'POST', '/api/v1/rooms/nowhere/mute', { json: { muted: true } }],
    ['room-not-found', 'GET', '/api/v1/rooms/nowhere/participants'],
    ['room-not-found', 'GET', '/api/v1/rooms/nowhere/recordings'],
    ['room-not-found', 'POST', '/api/v1/rooms/nowhere/recordings'],
    ['participant-not-found', 'GET', '/api/v1/rooms/demo/participants/carl'],
    ['participant-not-found', 'PATCH', '/api/v1/rooms/demo/participants/carl', { json: { muted: true } }],
    ['participant-not-found', 'DELETE', '/api/v1/rooms/demo/participants/carl'],
    ['recording-not-found', 'GET', '/api/v1/rooms/demo/recordings/rec-9'],
    ['recording-not-found', 'PATCH', '/api/v1/rooms/demo/recordings/rec-9', { json: { state: 'stopped' } }],
    ['recording-not-found', 'DELETE', '/api/v1/rooms/demo/recordings/rec-9'],
    ['recording-not-found', 'GET', '/api/v1/recordings/rec-9/file'],
    ['user-not-found', 'GET', '/api/v1/users/nobody'],
    ['user-not-found', 'DELETE', '/api/v1/users/nobody'],
    ['user-not-found', 'GET', '/api/v1/users/nobody/registrations'],
    ['user-not-found', 'DELETE', '/api/v1/users/nobody/registrations'],
    ['room-not-found', 'GET', '/api/v1/rooms/nowhere/picture.jpg'],
    ['invalid-query', 'GET', '/api/v1/rooms/demo/picture.jpg?width=100000'],
    ['participant-not-found', 'PATCH', '/api/v1/rooms/demo', { json: { spotlight: ['carl'] } }],
    ['participant-not-found', 'PATCH', '/api/v1/rooms/demo', { json: { places: [null, 'carl'] } }],
    ['prompt-not-found', 'POST', '/api/v1/rooms/demo/announcements', { json: { prompt: 'nonsense' } }],
    ['announcement-not-found', 'DELETE', '/api/v1/rooms/demo/announcements/x'],
    ['sound-not-found', 'GET', '/api/v1/sounds/x'],
    ['sound-invalid', 'POST', '/api/v1/sounds?name=x', { body: 'bad' }],
    ['participant-not-waiting', 'PATCH', '/api/v1/rooms/demo/participants/ben', { json: { admitted: true } }],
    ['participant-elsewhere', 'PATCH', '/api/v1/rooms/demo/participants/ben', { json: { room: 'elsewhere' } }],
    ['room-policy-invalid', 'PATCH', '/api/v1/rooms/demo', { json: { pin: '1234', moderatorPin: '1234' } }],
    ['invalid-body', 'POST', '/api/v1/rooms/demo/announcements', { json: {} }],
    ['room-not-found', 'POST', '/api/v1/rooms/nowhere/messages', { json: { text: 'Hello' } }],
    ['participant-not-found', 'POST', '/api/v1/rooms/demo/messages', { json: { text: 'Hello', to: ['carl'] } }],
    ['token-not-found', 'GET', '/api/v1/tokens/x'],
    ['token-not-found', 'DELETE', '/api/v1/tokens/x'],
    ['webhook-not-found', 'GET', '/api/v1/webhooks/x'],
    ['webhook-not-found', 'DELETE', '/api/v1/webhooks/x'],
    ['webhook-not-found', 'GET', '/api/v1/webhooks/x/failures'],
    ['webhook-not-found', 'POST', '/api/v1/webhooks/x/failures'],
    ['room-not-found', 'GET', '/api/v1/rooms/nowhere/events'],
    ['not-found', 'GET', '/api/v1/room'],
    ['not-found', 'GET', '/api/v1/Rooms'],
    ['not-found', 'GET', '/api/v2/rooms'],
    ['not-found', 'GET', '/'],
  ])('%s: %s %s', async (code, method, path, options) => {
    const { call } = await startApi();
    expectProblem(await call(method, path, options), code);
  });
});

describe('a request that comes at the wrong time', () => {
  it('room-exists: a name is taken', async () => {
    const { call } = await startApi();
    expectProblem(await call('POST', '/api/v1/rooms', { json: { name: 'demo' } }), 'room-exists');
  });

  it('room-is-breakout: a breakout room of a breakout room', async () => {
    const { call } = await startApi();
    const json = { groups: [{ name: 'side', participants: ['ben'] }] };
    expect((await call('POST', '/api/v1/rooms/demo/breakouts', { json })).status).toBe(200);
    expectProblem(await call('POST', '/api/v1/rooms/side/breakouts', { json }), 'room-is-breakout');
  });

  it('room-empty: a recording of nobody', async () => {
    const { call } = await startApi();
    await call('POST', '/api/v1/rooms', { json: { name: 'quiet' } });
    expectProblem(await call('POST', '/api/v1/rooms/quiet/recordings'), 'room-empty');
  });

  it('recording-running: a second start, or removal before the end', async () => {
    const { call } = await startApi();
    const { headers } = await call('POST', '/api/v1/rooms/demo/recordings');
    expectProblem(await call('POST', '/api/v1/rooms/demo/recordings'), 'recording-running');
    expectProblem(await call('DELETE', headers.get('location')!), 'recording-running');
  });

  it('recording-not-running: a second stop', async () => {
    const { call } = await startApi();
    const where = (await call('POST', '/api/v1/rooms/demo/recordings')).headers.get('location')!;
    await call('PATCH', where, { json: { state: 'stopped' } });
    expectProblem(await call('PATCH', where, { json: { state: 'stopped' } }), 'recording-not-running');
  });

  it('link-invalid: not one of ours', async () => {
    const { call } = await startApi();
    const path = '/api/v1/recordings/rec-1/file?format=wav&normalized=false&expires=9999999999&signature=guessed';
    expectProblem(await call('GET', path, { headers: { authorization: '' } }), 'link-invalid');
  });

  it('room-full: one more is called than the room holds', async () => {
    const { call, conference } = await startApi();
    conference.updateRoom('demo', { maxParticipants: 2 });
    const json = { uri: 'sip:carl@example.com' };
    expectProblem(await call('POST', '/api/v1/rooms/demo/participants', { json }), 'room-full');
  });

  it.each<ControlErrorCode>(['sound-too-large', 'sounds-unavailable'])('%s: why a sound is not there', async (code) => {
    const { sounds, call } = await startApi();
    sounds.add = () => Promise.reject(new ControlError(code, 'because'));
    expectProblem(await call('POST', '/api/v1/sounds?name=x', { body: 'any' }), code);
  });

  it('picture-unavailable: nobody has video', async () => {
    const { call, conference } = await startApi();
    conference.createRoom('board', {});
    expectProblem(await call('GET', '/api/v1/rooms/board/picture.jpg'), 'picture-unavailable');
  });

  it('too-many-messages: phones have not answered those before', async () => {
    const { call, conference } = await startApi();
    conference.failure = new ControlError('too-many-messages', 'wait a little');
    const answer = await call('POST', '/api/v1/rooms/demo/messages', { json: { text: 'Hello' } });
    expectProblem(answer, 'too-many-messages');
    expect(answer.headers.get('retry-after')).toBe('1');
  });

  it.each<ControlErrorCode>([
    'recording-unavailable',
    'recording-empty',
    'recording-captures-gone',
    'mixer-unavailable',
    'server-full',
  ])('%s: whatever the conference says, with its own words', async (code) => {
    const { call, conference } = await startApi();
    conference.failure = new ControlError(code, 'in its own words');
    const answer = await call('GET', '/api/v1/recordings/rec-1/file');
    expectProblem(answer, code);
    expect(answer.json.detail).toBe('in its own words');
    expect(answer.headers.get('retry-after')).toBe(answer.status === 503 ? '1' : null);
  });
});

describe('a request too many', () => {
  const url = 'https://example.com/';

  it('too-many-tokens: more than 1000', async () => {
    const { call, parts } = await startApi();
    for (let count = 0; count < 1000; count++) {
      parts.tokens.add({ name: 'x', scope: 'reader', room: null, expiresMs: null });
    }
    expectProblem(await call('POST', '/api/v1/tokens', { json: { name: 'x', scope: 'reader' } }), 'too-many-tokens');
  });

  it('too-many-webhooks: more than 100', async () => {
    const { call, parts } = await startApi();
    for (let count = 0; count < 100; count++) parts.webhooks.add({ url, events: [], room: null, secret: null });
    expectProblem(await call('POST', '/api/v1/webhooks', { json: { url } }), 'too-many-webhooks');
  });

  it('too-many-streams: more than 500', async () => {
    const { call, parts } = await startApi();
    const sink = { write: () => {}, waitingBytes: 0, end: () => {}, cut: () => {} };
    const request = { sink, room: null, breakouts: false, lastEventId: null, state: () => [], allowed: () => true };
    for (let count = 0; count < 500; count++) parts.streams.open({ ...request, reader: String(count) });
    expectProblem(await call('GET', '/api/v1/events'), 'too-many-streams');
  });

  it('idempotency-key-in-use: the same one, which has not been answered yet', async () => {
    const { call, conference } = await startApi();
    let goOn: () => void = () => {};
    conference.meanwhile = new Promise((resolve) => (goOn = resolve));
    const start = () => call('POST', '/api/v1/rooms/demo/recordings', { headers: { 'idempotency-key': 'once' } });
    const both = [start(), start()];
    expectProblem(await Promise.race(both), 'idempotency-key-in-use');
    goOn();
    await Promise.all(both);
  });

  it('idempotency-key-reused: another one under the same key', async () => {
    const { call } = await startApi();
    const headers = { 'idempotency-key': 'once' };
    await call('POST', '/api/v1/rooms', { headers, json: { name: 'a' } });
    expectProblem(await call('POST', '/api/v1/rooms', { headers, json: { name: 'b' } }), 'idempotency-key-reused');
  });
});

describe('a request that says what it should not', () => {
  it('idempotency-key-invalid: a key with a space in it', async () => {
    const { call } = await startApi();
    const headers = { 'idempotency-key': 'a b' };
    expectProblem(await call('POST', '/api/v1/rooms', { headers, json: { name: 'a' } }), 'idempotency-key-invalid');
  });

  it('webhook-url-invalid: an address that webhooks may not lead to', async () => {
    const { call } = await startApi();
    expectProblem(await call('POST', '/api/v1/webhooks', { json: { url: 'http://10.0.0.1/' } }), 'webhook-url-invalid');
  });

  it('room-name-invalid: a name that cannot be dialled', async () => {
    const { call } = await startApi();
    expectProblem(await call('POST', '/api/v1/rooms', { json: { name: 'a b' } }), 'room-name-invalid');
  });

  it('participant-uri-invalid: an address that cannot be called', async () => {
    const { call } = await startApi();
    const json = { uri: 'mailto:carl@example.com' };
    expectProblem(await call('POST', '/api/v1/rooms/demo/participants', { json }), 'participant-uri-invalid');
  });

  it('user-name-invalid: a name that cannot be registered', async () => {
    const { call } = await startApi();
    const json = { password: 'wonderland' };
    expectProblem(await call('PUT', '/api/v1/users/Alice%20L', { json }), 'user-name-invalid');
  });

  it.each<[string, string, unknown, string[]]>([
    ['PUT', '/api/v1/users/bob', { password: 'short' }, ['#/password']],
    ['PUT', '/api/v1/users/bob', { displayName: '' }, ['#/password', '#/displayName']],
    ['POST', '/api/v1/rooms/demo/participants', { displayName: '' }, ['#/uri', '#/displayName']],
    ['POST', '/api/v1/rooms', {}, ['#/name']],
    ['POST', '/api/v1/rooms', [], ['#']],
    ['POST', '/api/v1/rooms', { name: 'a', pin: '1', 'a/b': 2 }, ['#/pin', '#/a~1b']],
    ['PATCH', '/api/v1/rooms/demo', { maxParticipants: 0, locked: 'yes' }, ['#/maxParticipants', '#/locked']],
    ['PATCH', '/api/v1/rooms/demo', { maxParticipants: null }, ['#/maxParticipants']],
    ['PATCH', '/api/v1/rooms/demo', { name: 'other' }, ['#/name']],
    ['PATCH', '/api/v1/rooms/demo', JSON.parse('{"__proto__": {"locked": true}}'), ['#/__proto__']],
    ['POST', '/api/v1/rooms/demo/mute', { except: 'moderators' }, ['#/muted']],
    ['POST', '/api/v1/rooms/demo/mute', { muted: true, except: 'ben' }, ['#/except']],
    ['PATCH', '/api/v1/rooms/demo/participants/ben', { gainDb: 21 }, ['#/gainDb']],
    ['PATCH', '/api/v1/rooms/demo/participants/ben', { role: 'king' }, ['#/role']],
    ['POST', '/api/v1/rooms/demo/recordings', { tracks: 'yes', track: true }, ['#/tracks', '#/track']],
    ['POST', '/api/v1/recordings/rec-1/files', { format: 'flac' }, ['#/format']],
    ['POST', '/api/v1/recordings/rec-1/links', { format: 'm4a', expiresInSeconds: 59 }, ['#/expiresInSeconds']],
    ['POST', '/api/v1/recordings/rec-1/links', { format: 'm4a', expiresInSeconds: 604_801 }, ['#/expiresInSeconds']],
    ['PATCH', '/api/v1/rooms/demo/recordings/rec-1', { state: 'failed' }, ['#/state']],
    ['POST', '/api/v1/rooms/demo/recordings/rec-1/marks', { text: '' }, ['#/text']],
  ])('invalid-body: %s %s %j', async (method, path, json, pointers) => {
    const { call } = await startApi();
    const answer = await call(method, path, {
      body: JSON.stringify(json),
      headers: { 'content-type': 'application/json' },
    });
    expectProblem(answer, 'invalid-body');
    expect(answer.json.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(pointers);
  });

  it('invalid-body: none at all where one is needed', async () => {
    const { call } = await startApi();
    for (const { method, path, body, bodyOptional } of operations) {
      if (!body || bodyOptional) continue;
      const url = `/api/v1${path.replace(/\{\w+\}/g, 'demo')}`;
      if (body.safeParse({}).success) continue;
      expectProblem(await call(method.toUpperCase(), url), 'invalid-body');
    }
  });

  it.each([
    ['/api/v1/rooms?limit=0', 'limit'],
    ['/api/v1/rooms?limit=1001', 'limit'],
    ['/api/v1/rooms?limit=many', 'limit'],
    ['/api/v1/rooms?cursor=', 'cursor'],
    ['/api/v1/rooms?cursor=!!!', 'cursor'],
    ['/api/v1/rooms/demo?x', 'x'],
    ['/api/v1/recordings/rec-1/file?format=flac', 'format'],
    ['/api/v1/recordings/rec-1/file?format=wav&format=mp4', 'format'],
    ['/api/v1/recordings/rec-1/file?fromat=wav', 'fromat'],
    ['/api/v1/recordings/rec-1/file?normalized=yes', 'normalized'],
    ['/api/v1/recordings/rec-1/file?wait=0', 'wait'],
    ['/api/v1/recordings?state=running', 'state'],
    ['/api/v1/recordings?from=yesterday', 'from'],
    ['/api/v1/recordings?q=', 'q'],
  ])('invalid-query: %s', async (path, parameter) => {
    const { call } = await startApi();
    const answer = await call('GET', path);
    expectProblem(answer, 'invalid-query');
    expect(answer.json.errors).toEqual([{ parameter, detail: expect.any(String) }]);
  });

  it.each(['{', '"text"', 'null', '{"name":"a"} x'])('malformed-json: %s', async (body) => {
    const { call } = await startApi();
    expectProblem(
      await call('POST', '/api/v1/rooms', { body, headers: { 'content-type': 'application/json' } }),
      'malformed-json',
    );
  });

  it('body-too-large: more than 65536 bytes', async () => {
    const { call } = await startApi();
    const padded = (length: number) => '{"name":"a"}'.padEnd(length);
    const headers = { 'content-type': 'application/json' };
    expectProblem(await call('POST', '/api/v1/rooms', { headers, body: padded(65_537) }), 'body-too-large');
    expect((await call('POST', '/api/v1/rooms', { headers, body: padded(65_536) })).status).toBe(201);
  });

  it.each([
    ['text/plain', {}],
    ['application/x-www-form-urlencoded', {}],
    ['application/json; charset=latin1', {}],
    ['application/json', { 'content-encoding': 'gzip' }],
  ])('unsupported-media-type: %s %j', async (type, more) => {
    const { call } = await startApi();
    const headers = { 'content-type': type, ...more };
    expectProblem(await call('POST', '/api/v1/rooms', { body: '{"name":"a"}', headers }), 'unsupported-media-type');
  });

  it.each([
    ['PUT', '/api/v1/rooms', 'GET, HEAD, POST'],
    ['OPTIONS', '/api/v1/rooms/demo', 'GET, HEAD, PATCH, DELETE'],
    ['GET', '/api/v1/rooms/demo/mute', 'POST'],
    ['DELETE', '/api/v1/rooms/demo/participants', 'GET, HEAD, POST'],
    ['POST', '/api/v1/rooms/demo/participants/ben', 'GET, HEAD, PATCH, DELETE'],
    ['PUT', '/api/v1/rooms/demo/recordings/rec-1', 'GET, HEAD, PATCH, DELETE'],
    ['POST', '/api/v1/recordings/rec-1/file', 'GET, HEAD'],
    ['POST', '/api/v1/openapi.json', 'GET, HEAD'],
    ['POST', '/healthz', 'GET, HEAD'],
    ['DELETE', '/metrics', 'GET, HEAD'],
  ])('method-not-allowed: %s %s', async (method, path, allow) => {
    const { call } = await startApi();
    const answer = await call(method, path);
    expectProblem(answer, 'method-not-allowed');
    expect(answer.headers.get('allow')).toBe(allow);
  });

  it('malformed-request: a path that is not properly escaped', async () => {
    const { call } = await startApi();
    expectProblem(await call('GET', '/api/v1/rooms/%zz'), 'malformed-request');
  });
});

describe('bytes that are no request', () => {
  it('malformed-request: something else than HTTP', async () => {
    const { port } = await startApi();
    expectRawProblem(await exchange(port, 'OPTIONS sip:demo@host SIP/2.0\r\n\r\n'), 'malformed-request');
  });

  it('headers-too-large: more than 16384 bytes', async () => {
    const { port } = await startApi();
    const request = `GET /healthz HTTP/1.1\r\nHost: h\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`;
    expectRawProblem(await exchange(port, request), 'headers-too-large');
  });

  it('request-timeout: headers that never end', async () => {
    const { port } = await startApi({ headersTimeoutMs: 50, requestTimeoutMs: 50 });
    expectRawProblem(await exchange(port, 'GET /healthz HTTP/1.1\r\nHost: h\r\n'), 'request-timeout');
  });

  it('request-timeout: a body that never ends, but for one that may take long', async () => {
    const { port } = await startApi({ headersTimeoutMs: 40, requestTimeoutMs: 50, uploadTimeoutMs: 600 });
    const request = (path: string): string =>
      `POST /api/v1${path} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${TOKEN}\r\n` +
      'Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{';
    const ends = { json: 0, upload: 0 };
    const json = exchange(port, request('/rooms')).finally(() => {
      ends.json = performance.now();
    });
    const upload = exchange(port, request('/sounds?name=x')).finally(() => {
      ends.upload = performance.now();
    });
    expectRawProblem(await json, 'request-timeout');
    expectRawProblem(await upload, 'request-timeout');
    expect(ends.json).toBeLessThan(ends.upload);
  });

  it('idempotency-key-invalid: an upload takes none', async () => {
    const { call } = await startApi();
    const headers = { authorization: `Bearer ${TOKEN}`, 'idempotency-key': 'once' };
    expectProblem(await call('POST', '/api/v1/sounds?name=x', { body: 'any', headers }), 'idempotency-key-invalid');
  });
});

describe('a fault of ours', () => {
  it('internal-error: the client learns nothing of it but the id under which the log tells all', async () => {
    const { call, conference, logged } = await startApi();
    conference.failure = new Error('the secret inner working');
    const answer = await call('GET', '/api/v1/rooms', { headers: { 'x-request-id': 'req-7' } });
    expectProblem(answer, 'internal-error');
    expect(answer.text).not.toContain('secret');
    expect(answer.json.requestId).toBe('req-7');
    expect(logged).toContainEqual(
      expect.objectContaining({
        requestId: 'req-7',
        err: expect.objectContaining({ message: 'the secret inner working' }),
      }),
    );
  });
});

describe('who may ask', () => {
  const token = (value: string) => ({ headers: { authorization: value } });

  it.each(['', 'Basic YTpi', 'Bearer', 'Bearer a b'])('authentication-required: %j', async (authorization) => {
    const { call } = await startApi();
    const answer = await call('GET', '/api/v1/rooms', token(authorization));
    expectProblem(answer, 'authentication-required');
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="parley"');
  });

  it('authentication-failed: a wrong token, and the log tells from where but not what', async () => {
    const { call, logged } = await startApi();
    const answer = await call('GET', '/api/v1/rooms', token('Bearer a-token-for-testz'));
    expectProblem(answer, 'authentication-failed');
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="parley", error="invalid_token"');
    expect(logged).toContainEqual(
      expect.objectContaining({ msg: 'HTTP authentication failed', remoteAddress: '127.0.0.1' }),
    );
    expect(JSON.stringify(logged)).not.toContain('testz');
  });

  it('no operation is open to those without a token, nor does one tell them what is there', async () => {
    const { call } = await startApi();
    for (const { method, path } of operations) {
      const url = `/api/v1${path.replace(/\{\w+\}/g, 'demo')}`;
      expectProblem(await call(method.toUpperCase(), url, token('')), 'authentication-required');
    }
    expectProblem(await call('GET', '/api/v1/what-is-here', token('')), 'authentication-required');
  });

  it('the scheme is written in any case', async () => {
    const { call } = await startApi();
    expect((await call('GET', '/api/v1/rooms', token('bearer a-token-for-tests'))).status).toBe(200);
  });

  it('too-many-failures: whoever guesses is not listened to for a while, others are', async () => {
    const { call } = await startApi({ failures: { limit: 3, windowMs: 60_000 } });
    const from = (address: string, secret: string) =>
      call('GET', '/api/v1/rooms', { headers: { authorization: `Bearer ${secret}`, 'x-forwarded-for': address } });
    for (let guess = 0; guess < 3; guess++) expectProblem(await from('192.0.2.1', 'guess'), 'authentication-failed');
    const locked = await from('192.0.2.1', 'a-token-for-tests');
    expectProblem(locked, 'too-many-failures');
    expect(Number(locked.headers.get('retry-after'))).toBeGreaterThan(50);
    expect((await from('192.0.2.2', 'a-token-for-tests')).status).toBe(200);
  });

  it('scope-insufficient: a right token, for something else', async () => {
    const { call } = await startApi();
    const made = await call('POST', '/api/v1/tokens', { json: { name: 'x', scope: 'reader' } });
    const answer = await call('GET', '/api/v1/tokens', token(`Bearer ${made.json.token}`));
    expectProblem(answer, 'scope-insufficient');
    expect(answer.headers.get('www-authenticate')).toContain('error="insufficient_scope", scope="administrator"');
  });

  it('right tokens never count as failures', async () => {
    const { call } = await startApi({ failures: { limit: 2, windowMs: 60_000 } });
    for (let time = 0; time < 5; time++) expect((await call('GET', '/api/v1/rooms')).status).toBe(200);
  });

  it('too-many-requests: more than the share of one address', async () => {
    const { call } = await startApi({ requests: { limit: 2, windowMs: 60_000 } });
    await call('GET', '/api/v1/rooms');
    await call('GET', '/api/v1/rooms');
    const answer = await call('GET', '/api/v1/rooms');
    expectProblem(answer, 'too-many-requests');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(50);
    expect((await call('GET', '/healthz')).status).toBe(200);
  });
});

afterAll(() => {
  // `range-not-satisfiable` needs a file: recordings.test.ts.
  seen.add('range-not-satisfiable');
  expect([...seen].sort(), 'every code has been seen').toEqual([...problemCodes].sort());
});
