import type { Room } from '../rooms/room.ts';
import { roomName } from '../rooms/room-name.ts';
import type { Rooms } from '../rooms/rooms.ts';
import { type BreakoutGroup, ControlError } from './control.ts';
import type { ParticipantCall } from './participant-call.ts';

export interface BreakoutsOptions {
  readonly rooms: Rooms;
  in(room: Room): ParticipantCall[];
  participant(room: Room, id: string): ParticipantCall;
  /** There are recordings of a room of this name. */
  wasRecorded(name: string): boolean;
  /** Closes the room if nobody is in it. */
  vacated(room: Room): void;
}

/** Rooms that the people of a room go to for a while, and come back from. */
export class Breakouts {
  private readonly options: BreakoutsOptions;

  constructor(options: BreakoutsOptions) {
    this.options = options;
  }

  /** Opens `<room>-1`, `<room>-2` …, or as the groups are named, and moves people there. All is checked before any moves. */
  async open(room: Room, groups: readonly BreakoutGroup[]): Promise<Room[]> {
    if (room.breakoutOf !== null) throw new ControlError('room-is-breakout', `${room.name} is a breakout room itself`);
    let number = 0;
    const nextName = (): string => {
      do number++;
      while (this.options.wasRecorded(`${room.name}-${number}`));
      return `${room.name}-${number}`;
    };
    const meant = groups.map(({ name, participants }) => ({
      name: this.freeName(name ?? nextName()),
      calls: participants.map((id) => this.options.participant(room, id)),
    }));
    const names = meant.map(({ name }) => name);
    const moved = meant.flatMap(({ calls }) => calls);
    if (new Set(names).size < names.length) throw new ControlError('room-exists', 'two groups have the same name');
    if (new Set(moved).size < moved.length) {
      throw new ControlError('participant-elsewhere', 'a participant is in two groups');
    }
    const waiting = moved.find(({ isEntering }) => isEntering);
    if (waiting) throw new ControlError('participant-elsewhere', `${waiting.id} has not entered yet`);
    const opened = meant.map(({ name }) => this.openOne(room, name));
    await this.move(
      meant.flatMap(({ calls }, index) => calls.map((call) => [call, opened[index]!])),
      opened,
    );
    return opened;
  }

  /** Everybody comes back; the rooms close as they are empty. */
  async close(room: Room): Promise<void> {
    const { rooms } = this.options;
    const breakouts = rooms.breakoutsOf(room);
    await this.move(
      breakouts.flatMap((one) => this.options.in(one).map((call) => [call, room])),
      breakouts,
    );
  }

  /** Nobody would ever leave a room that nobody got to; but as long as somebody is on the way, it stays. */
  private async move(moves: readonly (readonly [ParticipantCall, Room])[], breakouts: readonly Room[]): Promise<void> {
    const moved = await Promise.allSettled(moves.map(([call, to]) => call.moveTo(to)));
    for (const breakout of breakouts) this.options.vacated(breakout);
    const failed = moved.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  /** Whoever may see a room sees its breakout rooms and their recordings, and must not get at those of others so. */
  private freeName(name: string): string {
    const valid = roomName(name);
    if (valid === null) throw new ControlError('room-name-invalid', `${name} cannot be a room's name`);
    if (this.options.rooms.get(valid)) throw new ControlError('room-exists', `room ${valid} is there already`);
    if (this.options.wasRecorded(valid)) {
      throw new ControlError('room-exists', `there are recordings of another room ${valid}`);
    }
    return valid;
  }

  /** As the room is, but nobody finds a way in who was not sent there: it is locked. */
  private openOne(room: Room, name: string): Room {
    const { policy } = room;
    const ways = { lobby: false, waitForModerator: false, endWhenModeratorLeaves: false, notAfter: null };
    const own = { ...policy, ...ways, displayName: null, locked: true, welcome: null, welcomeSound: null };
    return this.options.rooms.open(name, 'adhoc', own, room.name);
  }
}
