import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Database } from '../../server/store/database.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'parley-database-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

describe('the database', () => {
  it('is made in a directory that is not there yet, and opened again as it was', () => {
    const dataDir = join(directory, 'data');
    const first = new Database(dataDir);
    first.run('INSERT INTO users VALUES (?, ?, ?, ?, ?)', 'alice', null, 'example.com', 1, 2);
    first.close();
    const second = new Database(dataDir);
    expect(second.all('SELECT name, display_name FROM users')).toEqual([{ name: 'alice', display_name: null }]);
    second.close();
  });

  it('takes all of a transaction or nothing', () => {
    const database = new Database(directory);
    const insert = (name: string) => database.run('INSERT INTO users VALUES (?, NULL, ?, 1, 1)', name, 'r');
    const work = () => {
      insert('alice');
      insert('alice');
    };
    expect(() => database.transaction(work)).toThrow(/UNIQUE/);
    expect(database.all('SELECT * FROM users')).toEqual([]);
    database.transaction(() => insert('bob'));
    expect(database.all('SELECT name FROM users')).toEqual([{ name: 'bob' }]);
    database.close();
  });

  it('says why it could not write, also where SQLite has given up the transaction itself', () => {
    const database = new Database(directory);
    // As it does by itself on a full disk.
    const insert = () => database.run('INSERT OR ROLLBACK INTO users VALUES (?, NULL, ?, 1, 1)', 'alice', 'r');
    const work = () => {
      insert();
      insert();
    };
    expect(() => database.transaction(work)).toThrow(/UNIQUE/);
    database.transaction(() => insert());
    expect(database.all('SELECT name FROM users')).toEqual([{ name: 'alice' }]);
    database.close();
  });

  it('survives a process that was killed in the middle: what was committed is there', () => {
    const killed = new Database(directory);
    killed.run('INSERT INTO users VALUES (?, NULL, ?, 1, 1)', 'alice', 'r');
    const other = new Database(directory);
    expect(other.all('SELECT name FROM users')).toEqual([{ name: 'alice' }]);
    other.close();
    killed.close();
  });

  it('of a newer version is left alone', () => {
    const database = new Database(directory);
    database.run('PRAGMA user_version = 999');
    database.close();
    expect(() => new Database(directory)).toThrow('newer Parley');
  });
});
