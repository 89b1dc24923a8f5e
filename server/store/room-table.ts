import type { RoomStore } from '../rooms/durable-rooms.ts';
import type { RoomPolicy } from '../rooms/policy.ts';
import type { Database } from './database.ts';

/** Created rooms in the database; each change is durable when the call returns. */
export class RoomTable implements RoomStore {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  all(): { name: string; policy: Record<string, unknown> }[] {
    return this.database
      .all<{ name: string; policy: string }>('SELECT name, policy FROM rooms ORDER BY name')
      .map(({ name, policy }) => ({ name, policy: JSON.parse(policy) as Record<string, unknown> }));
  }

  put(name: string, policy: RoomPolicy): void {
    this.database.run('INSERT OR REPLACE INTO rooms (name, policy) VALUES (?, ?)', name, JSON.stringify(policy));
  }

  delete(name: string): void {
    this.database.run('DELETE FROM rooms WHERE name = ?', name);
  }
}
