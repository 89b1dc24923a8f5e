import { randomBytes } from 'node:crypto';
import type { Room, RoomChange } from '../rooms/room.ts';
import type { ConferenceRecord } from './call-record.ts';

interface Conference {
  readonly id: string;
  readonly startedMs: number;
  /** Those who are in it now. */
  readonly present: Set<string>;
  entries: number;
  most: number;
  readonly recordings: Set<string>;
}

const MOST_RECORDINGS = 1000;

/** Follows the rooms: a conference lasts from when somebody is in one until nobody is. */
export class ConferenceWatch {
  private readonly conferences = new Map<Room, Conference>();
  /** Of this run of the program: an id is made for each conference, and asking for random ones each time costs. */
  private readonly run = randomBytes(6).toString('hex');
  private serial = 0;
  private readonly ended: (record: ConferenceRecord, endedMs: number) => void;

  constructor(ended: (record: ConferenceRecord, endedMs: number) => void) {
    this.ended = ended;
  }

  /** The conference that goes on in the room; null when none does. */
  idOf(room: Room): string | null {
    return this.conferences.get(room)?.id ?? null;
  }

  changed(room: Room, change: RoomChange, atMs: number): void {
    switch (change.change) {
      case 'participant-joined':
      case 'participant-changed': {
        const { id, state } = change.participant;
        if (state === 'connected' || state === 'on-hold') this.entered(room, id, atMs);
        return;
      }
      case 'participant-left':
        return this.left(room, change.participant.id, atMs);
      case 'recording-changed': {
        const recordings = this.conferences.get(room)?.recordings;
        if (recordings !== undefined && recordings.size < MOST_RECORDINGS) recordings.add(change.recording.id);
        return;
      }
      default:
        return;
    }
  }

  private entered(room: Room, id: string, atMs: number): void {
    let conference = this.conferences.get(room);
    if (conference === undefined) {
      const id = this.run + (++this.serial).toString(16).padStart(6, '0');
      conference = { id, startedMs: atMs, present: new Set(), entries: 0, most: 0, recordings: new Set() };
      this.conferences.set(room, conference);
    }
    if (conference.present.has(id)) return;
    conference.present.add(id);
    conference.entries++;
    conference.most = Math.max(conference.most, conference.present.size);
  }

  private left(room: Room, id: string, atMs: number): void {
    const conference = this.conferences.get(room);
    if (conference === undefined || !conference.present.delete(id) || conference.present.size > 0) return;
    this.conferences.delete(room);
    const { startedMs, entries, most, recordings } = conference;
    this.ended(
      {
        conference: conference.id,
        room: room.name,
        startedAt: new Date(startedMs).toISOString(),
        endedAt: new Date(atMs).toISOString(),
        durationMs: Math.max(0, atMs - startedMs),
        entries,
        mostParticipants: most,
        recordings: [...recordings],
      },
      atMs,
    );
  }
}
