import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallQuery, RecordQuery } from '../../server/records/call-record.ts';
import { recordAddress } from '../../server/records/record-address.ts';
import { type RecordStore, RecordWriter, type WaitingRecord } from '../../server/records/record-writer.ts';
import { Database } from '../../server/store/database.ts';
import { RecordTable } from '../../server/store/record-table.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';
import { aCall, aConference } from './some-records.ts';

const ALL: CallQuery = { room: null, user: null, fromMs: null, toMs: null, after: null, limit: 100 };
const EVERY: RecordQuery = { room: null, fromMs: null, toMs: null, after: null, limit: 100 };
const DAY_MS = 86_400_000;

const call = (endedMs: number, changes = {}): WaitingRecord => ({
  kind: 'call',
  endedMs,
  record: aCall(endedMs, changes),
});

let directory: string;
let database: Database;
let table: RecordTable;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'parley-records-'));
  database = new Database(directory);
  table = new RecordTable(database);
});
afterEach(() => {
  database.close();
  rmSync(directory, { recursive: true, force: true });
});

const callIds = (query: Partial<CallQuery> = {}) => table.calls({ ...ALL, ...query }).items.map(({ callId }) => callId);

describe('the table of records', () => {
  it('gives back what was written, by room, user and time, in the order of the ends', () => {
    table.write([
      call(3000, { callId: 'c3', room: 'b', uri: 'sip:Alice@EXAMPLE.com:5070;transport=tcp' }),
      call(1000, { callId: 'c1', room: 'a', uri: 'sip:alice@example.com' }),
      call(2000, { callId: 'c2', room: 'a', uri: 'tel:+4930123' }),
      { kind: 'conference', endedMs: 2500, record: aConference(2500, { room: 'a' }) },
    ]);
    expect(callIds()).toEqual(['c1', 'c2', 'c3']);
    expect(table.calls({ ...ALL, limit: 1 }).items[0]).toEqual({
      id: '2',
      ...aCall(1000, { callId: 'c1', room: 'a', uri: 'sip:alice@example.com' }),
    });
    expect(callIds({ room: 'a' })).toEqual(['c1', 'c2']);
    expect(callIds({ user: 'alice' })).toEqual(['c1']);
    expect(callIds({ user: 'Alice@example.com' })).toEqual(['c3']);
    expect(callIds({ user: 'sip:alice@example.org' })).toEqual([]);
    expect(callIds({ user: '+4930123' })).toEqual(['c2']);
    expect(callIds({ fromMs: 2000 })).toEqual(['c2', 'c3']);
    expect(callIds({ fromMs: 1000, toMs: 3000 })).toEqual(['c1', 'c2']);
    expect(callIds({ user: "' OR 1=1 --" })).toEqual([]);
    expect(table.conferences({ ...EVERY, room: 'a' }).items).toEqual([
      { id: '1', ...aConference(2500, { room: 'a' }) },
    ]);
    expect(table.conferences({ ...EVERY, room: 'b' }).items).toEqual([]);
  });

  it('is read in pages, also where several ended at the same time and others are added meanwhile', () => {
    table.write(Array.from({ length: 25 }, (_, index) => call(1000 + Math.floor(index / 10), { callId: `c${index}` })));
    const seen: string[] = [];
    let after: CallQuery['after'] = null;
    do {
      const page = table.calls({ ...ALL, after, limit: 7 });
      seen.push(...page.items.map(({ callId }) => callId));
      after = page.next;
      if (seen.length === 7) table.write([call(5000, { callId: 'late' }), call(1, { callId: 'early' })]);
    } while (after !== null);
    expect(seen).toEqual([...Array.from({ length: 25 }, (_, index) => `c${index}`), 'late']);
  });

  it('removes what is old in steps', () => {
    table.write(Array.from({ length: 25 }, (_, index) => call(index, { callId: `c${index}` })));
    table.write([{ kind: 'conference', endedMs: 3, record: aConference(3) }]);
    expect(table.removeOld(20, 8)).toBe(9);
    expect(callIds()[0]).toBe('c8');
    expect([table.removeOld(20, 8), table.removeOld(20, 8), table.removeOld(20, 8)]).toEqual([8, 4, 0]);
    expect(callIds()).toEqual(['c20', 'c21', 'c22', 'c23', 'c24']);
    expect(table.conferences(EVERY).items).toEqual([]);
  });

  it('finds by index what is asked for', () => {
    const plan = (where: string) =>
      database.all<{ detail: string }>(
        `EXPLAIN QUERY PLAN SELECT * FROM calls WHERE ${where} ORDER BY ended_ms, id LIMIT 9`,
      );
    for (const where of ['ended_ms >= 1', "room = 'a'", "user = 'a' AND address = 'a@b'", '(ended_ms, id) > (1, 2)']) {
      const details = plan(where).map(({ detail }) => detail);
      expect([where, ...details].join(' ')).toMatch(/USING INDEX calls_by_/);
      expect([where, ...details].join(' ')).not.toMatch(/TEMP B-TREE/);
    }
  });
});

describe('whoever a record is found by', () => {
  it.each([
    ['sip:alice@Example.com', { user: 'alice', address: 'alice@example.com' }],
    ['sips:alice;x=y:secret@example.com:5061;transport=tcp?a=b', { user: 'alice', address: 'alice@example.com' }],
    ['tel:+49-30', { user: '+49-30', address: null }],
    ['alice', { user: 'alice', address: null }],
    ['sip:a%20b@[2001:DB8::1]:5060', { user: 'a b', address: 'a b@[2001:db8::1]' }],
    ['sip:%zz@h', { user: '%zz', address: '%zz@h' }],
    ['', { user: '', address: null }],
  ])('%s', (text, expected) => expect(recordAddress(text)).toEqual(expected));
});

describe('writing behind', () => {
  let timers: VirtualTimers;
  let written: WaitingRecord[][];
  let removals: [number, number][];
  let fails: boolean;
  let toRemove: number;
  let writer: RecordWriter;

  const start = (days = 90) => {
    timers = new VirtualTimers();
    written = [];
    removals = [];
    fails = false;
    toRemove = 0;
    const store: RecordStore = {
      write(records) {
        if (fails) throw new Error('disk full');
        written.push([...records]);
      },
      removeOld(beforeMs, limit) {
        if (fails) throw new Error('disk full');
        removals.push([beforeMs, limit]);
        const removed = Math.min(limit, toRemove);
        toRemove -= removed;
        return removed;
      },
    };
    const log = pino({ level: 'silent' });
    writer = new RecordWriter({ store, timers, log, epochMs: () => 1000 * DAY_MS, days });
  };
  beforeEach(() => start());

  it('is not done while the call ends, but soon, and for many at once in small steps', () => {
    for (let index = 0; index < 450; index++) writer.add(call(index));
    expect(written).toEqual([]);
    timers.advance(900);
    expect(written.map((batch) => batch.length)).toEqual([200]);
    // A crash loses less than what ended in the last second.
    timers.advance(40);
    expect(written.map((batch) => batch.length)).toEqual([200, 200, 50]);
    expect(written.flat().map(({ endedMs }) => endedMs)).toEqual(Array.from({ length: 450 }, (_, index) => index));
    timers.advance(10_000);
    expect(written).toHaveLength(3);
  });

  it('waits for a disk that is full, and keeps no more than 20000 meanwhile', () => {
    fails = true;
    for (let index = 0; index < 20_150; index++) writer.add(call(index));
    timers.advance(30_000);
    fails = false;
    timers.advance(30_000);
    const ends = written.flat().map(({ endedMs }) => endedMs);
    expect([ends.length, ends[0], ends.at(-1)]).toEqual([19_950, 200, 20_149]);
  });

  it('removes what is older than the configured days: a little each minute, more often when there is more', () => {
    toRemove = 250;
    timers.advance(60_000);
    expect(removals).toEqual([[910 * DAY_MS, 100]]);
    timers.advance(40);
    expect(removals).toHaveLength(3);
    timers.advance(59_000);
    expect(removals).toHaveLength(3);
    fails = true;
    timers.advance(120_000);
    fails = false;
    timers.advance(60_000);
    expect(removals.length).toBeGreaterThan(3);
  });

  it('keeps nothing with 0 days, and removes what was kept before', () => {
    start(0);
    writer.add(call(1));
    timers.advance(60_000);
    expect(written).toEqual([]);
    expect(removals[0]).toEqual([1000 * DAY_MS, 100]);
  });

  it('writes a last time at the end, and leaves no timer', () => {
    for (let index = 0; index < 150; index++) writer.add(call(index));
    writer.close();
    expect(written.flat()).toHaveLength(150);
    expect(timers.pending).toBe(0);
  });
});
