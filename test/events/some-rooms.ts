import { RoomEvents } from '../../server/events/room-events.ts';
import { Rooms } from '../../server/rooms/rooms.ts';

export const EPOCH_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

/** Rooms whose changes are events. */
export function someRooms(limits?: { events: number; characters: number }, epochMs: () => number = () => EPOCH_MS) {
  const rooms = new Rooms();
  const events = new RoomEvents({ instance: 'run1', epochMs, ...(limits && { limits }) });
  rooms.subscribe(events.changed);
  return { rooms, events };
}
