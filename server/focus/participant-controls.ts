import type { LegControl } from '../../mixer/protocol.ts';
import type { ParticipantView, Role } from '../rooms/views.ts';

/** What is decided about a participant's sound, and by whom: a moderator's mute and one's own are apart. */
export class ParticipantControls {
  role: Role;
  mutedByModerator = false;
  mutedBySelf = false;
  deaf = false;
  gainDb = 0;
  volumeDb = 0;
  speaksTo: string[] | null = null;
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

  /** As who takes the place of another. */
  takeOver({ mutedByModerator, mutedBySelf, deaf, gainDb, volumeDb }: ParticipantControls): void {
    Object.assign(this, { mutedByModerator, mutedBySelf, deaf, gainDb, volumeDb });
  }

  get forMixer(): LegControl {
    const { deaf, gainDb, volumeDb, apart, speaksTo } = this;
    return { muted: this.muted !== null, deaf, gainDb, volumeDb, apart, speaksTo };
  }

  get view(): Pick<ParticipantView, 'role' | 'muted' | 'deaf' | 'gainDb' | 'volumeDb' | 'speaksTo'> {
    const { role, muted, deaf, gainDb, volumeDb, speaksTo } = this;
    return { role, muted, deaf, gainDb, volumeDb, speaksTo };
  }
}
