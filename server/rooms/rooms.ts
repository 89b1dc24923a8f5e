import { type RoomPolicy, USUAL_POLICY } from './policy.ts';
import { type RecordingChange, Room, type RoomChange, type RoomListener } from './room.ts';
import type { RecordingView, RoomView } from './views.ts';

/** All rooms that there are at the moment, by name. */
export class Rooms {
  private readonly byName = new Map<string, Room>();
  private readonly defaults: RoomPolicy;
  private readonly listeners = new Set<RoomListener>();

  /** @param defaults where a room does not say otherwise, and this does not: `USUAL_POLICY` */
  constructor(defaults: Partial<RoomPolicy> = {}) {
    this.defaults = { ...USUAL_POLICY, ...defaults };
  }

  /** Told of every change, in order, after it was made; must not throw. Gives what ends it. */
  subscribe(listener: RoomListener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** @param name as `roomName` gives it, and not taken. */
  open(
    name: string,
    origin: RoomView['origin'],
    policy: Partial<RoomPolicy> = {},
    breakoutOf: string | null = null,
  ): Room {
    const room = new Room(name, origin, this.policyWith(policy), this.tell, breakoutOf);
    this.byName.set(name, room);
    this.tell(room, { change: 'room-opened' });
    return room;
  }

  /** What a room would have that is opened with these. */
  policyWith(policy: Partial<RoomPolicy>): RoomPolicy {
    return { ...this.defaults, ...policy };
  }

  get(name: string): Room | undefined {
    return this.byName.get(name);
  }

  /** Its breakout rooms. */
  breakoutsOf(room: Room): Room[] {
    return [...this.byName.values()].filter(({ breakoutOf }) => breakoutOf === room.name);
  }

  close(room: Room): void {
    if (this.byName.get(room.name) !== room) return;
    this.byName.delete(room.name);
    this.tell(room, { change: 'room-closed' });
  }

  /** Tells of a recording, whose room may be no more: then what is told has version 0. */
  recordingTold(change: RecordingChange, recording: RecordingView): void {
    const room = this.byName.get(recording.room);
    if (room !== undefined) return room.recordingTold(change, recording);
    const gone = new Room(recording.room, 'adhoc', this.policyWith({}), this.tell);
    this.tell(gone, { change, recording });
  }

  [Symbol.iterator](): Iterator<Room> {
    return this.byName.values();
  }

  get size(): number {
    return this.byName.size;
  }

  private readonly tell = (room: Room, change: RoomChange): void => {
    for (const listener of this.listeners) listener(room, change);
  };
}
