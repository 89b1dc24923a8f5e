import type { Announcer, Playback, Sound } from '../ivr/announcer.ts';
import type { Names } from '../ivr/names.ts';
import type { Room, RoomChange } from '../rooms/room.ts';
import type { Rooms } from '../rooms/rooms.ts';
import type { ParticipantView } from '../rooms/views.ts';
import type { Timer, Timers } from '../timers.ts';

export interface RoomLifeOptions {
  readonly rooms: Rooms;
  readonly announcer: Announcer;
  readonly names: Names;
  readonly timers: Timers;
  /** Milliseconds since 1970. */
  readonly epochMs: () => number;
  moderatorCame(room: Room): void;
  floorChanged(room: Room): void;
  /** Says why, and hangs up on everybody; unless `still` is false by then. */
  end(room: Room, why: readonly string[], still?: () => boolean): void;
}

/** Timers take no more than 2³¹ ms. */
const LONGEST_WAIT_MS = 86_400_000;

interface Alone {
  readonly participant: string;
  readonly music: boolean;
  playback: Playback;
}

/** Whether a moderator is in the room, or in one of its breakout rooms. */
export function hasModerator(rooms: Pick<Rooms, 'breakoutsOf'>, room: Room): boolean {
  const all = [room, ...rooms.breakoutsOf(room)];
  return all.some(({ present }) => present.some(({ role }) => role === 'moderator'));
}

/**
 * What happens in rooms of itself as people come and go: chimes and names, music for who is alone, the end of the
 * conference with its moderator or by its schedule.
 */
export class RoomLife {
  private readonly options: RoomLifeOptions;
  /** Those who are in, by id, as they were last. */
  private readonly present = new Map<string, ParticipantView>();
  private readonly alone = new Map<Room, Alone>();
  private readonly ends = new Map<Room, { atMs: number; timer: Timer }>();

  constructor(options: RoomLifeOptions) {
    this.options = options;
    // What comes of a change is done after all were told of it: otherwise some would be told of its effects before.
    options.rooms.subscribe((room, change) => this.changed(room, change));
  }

  close(): void {
    for (const { timer } of this.ends.values()) timer.clear();
  }

  private changed(room: Room, change: RoomChange): void {
    switch (change.change) {
      case 'room-opened':
      case 'room-changed':
        this.schedule(room);
        return this.later(() => this.checkAlone(room));
      case 'room-closed':
        this.ends.get(room)?.timer.clear();
        this.ends.delete(room);
        return this.endAlone(room);
      case 'participant-joined':
      case 'participant-changed':
        return this.seen(room, change.participant);
      case 'participant-left':
        return this.gone(room, change.participant);
      case 'floor-changed':
        return this.later(() => this.options.floorChanged(room));
      default:
        return;
    }
  }

  private seen(room: Room, participant: ParticipantView): void {
    const { id, state, role } = participant;
    if (state !== 'connected' && state !== 'on-hold') return;
    const before = this.present.get(id);
    this.present.set(id, participant);
    const [is, was] = [role === 'moderator', before?.role === 'moderator'];
    if (is && !was) this.later(() => this.options.moderatorCame(room));
    if (was && !is) this.later(() => this.moderatorLeft(room));
    if (before !== undefined) return;
    this.later(() => {
      this.checkAlone(room);
      this.announce(room, id, 'join');
    });
  }

  private gone(room: Room, { id }: ParticipantView): void {
    const before = this.present.get(id);
    this.present.delete(id);
    if (before === undefined) return this.options.names.forget(id);
    this.later(() => {
      this.announce(room, id, 'leave');
      this.checkAlone(room);
      if (before.role === 'moderator') this.moderatorLeft(room);
    });
  }

  /** Or is one no more. */
  private moderatorLeft(room: Room): void {
    const { rooms, end } = this.options;
    const main = rooms.get(room.breakoutOf ?? '') ?? room;
    const without = (): boolean => !hasModerator(rooms, main);
    if (!main.policy.endWhenModeratorLeaves || !without()) return;
    end(main, ['moderator-left', 'conference-ends'], without);
  }

  private announce(room: Room, id: string, what: 'join' | 'leave'): void {
    const { names, announcer } = this.options;
    const { announce, chimesAbove, language } = room.policy;
    const here = room.present.length;
    const name = names.of(id);
    const leftRoom = what === 'leave' && !this.present.has(id);
    const forget = (): void => {
      if (leftRoom) names.forget(id);
    };
    if (announce === 'none' || here === 0 || (what === 'join' && here === 1)) return forget();
    const spoken = announce === 'names' && name !== null && here <= chimesAbove;
    const said: Sound[] = [{ file: name ?? '' }, what === 'join' ? 'has-joined' : 'has-left'];
    announcer.say({ room: room.name }, language, spoken ? said : [{ sound: what }], forget);
  }

  /** Who is alone is told so, and hears music where the room has it. */
  private checkAlone(room: Room): void {
    const [first, second] = room.present;
    if (first === undefined || second !== undefined) return this.endAlone(room);
    const { announce, music, language } = room.policy;
    const before = this.alone.get(room);
    if (before?.participant === first.id && before.music === music) return;
    this.endAlone(room);
    if (announce === 'none' && !music) return;
    const to = { leg: first.id };
    const { announcer } = this.options;
    const said = announce === 'none' || before?.participant === first.id ? [] : ['you-are-only-one'];
    const alone: Alone = {
      participant: first.id,
      music,
      playback: announcer.say(to, language, said, () => {
        if (music && this.alone.get(room) === alone) alone.playback = announcer.playMusic(to);
      }),
    };
    this.alone.set(room, alone);
  }

  private endAlone(room: Room): void {
    this.alone.get(room)?.playback.stop();
    this.alone.delete(room);
  }

  /** The end that the policy says; it may have been changed. */
  private schedule(room: Room): void {
    const { notAfter } = room.policy;
    const before = this.ends.get(room);
    const atMs = notAfter === null ? null : Date.parse(notAfter);
    if (before?.atMs === atMs) return;
    before?.timer.clear();
    this.ends.delete(room);
    if (atMs !== null && atMs > this.options.epochMs()) this.wait(room, atMs);
  }

  private wait(room: Room, atMs: number): void {
    const { timers, epochMs, end } = this.options;
    const leftMs = Math.max(0, atMs - epochMs());
    const timer = timers.set(Math.min(leftMs, LONGEST_WAIT_MS), () => {
      if (epochMs() < atMs) return this.wait(room, atMs);
      this.ends.delete(room);
      end(room, ['conference-ends']);
    });
    this.ends.set(room, { atMs, timer });
  }

  private later(work: () => void): void {
    queueMicrotask(work);
  }
}
