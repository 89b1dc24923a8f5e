import type { LegControl } from '../../mixer/protocol.ts';
import type { LayoutName } from '../../mixer/video-protocol.ts';
import type { ParticipantView, Role } from '../rooms/views.ts';

/** What moderators and participants decide of it. */
export type Decision = Partial<
  Pick<
    ParticipantControls,
    | 'role'
    | ('mutedByModerator' | 'mutedBySelf' | 'deaf' | 'gainDb' | 'volumeDb' | 'speaksTo' | 'recorded')
    | ('camera' | 'layout' | 'hideSelf')
  >
>;

type ShownControls = Pick<
  ParticipantView,
  ('role' | 'muted' | 'deaf' | 'gainDb' | 'volumeDb' | 'speaksTo' | 'recorded') | ('camera' | 'layout' | 'hideSelf')
>;

/** What is decided about a participant's sound and picture, and by whom: a moderator's mute and one's own are apart. */
export class ParticipantControls {
  role: Role;
  mutedByModerator = false;
  mutedBySelf = false;
  deaf = false;
  gainDb = 0;
  volumeDb = 0;
  speaksTo: string[] | null = null;
  recorded = true;
  /** False: a moderator has turned their picture off. */
  camera = true;
  /** What they see; null: as the room has it. */
  layout: LayoutName | null = null;
  hideSelf: boolean | null = null;
  /** There is video, which keeps step with the sound. Not for people to decide. */
  tellsSound = false;
  /** What they say waits at least so long, for pictures that come later; milliseconds. Not for people to decide. */
  minDelayMs = 0;
  /** Not in the room yet: is asked for a PIN, waits, or is still being called. */
  apart: boolean;

  constructor(role: Role, apart: boolean) {
    this.role = role;
    this.apart = apart;
  }

  get muted(): ParticipantView['muted'] {
    // A listener is one whom a moderator wants not to be heard.
    if (this.mutedByModerator || this.role === 'listener') return { by: 'moderator' };
    return this.mutedBySelf ? { by: 'self' } : null;
  }

  /** Gives what takes it back, but for what was decided otherwise meanwhile. */
  decide(decision: Decision): () => void {
    const before = { ...this };
    Object.assign(this, decision);
    return () => {
      for (const key of Object.keys(decision) as (keyof Decision)[]) {
        if (this[key] === decision[key]) Object.assign(this, { [key]: before[key] });
      }
    };
  }

  /** As who takes the place of another. */
  takeOver(other: ParticipantControls): void {
    const { mutedByModerator, mutedBySelf, deaf, gainDb, volumeDb, recorded, camera, layout, hideSelf } = other;
    Object.assign(this, { mutedByModerator, mutedBySelf, deaf, gainDb, volumeDb, recorded, camera, layout, hideSelf });
  }

  /**
   * @param maySpeak false: others have the floor. That is no mute, and shows as none; who speaks to some alone does not
   *   need the floor
   */
  forMixer(maySpeak: boolean): LegControl {
    const { deaf, gainDb, volumeDb, apart, speaksTo, recorded } = this;
    const muted = this.muted !== null || (!maySpeak && speaksTo === null);
    const control = { muted, deaf, gainDb, volumeDb, apart, speaksTo, recorded };
    return this.tellsSound ? { ...control, tellsSound: true, minDelayMs: this.minDelayMs } : control;
  }

  get view(): ShownControls {
    const { role, muted, deaf, gainDb, volumeDb, speaksTo, recorded, camera, layout, hideSelf } = this;
    return { role, muted, deaf, gainDb, volumeDb, speaksTo, recorded, camera, layout, hideSelf };
  }
}
