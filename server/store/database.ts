import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Libsql from 'libsql';
import { MIGRATIONS } from './migrations.ts';

export type SqlValue = string | number | null;

/** The one SQLite database, `parley.db` in the data directory. All calls are synchronous. */
export class Database {
  private readonly connection: Libsql.Database;
  private readonly statements = new Map<string, Libsql.Statement>();

  /** Makes the database when it is not there, and its tables. Throws when it cannot be used. */
  constructor(dataDir: string) {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const path = join(dataDir, 'parley.db');
    this.connection = new Libsql(path);
    // SQLite gives its other files (-wal, -shm) the same rights.
    chmodSync(path, 0o600);
    this.connection.pragma('journal_mode = WAL');
    // Whole after a crash of ours or a power cut; the last moments before a power cut may be missing.
    this.connection.pragma('synchronous = NORMAL');
    this.connection.pragma('foreign_keys = ON');
    this.migrate();
  }

  run(sql: string, ...values: SqlValue[]): void {
    this.statement(sql).run(...values);
  }

  /** Rows with the columns by name. What columns there are is for the caller to know. */
  all<Row>(sql: string, ...values: SqlValue[]): Row[] {
    return this.statement(sql).all(...values) as Row[];
  }

  /** All of it or, when `work` throws, nothing. */
  transaction(work: () => void): void {
    this.connection.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.connection.exec('COMMIT');
    } catch (error) {
      // SQLite gives up some by itself, as on a full disk: another ROLLBACK would fail, and hide why.
      if (this.connection.inTransaction) this.connection.exec('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    this.statements.clear();
    this.connection.close();
  }

  private statement(sql: string): Libsql.Statement {
    const known = this.statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.connection.prepare(sql);
    this.statements.set(sql, statement);
    return statement;
  }

  private migrate(): void {
    const [row] = this.all<{ user_version: number }>('PRAGMA user_version');
    const version = row?.user_version ?? 0;
    if (version > MIGRATIONS.length) {
      throw new Error(`the database is of a newer Parley (version ${version}; this one knows ${MIGRATIONS.length})`);
    }
    for (let step = version; step < MIGRATIONS.length; step++) {
      this.transaction(() => {
        this.connection.exec(MIGRATIONS[step]!);
        this.connection.exec(`PRAGMA user_version = ${step + 1}`);
      });
    }
  }
}
