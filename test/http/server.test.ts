import { Agent, get, type IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { startApi } from './running-api.ts';

const answerOf = (port: number, path: string, agent: Agent): Promise<IncomingMessage & { body: string }> =>
  new Promise((resolve, reject) => {
    get({ port, path, agent, headers: { authorization: 'Bearer a-token-for-tests' } }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text) => {
        body += text;
      });
      response.on('end', () => resolve(Object.assign(response, { body })));
    }).on('error', reject);
  });

describe('probes', () => {
  it('/healthz says that the process answers, to anybody', async () => {
    const { call } = await startApi();
    const { status, json } = await call('GET', '/healthz', { headers: { authorization: '' } });
    expect([status, json]).toEqual([200, { status: 'ok' }]);
  });

  it('/readyz says whether calls can be taken, and if not, why', async () => {
    const { call, notReady } = await startApi();
    expect((await call('GET', '/readyz')).json).toEqual({ ready: true, reasons: [] });
    notReady.push('no mixer runs');
    const { status, json } = await call('GET', '/readyz');
    expect([status, json]).toEqual([503, { ready: false, reasons: ['no mixer runs'] }]);
  });

  it('/metrics is a page for Prometheus, to anybody', async () => {
    const { call } = await startApi();
    const { status, headers, text } = await call('GET', '/metrics', { headers: { authorization: '' } });
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^text\/plain; version=0.0.4/);
    expect(text).toContain('parley_participants 2\n');
  });
});

describe('every answer', () => {
  it('carries the security headers and hides what made it', async () => {
    const { call } = await startApi();
    const { headers } = await call('GET', '/api/v1/rooms');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toBe("default-src 'none';frame-ancestors 'none'");
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('strict-transport-security')).toBeNull();
    expect(headers.get('x-powered-by')).toBeNull();
  });

  it('has an id of its own, or the one that a proxy gave, if it looks like one', async () => {
    const { call } = await startApi();
    const id = async (given?: string) =>
      (await call('GET', '/healthz', given ? { headers: { 'x-request-id': given } } : {})).headers.get('x-request-id');
    expect(await id()).toMatch(/^[0-9a-f-]{36}$/);
    expect(await id('proxy:17')).toBe('proxy:17');
    expect(await id('<script>')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('is logged in one line, changes louder than questions, and never with the token', async () => {
    const { call, logged } = await startApi();
    await call('GET', '/api/v1/rooms/demo');
    await call('PATCH', '/api/v1/rooms/demo', { json: { locked: true } });
    await expect.poll(() => logged.length).toBe(2);
    expect(logged).toMatchObject([
      { level: 20, method: 'GET', path: '/api/v1/rooms/demo', status: 200, remoteAddress: '127.0.0.1', finished: true },
      { level: 30, method: 'PATCH', path: '/api/v1/rooms/demo', status: 200 },
    ]);
    expect(JSON.stringify(logged)).not.toContain('a-token-for-tests');
  });

  it('that nobody waited for is logged without a status, and is not counted', async () => {
    const api = await startApi();
    let goOn = (): void => undefined;
    api.conference.meanwhile = new Promise((resolve) => {
      goOn = resolve;
    });
    const abort = new AbortController();
    const gone = fetch(`http://127.0.0.1:${api.port}/api/v1/rooms/demo/recordings`, {
      ...{ method: 'POST', headers: { authorization: 'Bearer a-token-for-tests' }, signal: abort.signal },
    }).catch(() => undefined);
    await expect.poll(() => api.conference.waiting).toBe(1);
    abort.abort();
    await gone;
    await expect.poll(() => api.logged.length).toBe(1);
    expect(api.logged[0]).toMatchObject({ method: 'POST', status: null, finished: false });
    goOn();
    const metrics = await api.call('GET', '/metrics');
    expect(metrics.text).not.toMatch(/http_requests_total\{method="POST"/);
  });
});

describe('the end of the server', () => {
  it('ends idle connections at once', async () => {
    const { http, port } = await startApi();
    const agent = new Agent({ keepAlive: true });
    expect((await answerOf(port, '/healthz', agent)).headers.connection).toBe('keep-alive');
    await http.close(60_000);
    agent.destroy();
  });

  it('lets an answer under way be finished, and then ends its connection', async () => {
    const { http, port, conference } = await startApi();
    let goOn: () => void = () => {};
    conference.meanwhile = new Promise((resolve) => {
      goOn = resolve;
    });
    const answer = fetch(`http://127.0.0.1:${port}/api/v1/rooms/demo/recordings`, {
      method: 'POST',
      headers: { authorization: 'Bearer a-token-for-tests' },
    });
    await new Promise((resolve) => http.server.once('request', resolve));
    const closed = http.close(60_000);
    goOn();
    expect((await answer).status).toBe(201);
    expect((await answer).headers.get('connection')).toBe('close');
    await closed;
  });

  it('ends what is left when its time is up', async () => {
    const { http, port, conference } = await startApi();
    conference.meanwhile = new Promise(() => {});
    const answer = fetch(`http://127.0.0.1:${port}/api/v1/rooms/demo/recordings`, {
      method: 'POST',
      headers: { authorization: 'Bearer a-token-for-tests' },
    });
    const failed = expect(answer).rejects.toThrow();
    await new Promise((resolve) => http.server.once('request', resolve));
    await http.close(10);
    await failed;
  });

  it('says when its port is taken', async () => {
    const first = await startApi();
    const second = await startApi();
    await second.http.close();
    await expect(second.http.listen(first.port, '127.0.0.1')).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
