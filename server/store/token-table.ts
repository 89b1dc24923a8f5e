import type { Scope } from '../http/access.ts';
import type { StoredToken, TokenStore } from '../http/access-tokens.ts';
import type { Database } from './database.ts';

interface TokenRow {
  id: string;
  name: string;
  scope: string;
  room: string | null;
  digest: string;
  created_ms: number;
  expires_ms: number | null;
}

/** Tokens in the database, of which it has digests alone. */
export class TokenTable implements TokenStore {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  all(): StoredToken[] {
    return this.database.all<TokenRow>('SELECT * FROM tokens ORDER BY created_ms, id').map(tokenOf);
  }

  put({ id, name, scope, room, digest, createdMs, expiresMs }: StoredToken): void {
    const sql =
      'INSERT INTO tokens (id, name, scope, room, digest, created_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?)';
    this.database.run(sql, id, name, scope, room, digest, createdMs, expiresMs);
  }

  delete(id: string): void {
    this.database.run('DELETE FROM tokens WHERE id = ?', id);
  }
}

function tokenOf(row: TokenRow): StoredToken {
  const { id, name, room, digest, created_ms: createdMs, expires_ms: expiresMs } = row;
  return { id, name, scope: row.scope as Scope, room, digest, createdMs, expiresMs };
}
