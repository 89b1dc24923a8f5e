import { isDeepStrictEqual } from 'node:util';
import type { ConferenceControl } from '../../server/focus/control.ts';
import type { Room, RoomChange } from '../../server/rooms/room.ts';
import type { RoomView } from '../../server/rooms/views.ts';
import { childText, type KnownConference } from '../conference-event/read-conference.ts';
import type { EventReader } from './chaos-reader.ts';

/** What was told is older than this many versions at no time. */
const MOST_VERSIONS = 2000;

/** What all three views say of a room, in one text. */
export function sharedOfView(view: RoomView): string {
  const { locked, maxParticipants, displayName, name, participants, floor, activeSpeaker, recording } = view;
  const active = participants.some(({ state }) => state === 'connected' || state === 'on-hold');
  const all = participants.map(({ id, state, role, deaf, muted, handRaisedAt }) =>
    [id, state, role, deaf, muted?.by ?? '-', handRaisedAt ?? '-'].join(' '),
  );
  const speakers = [floor.join(' '), activeSpeaker ?? '', recording];
  return [locked, maxParticipants, displayName ?? name, active, ...speakers, ...all.sort()].join('\n');
}

export function sharedOfDocument({ state, description, participants }: KnownConference): string {
  const all = [...participants.values()].map((own) =>
    [own['id'], own['state'], own['role'], own['deaf'], own['muted-by'] ?? '-', own['hand-raised-at'] ?? '-'].join(' '),
  );
  const [locked, active] = [childText(state, 'locked'), childText(state, 'active')];
  const speakers = [
    childText(state, 'p:floor') ?? '',
    childText(state, 'p:active-speaker') ?? '',
    childText(state, 'p:recording'),
  ];
  const most = childText(description, 'maximum-user-count');
  return [locked, most, childText(description, 'display-text'), active, ...speakers, ...all.sort()].join('\n');
}

/** Levels are measured, and have no version. */
export function withoutLevels(view: RoomView): RoomView {
  return { ...view, participants: view.participants.map((one) => ({ ...one, levelDb: null })) };
}

/** The members in which they differ. */
function differences(known: RoomView, shown: RoomView): string {
  const all = (view: RoomView) => [...Object.entries(view), ...view.participants.map((one) => [one.id, one] as const)];
  const others = new Map<string, unknown>(all(known).filter(([key]) => key !== 'participants'));
  const here = all(shown).filter(([key]) => key !== 'participants');
  const differ = here.filter(([key, value]) => !isDeepStrictEqual(others.get(key), value));
  const ids = [known, shown].map(({ participants }) => participants.map(({ id }) => id).join(' '));
  return [...new Set(ids), ...differ.map(([key, value]) => JSON.stringify([others.get(key), value]) + key)].join(' | ');
}

/** Holds what HTTP shows at every version of every room against what the readers of events know then. */
export class Views {
  versions = 0;
  /** Changes of the recording flag. */
  flags = 0;
  private readonly flagOf = new WeakMap<Room, string>();
  private readonly problems: string[];
  private readonly conferences: ConferenceControl;
  private readonly readers: readonly EventReader[];
  private readonly byRoom = new WeakMap<Room, Map<number, string>>();

  constructor(conferences: ConferenceControl, readers: readonly EventReader[], problems: string[]) {
    this.problems = problems;
    this.conferences = conferences;
    this.readers = readers;
  }

  /** To be subscribed after all else: the others have been told by then. */
  readonly changed = (room: Room, { change }: RoomChange): void => {
    this.versions++;
    if (change === 'room-closed') {
      for (const { isOpen, rooms } of this.readers) {
        if (isOpen && rooms.has(room.name)) this.problems.push(`events: ${room.name} is closed, and still there`);
      }
      return;
    }
    // Of a recording whose room has gone.
    if (change.startsWith('recording-') && !this.conferences.rooms().some(({ name }) => name === room.name)) return;
    const view = this.check(room.name);
    const seen = this.byRoom.get(room) ?? new Map<number, string>();
    this.byRoom.set(room, seen);
    if (seen.has(view.version)) this.problems.push(`${room.name}: ${change} without a version of its own`);
    seen.set(view.version, sharedOfView(view));
    if (view.recording !== (this.flagOf.get(room) ?? 'off')) this.flags++;
    this.flagOf.set(room, view.recording);
    seen.delete(view.version - MOST_VERSIONS);
  };

  /** What was shared at that version; undefined: there was no such version. */
  at(room: Room, version: number): string | undefined {
    return this.byRoom.get(room)?.get(version);
  }

  /** Now, whatever was told. */
  checkAll(): void {
    const views = this.conferences.rooms();
    for (const { name } of views) this.check(name);
    for (const { isOpen, rooms } of this.readers) {
      if (isOpen && rooms.size !== views.length) this.problems.push('events: not the rooms that there are');
    }
  }

  private check(name: string): RoomView {
    const view = withoutLevels(this.conferences.room(name));
    for (const reader of this.readers) {
      if (!reader.isOpen) continue;
      const known = reader.rooms.get(name);
      if (known === undefined) this.problems.push(`events: ${name} is not known`);
      else if (!isDeepStrictEqual(known, view)) {
        this.problems.push(`events: ${name} at ${view.version}: ${differences(known, view)}`);
      }
    }
    return view;
  }
}
