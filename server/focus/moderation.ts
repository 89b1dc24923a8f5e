import type { Announcer } from '../ivr/announcer.ts';
import type { Room } from '../rooms/room.ts';
import type { Role } from '../rooms/views.ts';
import type { ParticipantCall } from './participant-call.ts';

export interface ModerationOptions {
  readonly announcer: Announcer;
  in(room: Room): ParticipantCall[];
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
    if (by === 'moderator') controls.mutedByModerator = muted;
    else controls.mutedBySelf = muted;
    await participant.controlsChanged();
    const { announce, language } = room.policy;
    if (by !== 'moderator' || announce === 'none' || participant.isEntering) return;
    if (muted && !wasMuted) this.sayMutedByModerator(participant);
    else if (!muted && wasMuted && controls.muted === null) {
      this.options.announcer.say({ leg: participant.id }, language, ['you-are-unmuted']);
    }
  }

  async muteAll(room: Room, muted: boolean, spared: (participant: ParticipantCall) => boolean): Promise<void> {
    const meant = this.options.in(room).filter((participant) => !spared(participant));
    await Promise.all(
      meant.map((participant) => {
        participant.controls.mutedByModerator = muted;
        return participant.controlsChanged();
      }),
    );
  }

  /** "The moderator has muted you. To raise your hand, press …" */
  sayMutedByModerator({ id, room }: ParticipantCall): void {
    const { language, keys } = room.policy;
    const hand = Object.entries(keys.everybody).find(([, action]) => action === 'hand')?.[0];
    const ask = hand === undefined ? [] : [{ action: 'hand' as const, keys: hand }];
    this.options.announcer.say({ leg: id }, language, ['muted-by-moderator', ...ask]);
  }

  async setRole(participant: ParticipantCall, role: Role): Promise<void> {
    participant.controls.role = role;
    await participant.controlsChanged();
  }

  setHand({ id, room }: ParticipantCall, hand: boolean): void {
    if (room.participant(id)?.hand === hand) return;
    room.change(id, { hand, handRaisedAt: hand ? new Date().toISOString() : null });
  }

  /** Says why, and hangs up on everybody; unless `still` is false by then. */
  end(room: Room, why: readonly string[], reason: string, still: () => boolean = () => true): Promise<void> {
    return new Promise((resolve) => {
      const hangUp = (): void => {
        if (still()) for (const participant of this.options.in(room)) participant.hangUp(reason);
        resolve();
      };
      if (room.present.length === 0) hangUp();
      else this.options.announcer.say({ room: room.name }, room.policy.language, why, hangUp);
    });
  }
}
