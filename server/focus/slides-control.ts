import { randomInt } from 'node:crypto';
import { FloorControl } from '../bfcp/floor-control.ts';
import type { Path } from '../bfcp/path.ts';
import type { Log } from '../log.ts';
import type { Room, RoomChange } from '../rooms/room.ts';
import type { Rooms } from '../rooms/rooms.ts';
import type { ParticipantView } from '../rooms/views.ts';
import type { Timers } from '../timers.ts';

export interface SlidesControlOptions {
  readonly rooms: Rooms;
  readonly timers: Timers;
  readonly log: Log;
  /** The room that a participant is in. */
  readonly roomOf: (participant: string) => Room | undefined;
  /** Opens a connection to a phone that waits for one. */
  readonly connect: (address: string, port: number) => Path;
}

/**
 * Who has the floor of the slides by BFCP, and who shows slides in the room: what changes on one side is carried to the other.
 */
export class SlidesControl {
  readonly floors: FloorControl;
  private readonly options: SlidesControlOptions;
  private readonly toLookAt = new Set<Room>();

  constructor(options: SlidesControlOptions) {
    const { rooms, timers, log, roomOf, connect } = options;
    this.options = options;
    this.floors = new FloorControl({
      ...{ timers, log, connect, random: (limit: number) => randomInt(limit) },
      roomOf: (participant) => roomOf(participant)?.name ?? null,
      mayPresent: (participant) => mayPresent(this.viewOf(participant)),
      nameOf: (participant) => this.viewOf(participant)?.displayName ?? null,
      changed: (name, participant) => rooms.get(name)?.giveSlidesFloor(participant),
      asks: (participant, asks) => roomOf(participant)?.setAsksForSlides(participant, asks),
    });
    rooms.subscribe((room, change) => this.changed(room, change));
  }

  private changed(room: Room, change: RoomChange): void {
    if (change.change === 'participant-joined') this.joined(room, change.participant);
    if (this.floors.holder(room.name) === null) return;
    // What comes of it is told after this change.
    if (this.toLookAt.size === 0) queueMicrotask(() => this.look());
    this.toLookAt.add(room);
  }

  private look(): void {
    const rooms = [...this.toLookAt];
    this.toLookAt.clear();
    for (const room of rooms) {
      const holder = this.floors.holder(room.name);
      if (holder === null) continue;
      const isTaken = room.slidesFloor !== holder;
      if (isTaken || !mayPresent(room.participant(holder))) this.floors.revoke(room.name);
    }
  }

  /** From another room; the slides that they still send are looked at after this. */
  private joined(room: Room, { id }: ParticipantView): void {
    if (!this.floors.isHeard(id)) return;
    room.setAsksForSlides(id, true);
    queueMicrotask(() => this.floors.moved(id));
  }

  private viewOf(participant: string): ParticipantView | undefined {
    return this.options.roomOf(participant)?.participant(participant);
  }
}

/** Who has entered, and whose picture no moderator has turned off. */
function mayPresent(view: ParticipantView | undefined): boolean {
  return view?.camera === true && (view.state === 'connected' || view.state === 'on-hold');
}
