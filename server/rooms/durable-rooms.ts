import type { Log } from '../log.ts';
import { policyShape, type RoomPolicy } from './policy.ts';
import type { Rooms } from './rooms.ts';

/** Where created rooms outlive a restart. */
export interface RoomStore {
  /** Policies as they were put, perhaps by another version of the program. */
  all(): { name: string; policy: Record<string, unknown> }[];
  put(name: string, policy: RoomPolicy): void;
  delete(name: string): void;
}

/**
 * Opens the rooms that were created before, and keeps the store to what becomes of them. A configured room of the same
 * name goes before: call this when those are open.
 */
export function keepRooms(rooms: Rooms, store: RoomStore, log: Log): void {
  for (const { name, policy } of store.all()) {
    if (rooms.get(name)) log.warn({ room: name }, 'created room is hidden by a configured one of the same name');
    else rooms.open(name, 'created', usable(policy));
  }
  rooms.subscribe((room, { change }) => {
    if (room.origin !== 'created') return;
    try {
      if (change === 'room-opened' || change === 'room-changed') store.put(room.name, room.policy);
      else if (change === 'room-closed') store.delete(room.name);
    } catch (error) {
      // The room is as it was asked for; only a restart would forget it.
      log.error({ room: room.name, reason: String(error) }, 'room not stored');
    }
  });
}

/** What this version knows; the rest is as usual. */
function usable(policy: Record<string, unknown>): Partial<RoomPolicy> {
  const good = Object.entries(policyShape).flatMap(([key, schema]) => {
    const { success, data } = schema.safeParse(policy[key]);
    return success ? [[key, data] as const] : [];
  });
  return Object.fromEntries(good) as Partial<RoomPolicy>;
}
