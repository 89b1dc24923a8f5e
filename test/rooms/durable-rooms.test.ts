import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { keepRooms } from '../../server/rooms/durable-rooms.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import { Database } from '../../server/store/database.ts';
import { RoomTable } from '../../server/store/room-table.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'parley-rooms-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

/** A run of the server over the same directory. */
function run<T>(work: (rooms: Rooms, database: Database) => T, configured: readonly string[] = []): T {
  const database = new Database(directory);
  const rooms = new Rooms({ maxParticipants: 9 });
  for (const name of configured) rooms.open(name, 'configured');
  keepRooms(rooms, new RoomTable(database), pino({ level: 'silent' }));
  const result = work(rooms, database);
  database.close();
  return result;
}

it('created rooms outlive a restart with their policy; others do not', () => {
  run((rooms) => {
    rooms.open('board', 'created', { pin: '1234', language: 'de' }).changePolicy({ locked: true });
    rooms.open('gone', 'created');
    rooms.close(rooms.get('gone')!);
    rooms.open('adhoc', 'adhoc').changePolicy({ locked: true });
  });
  run((rooms) => {
    expect([...rooms].map(({ name }) => name)).toEqual(['board']);
    expect(rooms.get('board')).toMatchObject({ origin: 'created' });
    expect(rooms.get('board')?.policy).toMatchObject({ pin: '1234', language: 'de', locked: true, maxParticipants: 9 });
  });
});

it('a configured room goes before a created one of its name, which is there again without it', () => {
  run((rooms) => rooms.open('board', 'created', { pin: '1234' }));
  run(
    (rooms) => {
      expect(rooms.get('board')).toMatchObject({ origin: 'configured', policy: { pin: null } });
      rooms.get('board')?.changePolicy({ pin: '9999' });
    },
    ['board'],
  );
  run((rooms) => expect(rooms.get('board')?.policy.pin).toBe('1234'));
});

it('takes what it can of a policy of another version', () => {
  run((_rooms, database) => {
    database.run('INSERT INTO rooms VALUES (?, ?)', 'old', '{"pin":"12","locked":true,"flavour":"mint"}');
  });
  run((rooms) => {
    expect(rooms.get('old')?.policy).toMatchObject({ pin: null, locked: true });
    expect(rooms.get('old')?.policy).not.toHaveProperty('flavour');
  });
});
