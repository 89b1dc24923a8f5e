import type { Announcer } from '../ivr/announcer.ts';
import type { Room } from '../rooms/room.ts';
import type { Rooms } from '../rooms/rooms.ts';
import type { Role } from '../rooms/views.ts';
import type { ParticipantCall } from './participant-call.ts';

export interface ModerationOptions {
  readonly announcer: Announcer;
  readonly rooms: Pick<Rooms, 'breakoutsOf'>;
  in(room: Room): ParticipantCall[];
  /** Nobody is called into the room again. */
  callNobody(room: Room): void;
  /** Somebody who may not have entered yet has another role. */
  roleGiven(participant: ParticipantCall): void;
  /** Milliseconds since 1970. */
  epochMs(): number;
}

export const VOLUME_LIMITS_DB = { min: -30, max: 20 } as const;

/** What moderators and participants decide, however they said it: by HTTP or by keys. Rejects with `MixerError`s. */
export class Moderation {
  private readonly options: ModerationOptions;

  constructor(options: ModerationOptions) {
    this.options = options;
  }

  /** A moderator's mute and one's own are apart: each lifts only theirs. */
  async setMuted(participant: ParticipantCall, muted: boolean, by: 'moderator' | 'self'): Promise<void> {
    const { controls, room } = participant;
    const wasMuted = controls.muted?.by === 'moderator';
    await participant.decide(by === 'moderator' ? { mutedByModerator: muted } : { mutedBySelf: muted });
    const { announce, language } = room.policy;
    if (by !== 'moderator' || announce === 'none' || participant.isEntering) return;
    if (muted && !wasMuted) this.sayMutedByModerator(participant);
    else if (!muted && wasMuted && controls.muted === null) {
      this.options.announcer.say({ leg: participant.id }, language, ['you-are-unmuted']);
    }
  }

  async muteAll(room: Room, muted: boolean, spared: (participant: ParticipantCall) => boolean): Promise<void> {
    const meant = this.options.in(room).filter((participant) => !spared(participant));
    await Promise.all(meant.map((participant) => participant.decide({ mutedByModerator: muted })));
  }

  /** "The moderator has muted you. To raise your hand, press …" */
  sayMutedByModerator({ id, room }: ParticipantCall): void {
    const { language, keys } = room.policy;
    const hand = Object.entries(keys.everybody).find(([, action]) => action === 'hand')?.[0];
    const ask = hand === undefined ? [] : [{ action: 'hand' as const, keys: hand }];
    this.options.announcer.say({ leg: id }, language, ['muted-by-moderator', ...ask]);
  }

  /** Who is made a moderator while waiting waits no more, and is as one who came as a moderator. */
  async setRole(participant: ParticipantCall, role: Role): Promise<void> {
    const spared = role === 'moderator' && participant.controls.apart;
    await participant.decide({ role, ...(spared ? { mutedByModerator: false } : {}) });
    this.options.roleGiven(participant);
  }

  /** Only these are heard by all from now on; nobody: all are again. Mutes stay as they are, and count as well. */
  async giveFloor(room: Room, ids: readonly string[]): Promise<void> {
    room.giveFloor(ids);
    await this.floorChanged(room);
  }

  /** Puts into effect who has the floor. */
  async floorChanged(room: Room): Promise<void> {
    await Promise.all(this.options.in(room).map((participant) => participant.controlsChanged()));
  }

  setHand({ id, room }: ParticipantCall, hand: boolean): void {
    if (room.participant(id)?.hand === hand) return;
    room.change(id, { hand, handRaisedAt: hand ? new Date(this.options.epochMs()).toISOString() : null });
  }

  /** Says why, and hangs up on everybody, in breakout rooms too; unless `still` is false by then. */
  async end(room: Room, why: readonly string[], reason: string, still: () => boolean = () => true): Promise<void> {
    const all = [room, ...this.options.rooms.breakoutsOf(room)];
    await Promise.all(all.map((one) => this.endOne(one, why, reason, still)));
  }

  private endOne(room: Room, why: readonly string[], reason: string, still: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const hangUp = (): void => {
        if (still()) this.hangUpAll(room, reason);
        resolve();
      };
      if (room.present.length === 0) hangUp();
      else this.options.announcer.say({ room: room.name }, room.policy.language, why, hangUp);
    });
  }

  private hangUpAll(room: Room, reason: string): void {
    // First, as whom we hang up on while it rings would be called again.
    this.options.callNobody(room);
    for (const participant of this.options.in(room)) participant.hangUp(reason);
  }
}
