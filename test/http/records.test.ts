import { describe, expect, it } from 'vitest';
import type { CallRecord } from '../../server/records/call-record.ts';
import { capturedIn } from '../diagnosis/read-pcap.ts';
import { aCall, aConference } from '../records/some-records.ts';
import { type RunningApi, startApi, TOKEN } from './running-api.ts';

const BASE_MS = Date.parse('2026-01-02T03:04:05.000Z');

function add({ records }: RunningApi, ...changes: Partial<CallRecord>[]): void {
  records.write(
    changes.map((change, index) => ({
      kind: 'call',
      endedMs: BASE_MS + index * 1000,
      record: aCall(BASE_MS + index * 1000, change),
    })),
  );
}

const tokenFor = ({ parts }: RunningApi, room: string) => {
  const { token } = parts.tokens.add({ name: 'x', scope: 'reader', room, expiresMs: null })!;
  return { headers: { authorization: `Bearer ${token}` } };
};

describe('GET /calls', () => {
  it('is narrowed by room, user and time, and paged', async () => {
    const api = await startApi();
    add(api, { callId: 'a' }, { callId: 'b', room: 'other' }, { callId: 'c', uri: 'sip:anna@example.com' });
    const idsOf = async (query: string) =>
      (await api.call('GET', `/api/v1/calls?${query}`)).json.calls.map(({ callId }: CallRecord) => callId);
    expect(await idsOf('')).toEqual(['a', 'b', 'c']);
    expect(await idsOf('room=DEMO')).toEqual(['a', 'c']);
    expect(await idsOf('user=anna')).toEqual(['c']);
    expect(await idsOf('from=2026-01-02T03:04:06Z&to=2026-01-02T04:04:07%2B01:00')).toEqual(['b']);
    const first = await api.call('GET', '/api/v1/calls?limit=2');
    expect(first.json.calls).toHaveLength(2);
    expect(await idsOf(`limit=2&cursor=${first.json.nextCursor}`)).toEqual(['c']);
  });

  it.each(['from=yesterday', 'format=xml', 'cursor=bm9uc2Vuc2U', 'limit=0', 'what=1'])('refuses ?%s', async (query) => {
    const { status, json } = await (await startApi()).call('GET', `/api/v1/calls?${query}`);
    expect([status, json.code]).toEqual([400, 'invalid-query']);
  });

  it('shows to a token for one room the calls of that room alone', async () => {
    const api = await startApi();
    add(api, { callId: 'mine' }, { callId: 'theirs', room: 'other' });
    for (const [query, seen] of [
      ['', 1],
      ['?room=demo', 1],
      ['?room=other', 0],
    ] as const) {
      const { status, json } = await api.call('GET', `/api/v1/calls${query}`, tokenFor(api, 'demo'));
      expect([status, json.calls.length]).toEqual([200, seen]);
    }
  });

  it('is a table for who wants one, which no spreadsheet runs', async () => {
    const api = await startApi();
    const nasty = {
      displayName: '=HYPERLINK("http://x","y")',
      userAgent: '@SUM(1,2)',
      uri: '+49301',
      reason: '-2+3',
      callId: '\tx',
    };
    add(api, { ...nasty, rooms: ['demo', 'side'] }, {});
    const { status, text, headers } = await api.call('GET', '/api/v1/calls?limit=1', {
      headers: { accept: 'text/csv' },
    });
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
    expect(headers.get('vary')).toMatch(/\baccept\b/i);
    expect(headers.get('content-disposition')).toBe('attachment; filename=calls.csv');
    const [names, row, end] = text.split('\r\n');
    expect(names).toMatch(/^id,conference,room,rooms,participant,/);
    expect(row).toContain(`,"'=HYPERLINK(""http://x"",""y"")",`);
    for (const cell of [`,"'@SUM(1,2)",`, `,'+49301,`, `,'-2+3,`, `,'\tx,`, ',demo side,']) expect(row).toContain(cell);
    expect(end).toBe('');
    const next = /^<([^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];
    const second = await api.call('GET', next!, { headers: { accept: 'text/csv' } });
    expect(second.text.split('\r\n')).toHaveLength(3);
    expect(second.headers.has('link')).toBe(false);
  });

  it('goes by Accept unless the query says', async () => {
    const api = await startApi();
    const typeOf = async (query: string, accept: string) =>
      (await api.call('GET', `/api/v1/calls${query}`, { headers: { accept } })).headers.get('content-type');
    expect(await typeOf('', '*/*')).toMatch(/json/);
    expect(await typeOf('', 'image/png')).toMatch(/json/);
    expect(await typeOf('', 'text/csv, application/json;q=0.5')).toMatch(/csv/);
    expect(await typeOf('?format=json', 'text/csv')).toMatch(/json/);
    expect(await typeOf('?format=csv', '*/*')).toMatch(/csv/);
  });
});

it('GET /conferences has conferences, also as a table', async () => {
  const api = await startApi();
  api.records.write([{ kind: 'conference', endedMs: BASE_MS, record: aConference(BASE_MS) }]);
  const { json } = await api.call('GET', '/api/v1/conferences?room=demo');
  expect(json).toEqual({ conferences: [{ id: '1', ...aConference(BASE_MS) }], nextCursor: null });
  const { text } = await api.call('GET', '/api/v1/conferences?format=csv');
  expect(text).toMatch(/^id,conference,room,startedAt,.*\r\n1,conf,demo,.*,r1 r2\r\n$/);
});

describe('diagnosis and trace', () => {
  it('know nothing of others', async () => {
    const api = await startApi();
    for (const path of [
      'demo/participants/x/diagnosis',
      'other/participants/ben/trace',
      'demo/participants/x/trace?format=pcap',
    ]) {
      const { status, json } = await api.call('GET', `/api/v1/rooms/${path}`);
      expect([path, status, json.code]).toEqual([path, 404, 'participant-not-found']);
    }
  });

  it('a capture is a file', async () => {
    const api = await startApi();
    const path = '/api/v1/rooms/demo/participants/ben/trace';
    const { headers, text } = await api.call('GET', path, { headers: { accept: 'application/vnd.tcpdump.pcap' } });
    expect(headers.get('content-type')).toBe('application/vnd.tcpdump.pcap');
    expect(headers.get('content-disposition')).toBe('attachment; filename=ben.pcap');
    expect(text.length).toBeGreaterThan(20);
    const response = await fetch(`http://127.0.0.1:${api.port}${path}?format=pcap`, tokenFor(api, 'demo'));
    expect(response.status).toBe(403);
    const file = await fetchPcap(api, path);
    expect(capturedIn(Buffer.from(await file.arrayBuffer()))).toEqual([]);
  });
});

function fetchPcap({ port }: RunningApi, path: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}${path}?format=pcap`, { headers: { authorization: `Bearer ${TOKEN}` } });
}
