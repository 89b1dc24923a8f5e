import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Sealer } from '../../sealed/sealer.ts';
import * as recordingSchemas from '../../server/http/recording-schemas.ts';
import { RECORDING_FORMATS } from '../../server/rooms/views.ts';
import { someFile, someRecording } from '../rooms/some-recording.ts';
import { startApi } from './running-api.ts';

const directory = mkdtempSync(join(tmpdir(), 'parley-http-'));
afterAll(() => rmSync(directory, { recursive: true }));

const content = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 251)).toString('latin1');

const SHA256 = createHash('sha256').update(Buffer.from(content, 'latin1')).digest('hex');

/** With one that has ended. */
async function startWithRecording(epochMs?: () => number) {
  const api = await startApi({}, {}, [], epochMs);
  await api.conference.startRecording('demo', {});
  await api.conference.updateRecording('demo', 'rec-1', 'stopped');
  return api;
}

async function startWithFile(epochMs?: () => number) {
  const api = await startWithRecording(epochMs);
  mkdirSync(join(directory, '.hidden'), { recursive: true });
  const path = join(directory, '.hidden', 'rec-1.wav');
  writeFileSync(path, content, 'latin1');
  api.conference.file = { path, contentType: 'audio/wav', fileName: 'demo "1".wav', sha256: SHA256 };
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
    expect(recordingSchemas.recording.parse(started.json)).toMatchObject({ room: 'demo', state: 'recording' });

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

  it('pauses, goes on, and marks what runs', async () => {
    const { call } = await startApi();
    const started = await call('POST', '/api/v1/rooms/demo/recordings', { json: { tracks: true, announced: false } });
    expect(started.json).toMatchObject({ tracks: true, files: [], participants: [] });
    const where = started.headers.get('location')!;
    expect((await call('PATCH', where, { json: { state: 'paused' } })).json.state).toBe('paused');
    expect((await call('PATCH', where, { json: { state: 'recording' } })).json.state).toBe('recording');
    const mark = await call('POST', `${where}/marks`, { json: { text: 'a decision' } });
    expect([mark.status, mark.headers.get('location')]).toEqual([200, null]);
    expect(recordingSchemas.recordingMark.parse(mark.json)).toEqual({
      ...{ text: 'a decision', positionMs: 1234, at: '2026-01-02T03:04:06.912Z' },
    });
    for (const text of ['', 'x'.repeat(201)]) {
      expect((await call('POST', `${where}/marks`, { json: { text } })).json.code).toBe('invalid-body');
    }
    await call('PATCH', where, { json: { state: 'stopped' } });
    for (const state of ['paused', 'recording', 'stopped']) {
      expect((await call('PATCH', where, { json: { state } })).json.code).toBe('recording-not-running');
    }
    expect((await call('POST', `${where}/marks`, { json: { text: 'late' } })).json.code).toBe('recording-not-running');
    expect((await call('PATCH', where, { json: { state: 'failed' } })).json.code).toBe('invalid-body');
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
    expect(headers.get('repr-digest')).toBe(`sha-256=:${Buffer.from(SHA256, 'hex').toString('base64')}:`);
    expect(bytes.toString('latin1')).toBe(content);
    expect(conference.filesAskedFor).toEqual([['rec-1', 'wav']]);
  });

  it.each(RECORDING_FORMATS)('asks for the format %s', async (format) => {
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
    expect([headers.get('content-disposition'), headers.get('repr-digest')]).toEqual([null, null]);
  });

  it('gives what is in an encrypted file, ranges too', async () => {
    const { download, conference, call } = await startWithFile();
    const key = Buffer.alloc(32, 7);
    const sealer = new Sealer(key, 'fixed');
    const path = join(directory, 'rec-1.wav.sealed');
    const plain = Buffer.from(content, 'latin1');
    writeFileSync(path, Buffer.concat([sealer.seal(plain), sealer.finish()]));
    const about = { contentType: 'audio/wav', fileName: 'demo.wav', sha256: SHA256 };
    conference.file = { path, ...about, sealed: { key, bytes: 1000 } };
    const all = await download({});
    expect([all.status, all.headers.get('content-length'), all.bytes.equals(plain)]).toEqual([200, '1000', true]);
    const etag = all.headers.get('etag')!;
    const part = await download({ range: 'bytes=900-5000', 'if-range': etag });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 900-999/1000']);
    expect(part.bytes.equals(plain.subarray(900))).toBe(true);
    expect((await download({ range: 'bytes=-5' })).bytes.equals(plain.subarray(995))).toBe(true);
    expect((await download({ range: 'bytes=900-', 'if-range': '"another"' })).status).toBe(200);
    const head = await download({}, '', 'HEAD');
    expect([head.status, head.headers.get('content-length'), head.bytes.length]).toEqual([200, '1000', 0]);
    const outside = await call('GET', '/api/v1/recordings/rec-1/file', { headers: { range: 'bytes=1000-' } });
    expect([outside.status, outside.json.code]).toEqual([416, 'range-not-satisfiable']);
    expect(outside.headers.get('content-range')).toBe('bytes */1000');
    rmSync(path);
    expect((await call('GET', '/api/v1/recordings/rec-1/file')).json.code).toBe('recording-not-found');
  });

  it('answers 404 when the file is gone', async () => {
    const { call, path } = await startWithFile();
    rmSync(path);
    const { status, json } = await call('GET', '/api/v1/recordings/rec-1/file');
    expect([status, json.code]).toEqual([404, 'recording-not-found']);
  });
});

describe('files that are not there yet', () => {
  it('are waited for, in the loudness that is asked for', async () => {
    const { download, conference } = await startWithFile();
    expect((await download({}, '?format=mp3&normalized=true')).status).toBe(200);
    expect((await download({}, '?format=mp3&normalized=false&wait=true')).status).toBe(200);
    expect(conference.filesAskedFor).toEqual([
      ['rec-1', 'mp3', 'normalized'],
      ['rec-1', 'mp3'],
    ]);
    expect(conference.filesWanted).toEqual([]);
  });

  it('are told how far they are to those who do not wait', async () => {
    const { call, conference } = await startWithFile();
    conference.making = someFile({ format: 'mp3', state: 'working', progress: 0.5, bytes: null, sha256: null });
    const path = '/api/v1/recordings/rec-1/file?format=mp3&wait=false';
    const answer = await call('GET', path);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([202, '2']);
    expect(recordingSchemas.recordingFile.parse(answer.json)).toEqual(conference.making);
    expect(conference.filesWanted).toEqual([['rec-1', 'mp3', false, false]]);
    expect(conference.filesAskedFor).toEqual([]);
    conference.making = null;
    expect((await call('GET', path)).status).toBe(200);
  });

  it('are made in the background for who asks for that, also where that had failed', async () => {
    const { call, conference } = await startWithRecording();
    conference.making = someFile({ format: 'zip', state: 'queued', progress: 0 });
    const path = '/api/v1/recordings/rec-1/files';
    const answer = await call('POST', path, { json: { format: 'zip' } });
    expect([answer.status, answer.json]).toEqual([202, conference.making]);
    await call('POST', path, { json: { format: 'ogg', normalized: true } });
    expect(conference.filesWanted).toEqual([
      ['rec-1', 'zip', false, true],
      ['rec-1', 'ogg', true, true],
    ]);
  });
});

describe('links to files', () => {
  const NOW_MS = Date.parse('2026-02-03T04:05:06.789Z');
  const linkTo = async (api: Awaited<ReturnType<typeof startWithFile>>, json: object): Promise<string> => {
    const answer = await api.call('POST', '/api/v1/recordings/rec-1/links', { json });
    expect(answer.status).toBe(200);
    return recordingSchemas.recordingLink.parse(answer.json).url;
  };

  it('need no token, and do all that a download does', async () => {
    const api = await startWithFile(() => NOW_MS);
    const answer = await api.call('POST', '/api/v1/recordings/rec-1/links', {
      json: { format: 'mp3', normalized: true, expiresInSeconds: 60 },
    });
    expect(answer.json.expiresAt).toBe('2026-02-03T04:06:06.000Z');
    const url = `http://127.0.0.1:${api.port}${answer.json.url}`;
    const all = await fetch(url);
    expect([all.status, all.headers.get('content-type')]).toEqual([200, 'audio/wav']);
    expect(Buffer.from(await all.arrayBuffer()).toString('latin1')).toBe(content);
    const part = await fetch(url, { headers: { range: 'bytes=10-19' } });
    expect([part.status, await part.text()]).toEqual([206, content.slice(10, 20)]);
    const head = await fetch(url, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '1000']);
    api.conference.making = someFile({ state: 'working', progress: 0.5 });
    expect((await fetch(`${url}&wait=false`)).status).toBe(202);
    expect(api.conference.filesAskedFor).toEqual(Array.from({ length: 3 }, () => ['rec-1', 'mp3', 'normalized']));
    expect(JSON.stringify(api.logged)).not.toContain('signature');
  });

  it('are good until they expire', async () => {
    let nowMs = NOW_MS;
    const api = await startWithFile(() => nowMs);
    const url = `http://127.0.0.1:${api.port}${await linkTo(api, { format: 'wav', expiresInSeconds: 60 })}`;
    nowMs = Date.parse('2026-02-03T04:06:05.999Z');
    expect((await fetch(url)).status).toBe(200);
    nowMs = Date.parse('2026-02-03T04:06:06.000Z');
    const late = await fetch(url);
    expect([late.status, JSON.parse(await late.text()).code]).toEqual([403, 'link-invalid']);
  });

  it('lead to nothing else', async () => {
    const api = await startWithFile(() => NOW_MS);
    const good = await linkTo(api, { format: 'mp3' });
    await api.conference.startRecording('demo', {});
    await api.conference.updateRecording('demo', 'rec-2', 'stopped');
    const signature = /signature=([^&]+)/.exec(good)![1]!;
    const tampered = [
      good.replace('format=mp3', 'format=wav'),
      good.replace('format=mp3', 'format=mp3&format=wav'),
      good.replace('normalized=false', 'normalized=true'),
      good.replace(/expires=\d+/, 'expires=9999999999'),
      good.replace(/expires=\d+/, 'expires=never'),
      good.replace(/&expires=\d+/, ''),
      good.replace(`&signature=${signature}`, ''),
      good.replace(signature, signature.slice(1)),
      good.replace(signature, ''),
      good.replace('rec-1', 'rec-2'),
      good.replace('rec-1', 'nothing'),
    ];
    for (const path of tampered) {
      const answer = await fetch(`http://127.0.0.1:${api.port}${path}`);
      expect([path, answer.status, JSON.parse(await answer.text()).code]).toEqual([path, 403, 'link-invalid']);
      // A token does not make it good, either.
      expect([path, (await api.call('GET', path)).status]).toEqual([path, 403]);
    }
    for (const [method, path] of [
      ['DELETE', good],
      ['GET', good.replace('/file', '')],
      ['POST', good.replace('/file', '/links')],
      ['GET', good.replace('/recordings/rec-1/file', '/rooms')],
    ] as const) {
      const answer = await fetch(`http://127.0.0.1:${api.port}${path}`, { method });
      expect([path, answer.status]).toEqual([path, 401]);
    }
    expect(api.conference.filesAskedFor).toEqual([]);
  });

  it('are made of what has ended', async () => {
    const api = await startApi();
    await api.conference.startRecording('demo', {});
    const ask = (id: string) => api.call('POST', `/api/v1/recordings/${id}/links`, { json: { format: 'wav' } });
    expect((await ask('rec-1')).json.code).toBe('recording-running');
    expect((await ask('rec-2')).json.code).toBe('recording-not-found');
  });
});

describe('recordings of all rooms', () => {
  async function startWithMany() {
    const api = await startApi();
    const of = (id: string, room: string, day: number, participants: string[]) =>
      someRecording(id, {
        ...{ room, participants, state: 'stopped', startedAt: `2026-01-0${day}T12:00:00.000Z` },
        stoppedAt: `2026-01-0${day}T13:00:00.000Z`,
      });
    api.conference.room('demo').recordings.push(of('b', 'demo', 2, ['Ann Lee', 'Zoë']), of('c', 'demo', 3, []));
    api.conference.closed.set('board', [
      of('a', 'board', 1, ['Ann Lee']),
      of('d', 'board', 4, ['sip:bob@example.com']),
    ]);
    const ids = async (query: string, token?: string): Promise<string[]> => {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const { json } = await api.call('GET', `/api/v1/recordings${query}`, { headers });
      return recordingSchemas.recordingList.parse(json).recordings.map(({ id }) => id);
    };
    const tokenOf = (room: string) =>
      api.parts.tokens.add({ name: 'x', scope: 'moderator', room, expiresMs: null })!.token;
    return { ...api, ids, tokenOf };
  }

  it('are listed, oldest first, by pages', async () => {
    const { ids, call } = await startWithMany();
    expect(await ids('')).toEqual(['a', 'b', 'c', 'd']);
    const { json } = await call('GET', '/api/v1/recordings?limit=3');
    expect(json.recordings).toHaveLength(3);
    expect(await ids(`?cursor=${json.nextCursor}`)).toEqual(['d']);
  });

  it.each([
    ['?q=ann', ['a', 'b']],
    ['?q=ANN%20board', ['a']],
    ['?q=zo%C3%8B', ['b']],
    ['?q=bob', ['d']],
    ['?q=nobody', []],
    ['?room=board', ['a', 'd']],
    ['?participant=lee', ['a', 'b']],
    ['?participant=board', []],
    ['?state=stopped&room=demo', ['b', 'c']],
    ['?state=failed', []],
    ['?from=2026-01-02T12:00:00Z', ['b', 'c', 'd']],
    ['?to=2026-01-02T12:00:00Z', ['a']],
    ['?from=2026-01-02T13:00:00%2B01:00&to=2026-01-03T12:00:00.001Z', ['b', 'c']],
  ])('are found by %s', async (query, expected) => {
    expect(await (await startWithMany()).ids(query)).toEqual(expected);
  });

  it('are those of its room to a token for one, open or closed', async () => {
    const { ids, tokenOf, call } = await startWithMany();
    expect(await ids('', tokenOf('demo'))).toEqual(['b', 'c']);
    expect(await ids('?q=ann', tokenOf('board'))).toEqual(['a']);
    expect(await ids('?room=demo', tokenOf('board'))).toEqual([]);
    const headers = { authorization: `Bearer ${tokenOf('board')}` };
    expect((await call('GET', '/api/v1/recordings/a', { headers })).json).toMatchObject({ id: 'a', room: 'board' });
    for (const [method, path, json] of [
      ['GET', '', undefined],
      ['DELETE', '', undefined],
      ['GET', '/file', undefined],
      ['GET', '/file?wait=false', undefined],
      ['POST', '/files', { format: 'wav' }],
      ['POST', '/links', { format: 'wav' }],
    ] as const) {
      const answer = await call(method, `/api/v1/recordings/b${path}`, { headers, json });
      expect([method, path, answer.status, answer.json.code]).toEqual([method, path, 404, 'recording-not-found']);
    }
    expect((await call('DELETE', '/api/v1/recordings/a', { headers })).status).toBe(204);
    expect(await ids('')).toEqual(['b', 'c', 'd']);
  });
});
