import type { IdempotencyStore, KeptReply } from '../http/idempotency.ts';
import type { Database } from './database.ts';

const MAX_REPLIES = 10_000;

interface ReplyRow {
  fingerprint: string;
  reply: string;
}

/** What POSTs with an `Idempotency-Key` were answered, in the database. */
export class IdempotencyTable implements IdempotencyStore {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  get(owner: string, key: string, sinceMs: number): KeptReply | null {
    const sql = 'SELECT fingerprint, reply FROM idempotent_replies WHERE owner = ? AND key = ? AND kept_ms >= ?';
    const [row] = this.database.all<ReplyRow>(sql, owner, key, sinceMs);
    return row ? { fingerprint: row.fingerprint, reply: JSON.parse(row.reply) as KeptReply['reply'] } : null;
  }

  put(owner: string, key: string, { fingerprint, reply }: KeptReply, keptMs: number, sinceMs: number): void {
    const { database } = this;
    database.transaction(() => {
      database.run('DELETE FROM idempotent_replies WHERE kept_ms < ?', sinceMs);
      database.run(
        'INSERT OR REPLACE INTO idempotent_replies (owner, key, fingerprint, reply, kept_ms) VALUES (?, ?, ?, ?, ?)',
        ...[owner, key, fingerprint, JSON.stringify(reply), keptMs],
      );
      database.run(
        `DELETE FROM idempotent_replies WHERE id <=
          (SELECT id FROM idempotent_replies ORDER BY id DESC LIMIT 1 OFFSET ${MAX_REPLIES})`,
      );
    });
  }
}
