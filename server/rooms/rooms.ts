import { Room, type RoomListener } from './room.ts';
import type { RoomPolicy, RoomView } from './views.ts';

/** All rooms that there are at the moment, by name. */
export class Rooms {
  private readonly byName = new Map<string, Room>();
  private readonly defaults: RoomPolicy;
  private readonly listener: RoomListener;

  constructor(defaults: RoomPolicy, listener: RoomListener) {
    this.defaults = defaults;
    this.listener = listener;
  }

  /** @param name as `roomName` gives it, and not taken. */
  open(name: string, origin: RoomView['origin'], policy: Partial<RoomPolicy> = {}): Room {
    const room = new Room(name, origin, { ...this.defaults, ...policy }, this.listener);
    this.byName.set(name, room);
    this.listener(room, { change: 'room-opened' });
    return room;
  }

  get(name: string): Room | undefined {
    return this.byName.get(name);
  }

  close(room: Room): void {
    if (this.byName.get(room.name) !== room) return;
    this.byName.delete(room.name);
    this.listener(room, { change: 'room-closed' });
  }

  [Symbol.iterator](): Iterator<Room> {
    return this.byName.values();
  }

  get size(): number {
    return this.byName.size;
  }
}
