import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApi } from './running-api.ts';

const PAGE = '<!doctype html><title>Parley</title>';
let directory = '';

beforeAll(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'parley-console-')), '.console');
  mkdirSync(join(directory, 'assets'), { recursive: true });
  writeFileSync(join(directory, 'index.html'), PAGE);
  writeFileSync(join(directory, '.built-from'), 'x');
  writeFileSync(join(directory, 'assets/index-abc.js'), 'export {};');
});

afterAll(() => rmSync(join(directory, '..'), { recursive: true }));

const start = () => startApi({}, { consoleDirectory: directory });

describe("the console's pages", () => {
  test.each(['/', '/rooms/demo', '/rooms/a+b.c', '/recordings'])(
    '%s is the page, without a token, and asked for anew each time',
    async (path) => {
      const { call } = await start();
      const { status, text, headers } = await call('GET', path, { headers: { authorization: '' } });
      expect([status, text, headers.get('content-type')]).toEqual([200, PAGE, 'text/html; charset=utf-8']);
      expect(headers.get('cache-control')).toBe('no-cache');
      const again = await call('GET', path, {
        headers: { 'if-none-match': headers.get('etag')!, 'cache-control': 'max-age=0' },
      });
      expect([again.status, again.text]).toEqual([304, '']);
    },
  );

  test('its policy allows its own script and this server, and nothing inline', async () => {
    const { call } = await start();
    const policy = (await call('GET', '/')).headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    const api = (await call('GET', '/api/v1/rooms')).headers.get('content-security-policy');
    expect(api).toBe("default-src 'none';frame-ancestors 'none'");
  });

  test('files may be kept for good', async () => {
    const { call } = await start();
    const { status, headers } = await call('GET', '/assets/index-abc.js');
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(headers.get('content-type')).toContain('javascript');
    expect(headers.get('etag')).not.toBeNull();
  });

  test('everything else is not there, as before', async () => {
    const { call } = await start();
    const paths = [
      '/rooms',
      '/rooms/a/b',
      '/Rooms/a',
      '/index.html',
      '/.built-from',
      '/assets',
      '/assets/',
      '/assets/none.js',
    ];
    for (const path of [...paths, '/assets/..%2f.built-from', '/assets/%2e%2e/.built-from', '/favicon.ico']) {
      const { status, json } = await call('GET', path);
      expect([path, status, json.code]).toEqual([path, 404, 'not-found']);
    }
  });

  test('can be read and nothing else', async () => {
    const { call } = await start();
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const { status, json, headers } = await call(method, '/rooms/demo');
      expect([status, json.code, headers.get('allow')]).toEqual([405, 'method-not-allowed', 'GET, HEAD']);
    }
    expect((await call('POST', '/assets/index-abc.js')).status).toBe(404);
  });

  test('are not there where the console was not built', async () => {
    const { call } = await startApi();
    expect((await call('GET', '/')).json.code).toBe('not-found');
  });
});
