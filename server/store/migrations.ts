/**
 * What makes the database's tables, step by step; `user_version` says how many have been taken. A step that was ever
 * released is never changed: add another.
 */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE users (
    name TEXT PRIMARY KEY,
    display_name TEXT,
    realm TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE passwords (
    user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    algorithm TEXT NOT NULL,
    hash TEXT NOT NULL,
    hash_with_realm TEXT NOT NULL,
    PRIMARY KEY (user, algorithm)
  ) WITHOUT ROWID;
  CREATE TABLE bindings (
    id INTEGER PRIMARY KEY,
    user TEXT NOT NULL,
    contact TEXT NOT NULL,
    parameters TEXT NOT NULL,
    q REAL,
    instance TEXT,
    reg_id INTEGER,
    path TEXT NOT NULL,
    call_id TEXT NOT NULL,
    cseq INTEGER NOT NULL,
    registered_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    protocol TEXT NOT NULL,
    remote_address TEXT NOT NULL,
    remote_port INTEGER NOT NULL,
    user_agent TEXT
  );`,
];
