import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import * as schemas from '../../server/http/schemas.ts';
import { startApi } from './running-api.ts';

const directory = mkdtempSync(join(tmpdir(), 'parley-http-'));
afterAll(() => rmSync(directory, { recursive: true }));

const content = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 251)).toString('latin1');

async function startWithFile() {
  const api = await startApi();
  mkdirSync(join(directory, '.hidden'), { recursive: true });
  const path = join(directory, '.hidden', 'rec-1.wav');
  writeFileSync(path, content, 'latin1');
  api.conference.file = { path, contentType: 'audio/wav', fileName: 'demo "1".wav' };
  const download = async (headers: Record<string, string>, query = '', method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${api.port}/api/v1/recordings/rec-1/file${query}`, {
      method,
      headers: { authorization: 'Bearer a-token-for-tests', ...headers },
    });
    return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
  };
  return { ...api, path, download };
}

describe('recordings over HTTP', () => {
  it('starts one, finds it where it says, lists it, stops it and removes it', async () => {
    const { call } = await startApi();
    const started = await call('POST', '/api/v1/rooms/demo/recordings');
    expect(started.status).toBe(201);
    expect(schemas.recording.parse(started.json)).toMatchObject({ room: 'demo', state: 'recording' });

    const where = started.headers.get('location')!;
    expect(where).toBe('/api/v1/rooms/demo/recordings/rec-1');
    expect((await call('GET', where)).json).toEqual(started.json);
    expect((await call('GET', '/api/v1/rooms/demo/recordings')).json).toEqual({
      recordings: [started.json],
      nextCursor: null,
    });

    const stopped = await call('PATCH', where, { json: { state: 'stopped' } });
    expect(stopped.status).toBe(200);
    expect(stopped.json).toMatchObject({ state: 'stopped', durationMs: 60_000 });
    expect((await call('DELETE', where)).status).toBe(204);
    expect((await call('GET', where)).json.code).toBe('recording-not-found');
  });

  it('takes an empty object as well as no body', async () => {
    const { call } = await startApi();
    expect((await call('POST', '/api/v1/rooms/demo/recordings', { json: {} })).status).toBe(201);
  });

  it('gives the file under its name', async () => {
    const { download, conference } = await startWithFile();
    const { status, headers, bytes } = await download({});
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('audio/wav');
    expect(headers.get('content-disposition')).toBe('attachment; filename="demo \\"1\\".wav"');
    expect(headers.get('accept-ranges')).toBe('bytes');
    expect(bytes.toString('latin1')).toBe(content);
    expect(conference.filesAskedFor).toEqual([['rec-1', 'wav']]);
  });

  it.each(['wav', 'mp4', 'mka'])('asks for the format %s', async (format) => {
    const { download, conference } = await startWithFile();
    await download({}, `?format=${format}`);
    expect(conference.filesAskedFor).toEqual([['rec-1', format]]);
  });

  it.each([
    ['bytes=0-9', 0, 10],
    ['bytes=990-', 990, 1000],
    ['bytes=-5', 995, 1000],
    ['bytes=900-5000', 900, 1000],
  ])('gives a part for the range %s', async (range, from, to) => {
    const { download } = await startWithFile();
    const { status, headers, bytes } = await download({ range });
    expect(status).toBe(206);
    expect(headers.get('content-range')).toBe(`bytes ${from}-${to - 1}/1000`);
    expect(bytes.toString('latin1')).toBe(content.slice(from, to));
  });

  it('goes on with a download only if the file is the same', async () => {
    const { download } = await startWithFile();
    const etag = (await download({})).headers.get('etag')!;
    const lastModified = (await download({})).headers.get('last-modified')!;
    expect((await download({ range: 'bytes=500-', 'if-range': lastModified })).status).toBe(206);
    expect((await download({ range: 'bytes=500-', 'if-range': '"another"' })).status).toBe(200);
    expect(etag).toBeTruthy();
  });

  it('answers HEAD with the length alone', async () => {
    const { download } = await startWithFile();
    const { status, headers, bytes } = await download({}, '', 'HEAD');
    expect([status, headers.get('content-length'), bytes.length]).toEqual([200, '1000', 0]);
  });

  it('answers 416 with the length when the range lies outside', async () => {
    const { call } = await startWithFile();
    const { status, json, headers } = await call('GET', '/api/v1/recordings/rec-1/file', {
      headers: { range: 'bytes=1000-' },
    });
    expect([status, json.code]).toEqual([416, 'range-not-satisfiable']);
    expect(headers.get('content-range')).toBe('bytes */1000');
    expect(headers.get('content-disposition')).toBeNull();
  });

  it('answers 404 when the file is gone', async () => {
    const { call, path } = await startWithFile();
    rmSync(path);
    const { status, json } = await call('GET', '/api/v1/recordings/rec-1/file');
    expect([status, json.code]).toEqual([404, 'recording-not-found']);
  });
});
