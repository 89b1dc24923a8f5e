import type {
  CallQuery,
  CallRecord,
  ConferenceRecord,
  RecordPage,
  RecordQuery,
  StoredCall,
  StoredConference,
} from '../records/call-record.ts';
import { recordAddress } from '../records/record-address.ts';
import type { RecordStore, WaitingRecord } from '../records/record-writer.ts';
import type { Database, SqlValue } from './database.ts';

/** Whatever the age: who is called in vain all day must not fill the disk. About 1 GB. */
const MOST_CALLS = 1_000_000;

interface RecordRow {
  id: number;
  ended_ms: number;
  record: string;
}

type Table = 'calls' | 'conferences';

/** Records of calls and conferences in the database. */
export class RecordTable implements RecordStore {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  write(records: readonly WaitingRecord[]): void {
    this.database.transaction(() => {
      for (const waiting of records) {
        if (waiting.kind === 'call') this.putCall(waiting.record, waiting.endedMs);
        else this.putConference(waiting.record, waiting.endedMs);
      }
    });
  }

  removeOld(beforeMs: number, limit: number): number {
    const surplus = this.surplus(limit);
    return (
      (surplus > 0 ? this.removeOldest(surplus) : this.removeBefore('calls', beforeMs, limit)) +
      this.removeBefore('conferences', beforeMs, limit)
    );
  }

  calls({ user, ...query }: CallQuery): RecordPage<StoredCall> {
    const wanted: [string, SqlValue][] = [];
    if (user !== null) {
      const named = recordAddress(user);
      wanted.push(['user = ?', named.user]);
      if (named.address !== null) wanted.push(['address = ?', named.address]);
    }
    return this.page<StoredCall>('calls', query, wanted);
  }

  conferences(query: RecordQuery): RecordPage<StoredConference> {
    return this.page<StoredConference>('conferences', query, []);
  }

  private putCall(record: CallRecord, endedMs: number): void {
    const { user, address } = recordAddress(record.uri);
    this.database.run(
      'INSERT INTO calls (ended_ms, room, user, address, record) VALUES (?, ?, ?, ?, ?)',
      ...[endedMs, record.room, user, address, JSON.stringify(record)],
    );
  }

  private putConference(record: ConferenceRecord, endedMs: number): void {
    const sql = 'INSERT INTO conferences (ended_ms, room, record) VALUES (?, ?, ?)';
    this.database.run(sql, endedMs, record.room, JSON.stringify(record));
  }

  private page<Item>(table: Table, query: RecordQuery, wanted: [string, SqlValue][]): RecordPage<Item> {
    const { room, fromMs, toMs, after, limit } = query;
    const terms: [string, ...SqlValue[]][] = [...wanted];
    if (room !== null) terms.push(['room = ?', room]);
    if (fromMs !== null) terms.push(['ended_ms >= ?', fromMs]);
    if (toMs !== null) terms.push(['ended_ms < ?', toMs]);
    if (after !== null) terms.push(['(ended_ms, id) > (?, ?)', after.endedMs, after.id]);
    const where = terms.length === 0 ? '' : `WHERE ${terms.map(([term]) => term).join(' AND ')}`;
    const sql = `SELECT id, ended_ms, record FROM ${table} ${where} ORDER BY ended_ms, id LIMIT ?`;
    const rows = this.database.all<RecordRow>(sql, ...terms.flatMap(([, ...values]) => values), limit + 1);
    const shown = rows.slice(0, limit);
    const last = rows.length > limit ? shown.at(-1) : undefined;
    return {
      items: shown.map(({ id, record }) => ({ id: String(id), ...(JSON.parse(record) as object) }) as Item),
      next: last ? { endedMs: last.ended_ms, id: last.id } : null,
    };
  }

  private removeBefore(table: Table, beforeMs: number, limit: number): number {
    const sql = `DELETE FROM ${table} WHERE id IN
      (SELECT id FROM ${table} WHERE ended_ms < ? ORDER BY ended_ms LIMIT ?) RETURNING id`;
    return this.database.all(sql, beforeMs, limit).length;
  }

  /** By the numbers, as counting a million rows would take long. */
  private surplus(limit: number): number {
    const [row] = this.database.all<{ first: number | null; last: number | null }>(
      'SELECT (SELECT min(id) FROM calls) AS first, (SELECT max(id) FROM calls) AS last',
    );
    return Math.min(limit, Math.max(0, (row?.last ?? 0) - (row?.first ?? 1) + 1 - MOST_CALLS));
  }

  private removeOldest(count: number): number {
    const sql = 'DELETE FROM calls WHERE id IN (SELECT id FROM calls ORDER BY id LIMIT ?) RETURNING id';
    return this.database.all(sql, count).length;
  }
}
