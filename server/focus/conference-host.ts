import type { Announcer } from '../ivr/announcer.ts';
import type { Names } from '../ivr/names.ts';
import type { Log } from '../log.ts';
import type { Room } from '../rooms/room.ts';
import type { Rooms } from '../rooms/rooms.ts';
import type { Timers } from '../timers.ts';
import { Entrance } from './entrance.ts';
import type { FocusHost } from './focus-options.ts';
import { KeyActions, type KeyActionsOptions } from './key-actions.ts';
import type { ParticipantCall } from './participant-call.ts';
import type { PinGuard } from './pin-guard.ts';
import { hasModerator, RoomLife } from './room-life.ts';

export interface ConferenceHostOptions extends KeyActionsOptions {
  readonly rooms: Rooms;
  readonly announcer: Announcer;
  readonly names: Names;
  readonly timers: Timers;
  readonly pins: PinGuard;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly epochMs: () => number;
  /** Text to one participant. */
  sendText(participant: ParticipantCall, text: string): void;
  /** Somebody is gone who may have been called in vain. */
  gone(participant: ParticipantCall): void;
  entered(participant: ParticipantCall): void;
  /** Was called, and said no. */
  declined(participant: ParticipantCall): void;
}

/** Receives those whose calls stand: lets them in, listens to their keys, and keeps the rooms company. */
export class ConferenceHost implements Omit<FocusHost, 'remove'> {
  private readonly options: ConferenceHostOptions;
  private readonly entrances = new Map<string, Entrance>();
  private readonly keys: KeyActions;
  private readonly life: RoomLife;

  constructor(options: ConferenceHostOptions) {
    const { moderation, rooms, announcer, names, timers, epochMs } = options;
    this.options = options;
    this.keys = new KeyActions(options);
    this.life = new RoomLife({
      ...{ rooms, announcer, names, timers, epochMs },
      moderatorCame: (room) => this.moderatorCame(room),
      floorChanged: (room) => this.floorChanged(room),
      end: (room, why, still) => void moderation.end(room, why, why[0] ?? '', still),
    });
  }

  established(participant: ParticipantCall): void {
    const { rooms, announcer, names, timers, pins } = this.options;
    const entrance = new Entrance(participant, {
      ...{ announcer, names, timers, pins },
      hasModerator: ({ room }) => hasModerator(rooms, room),
      entered: (who) => this.entered(who),
      declined: (who) => this.options.declined(who),
    });
    this.entrances.set(participant.id, entrance);
    entrance.start();
    if (!participant.isEntering) this.entrances.delete(participant.id);
  }

  keyPressed(participant: ParticipantCall, key: string): void {
    const entrance = this.entrances.get(participant.id);
    if (entrance === undefined) this.keys.pressed(participant, key);
    else entrance.key(key);
  }

  left(participant: ParticipantCall): void {
    this.entrances.get(participant.id)?.stop();
    this.entrances.delete(participant.id);
    this.keys.left(participant);
    this.options.gone(participant);
  }

  /** Out of the lobby, or from waiting for the moderator. False when they do not wait. */
  admit(participant: ParticipantCall): boolean {
    return this.entrances.get(participant.id)?.admit() ?? false;
  }

  /** Told so, and hung up on. False when they do not wait. */
  refuse(participant: ParticipantCall): boolean {
    return this.entrances.get(participant.id)?.refuse() ?? false;
  }

  /** Has another role by now; a moderator does not wait. */
  roleGiven(participant: ParticipantCall): void {
    this.entrances.get(participant.id)?.roleGiven();
  }

  close(): void {
    this.life.close();
  }

  /** For those who wait in the room, and in the one that it is a breakout room of: see `hasModerator`. */
  private moderatorCame(room: Room): void {
    const main = this.options.rooms.get(room.breakoutOf ?? '');
    for (const one of main === undefined ? [room] : [room, main]) {
      for (const { id } of this.options.in(one)) this.entrances.get(id)?.moderatorCame();
    }
  }

  /** Also when the floor came free by itself, as who had it left. */
  private floorChanged(room: Room): void {
    const { moderation, log } = this.options;
    moderation.floorChanged(room).catch((error: unknown) => {
      log.warn({ room: room.name, reason: String(error) }, 'the floor was not put into effect');
    });
  }

  private entered(participant: ParticipantCall): void {
    const { announcer, sendText } = this.options;
    this.entrances.delete(participant.id);
    this.options.entered(participant);
    const { welcome, welcomeSound, language, announce } = participant.room.policy;
    if (welcome !== null) sendText(participant, welcome);
    const muted = announce !== 'none' && participant.controls.muted !== null ? ['you-are-muted'] : [];
    const sounds = [...(welcomeSound === null ? [] : [welcomeSound]), ...muted];
    if (sounds.length > 0) announcer.say({ leg: participant.id }, language, sounds);
  }
}
