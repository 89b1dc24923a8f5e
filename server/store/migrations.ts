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
  `CREATE TABLE rooms (
    name TEXT PRIMARY KEY,
    policy TEXT NOT NULL
  ) WITHOUT ROWID;`,
  `CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    scope TEXT NOT NULL,
    room TEXT,
    digest TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER
  ) WITHOUT ROWID;
  CREATE TABLE webhooks (
    id TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    events TEXT NOT NULL,
    room TEXT,
    secret TEXT NOT NULL,
    created_ms INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE webhook_deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    webhook TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    event_id TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    queued_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    reason TEXT,
    failed_ms INTEGER,
    UNIQUE (webhook, event_id)
  );
  CREATE TABLE idempotent_replies (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    reply TEXT NOT NULL,
    kept_ms INTEGER NOT NULL,
    UNIQUE (owner, key)
  );
  CREATE INDEX idempotent_replies_by_age ON idempotent_replies (kept_ms);`,
  `CREATE TABLE calls (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    ended_ms INTEGER NOT NULL,
    room TEXT NOT NULL,
    user TEXT NOT NULL,
    address TEXT,
    record TEXT NOT NULL
  );
  CREATE INDEX calls_by_end ON calls (ended_ms);
  CREATE INDEX calls_by_room ON calls (room, ended_ms);
  CREATE INDEX calls_by_user ON calls (user, ended_ms);
  CREATE TABLE conferences (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    ended_ms INTEGER NOT NULL,
    room TEXT NOT NULL,
    record TEXT NOT NULL
  );
  CREATE INDEX conferences_by_end ON conferences (ended_ms);
  CREATE INDEX conferences_by_room ON conferences (room, ended_ms);`,
];
