import type { StoredUser, UserStore } from '../registrar/users.ts';
import type { DigestAlgorithm } from '../sip/auth/digest.ts';
import type { Database } from './database.ts';

interface UserRow {
  name: string;
  display_name: string | null;
  realm: string;
  created_ms: number;
  changed_ms: number;
}

interface PasswordRow {
  user: string;
  algorithm: string;
  hash: string;
  hash_with_realm: string;
}

/** Users in the database; each change is durable when the call returns. */
export class UserTable implements UserStore {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  all(): StoredUser[] {
    const users = new Map(
      this.database.all<UserRow>('SELECT * FROM users ORDER BY name').map((row) => [row.name, userOf(row)]),
    );
    for (const row of this.database.all<PasswordRow>('SELECT * FROM passwords')) {
      const hashes = { plain: row.hash, withRealm: row.hash_with_realm };
      users.get(row.user)?.passwords.set(row.algorithm as DigestAlgorithm, hashes);
    }
    return [...users.values()];
  }

  put({ name, displayName, realm, createdMs, changedMs, passwords }: StoredUser): void {
    const { database } = this;
    database.transaction(() => {
      database.run('DELETE FROM users WHERE name = ?', name);
      database.run('INSERT INTO users VALUES (?, ?, ?, ?, ?)', name, displayName, realm, createdMs, changedMs);
      for (const [algorithm, { plain, withRealm }] of passwords) {
        database.run('INSERT INTO passwords VALUES (?, ?, ?, ?)', name, algorithm, plain, withRealm);
      }
    });
  }

  delete(name: string): void {
    this.database.run('DELETE FROM users WHERE name = ?', name);
  }
}

function userOf(row: UserRow): StoredUser {
  const { name, display_name: displayName, realm, created_ms: createdMs, changed_ms: changedMs } = row;
  return { name, displayName, realm, createdMs, changedMs, passwords: new Map() };
}
