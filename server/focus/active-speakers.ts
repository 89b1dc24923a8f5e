import type { Room, RoomChange } from '../rooms/room.ts';
import type { Rooms } from '../rooms/rooms.ts';
import type { ParticipantView } from '../rooms/views.ts';
import type { Timer, Timers } from '../timers.ts';
import { SpeakerChoice } from './speaker-choice.ts';

export interface ActiveSpeakersOptions {
  readonly rooms: Pick<Rooms, 'subscribe'>;
  readonly timers: Timers;
}

interface Watched {
  readonly choice: SpeakerChoice;
  timer: Timer | null;
}

/** Used where a level is not known yet, dBov. */
const QUIET_DB = -60;

/** Follows who talks in the rooms, and says in each of them who the speaker is. */
export class ActiveSpeakers {
  private readonly timers: Timers;
  private readonly rooms = new Map<Room, Watched>();

  constructor({ rooms, timers }: ActiveSpeakersOptions) {
    this.timers = timers;
    rooms.subscribe((room, change) => this.changed(room, change));
  }

  /** How loud somebody is who talks, dBov: about twice a second. */
  measured(room: Room, participant: string, levelDb: number): void {
    const watched = this.rooms.get(room);
    if (watched === undefined) return;
    watched.choice.measured(participant, levelDb, this.timers.now());
    this.decide(room, watched);
  }

  close(): void {
    for (const { timer } of this.rooms.values()) timer?.clear();
    this.rooms.clear();
  }

  private changed(room: Room, change: RoomChange): void {
    switch (change.change) {
      case 'participant-joined':
      case 'participant-changed':
        if (this.noted(room, change.participant)) this.later(room);
        return;
      case 'participant-left':
        if (this.rooms.get(room)?.choice.left(change.participant.id)) this.later(room);
        return;
      case 'room-closed':
        this.rooms.get(room)?.timer?.clear();
        return void this.rooms.delete(room);
      default:
        return;
    }
  }

  /** Who speaks to some alone does not speak to the room. True when it makes a difference. */
  private noted(room: Room, { id, talking, speaksTo, muted, levelDb }: ParticipantView): boolean {
    const talks = talking && speaksTo === null && muted === null;
    const watched = this.rooms.get(room);
    const nowMs = this.timers.now();
    if (!talks) return watched?.choice.pauses(id, nowMs) ?? false;
    if (watched !== undefined) return watched.choice.talks(id, levelDb ?? QUIET_DB, nowMs);
    const choice = new SpeakerChoice();
    this.rooms.set(room, { choice, timer: null });
    return choice.talks(id, levelDb ?? QUIET_DB, nowMs);
  }

  /** When all were told of the change: otherwise some would be told of what comes of it before. */
  private later(room: Room): void {
    queueMicrotask(() => {
      const watched = this.rooms.get(room);
      if (watched !== undefined) this.decide(room, watched);
    });
  }

  private decide(room: Room, watched: Watched): void {
    const nowMs = this.timers.now();
    const askMs = watched.choice.decide(nowMs);
    watched.timer?.clear();
    watched.timer = askMs === null ? null : this.timers.set(askMs - nowMs, () => this.decide(room, watched));
    room.setActiveSpeaker(watched.choice.speaker);
  }
}
