import type { Log } from '../log.ts';
import type { Room, RoomChange } from '../rooms/room.ts';
import type { Rooms } from '../rooms/rooms.ts';
import { ControlError } from './control.ts';

export interface AutomaticRecordingOptions {
  readonly rooms: Rooms;
  readonly log: Log;
  start(room: Room): Promise<unknown>;
}

/** Who must be there. */
const ENOUGH = { manual: Number.POSITIVE_INFINITY, always: 1, 'from-two': 2 } as const;

/**
 * Begins recordings by the rooms' policy. One a conference: what a moderator stopped, or failed, does not begin anew
 * before everybody has left.
 */
export class AutomaticRecording {
  private readonly options: AutomaticRecordingOptions;
  /** How many were in at last, and whether theirs has begun. */
  private readonly conferences = new Map<Room, { present: number; begun: boolean }>();

  constructor(options: AutomaticRecordingOptions) {
    this.options = options;
    options.rooms.subscribe((room, change) => this.changed(room, change));
  }

  private changed(room: Room, { change }: RoomChange): void {
    const present = room.present.length;
    if (change === 'room-closed' || present === 0) return void this.conferences.delete(room);
    const conference = this.conferences.get(room) ?? { present: 0, begun: false };
    this.conferences.set(room, conference);
    const isMore = present > conference.present;
    conference.present = present;
    if (conference.begun || (!isMore && change !== 'room-changed')) return;
    if (present < ENOUGH[room.policy.record]) return;
    conference.begun = true;
    // What comes of a change is done after all were told of it.
    queueMicrotask(() => void this.start(room, conference));
  }

  private async start(room: Room, conference: { begun: boolean }): Promise<void> {
    try {
      // Even if one runs: that may be the last conference's, which is just ending.
      await this.options.start(room);
    } catch (error) {
      // Or they have left meanwhile.
      if (error instanceof ControlError && ['recording-running', 'room-empty'].includes(error.code)) return;
      // Who comes next may have better luck.
      conference.begun = false;
      this.options.log.error({ room: room.name, reason: String(error) }, 'recording by policy could not be started');
    }
  }
}
