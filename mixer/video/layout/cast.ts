/**
 * Who speaks, as a picture shows it: calmer than speech. One for a room; `Stage` makes of it who is seen in which place.
 *
 * Who comes on screen as the speaker stays for two seconds at least, whatever is said meanwhile; then the one who speaks by
 * then follows. No clock: time is an argument.
 */

import type { VideoScene } from '../../video-protocol.ts';

/** Shorter than this, a change of speaker is felt as flicker. */
export const SPEAKER_HOLD_MS = 2000;

export class Cast {
  /** Who has been on screen as the speaker and is still here: the present one first. */
  spoke: readonly string[] = [];
  /** Who is in the room, as they came, and of whose camera a picture can be shown. */
  present: readonly string[] = [];
  withPicture: ReadonlySet<string> = new Set();
  /** Another number whenever one of these has changed. */
  version = 0;
  private heldUntilMs = Number.NEGATIVE_INFINITY;

  /** On screen as who speaks; null: nobody has spoken yet. */
  get speaker(): string | null {
    return this.spoke[0] ?? null;
  }

  /**
   * To be called when the scene or what pictures there are has changed, and when it asked for it; more often does no harm.
   * `withPicture`: legs of whose camera there are pictures.
   * Returns when it is to be called again though nothing has changed; null: not at all.
   */
  update(scene: VideoScene, withPicture: ReadonlySet<string>, nowMs: number): number | null {
    const cameras = scene.participants
      .filter(({ leg, camera }) => camera && withPicture.has(leg))
      .map(({ leg }) => leg);
    const seen = new Set(cameras);
    const present = scene.participants.filter(({ leg, hasCard }) => hasCard || seen.has(leg)).map(({ leg }) => leg);
    this.change(present, cameras);
    const { speaker } = scene;
    if (speaker === null || speaker === this.speaker || !this.present.includes(speaker)) return null;
    if (nowMs < this.heldUntilMs) return this.heldUntilMs;
    this.spoke = [speaker, ...this.spoke.filter((leg) => leg !== speaker)];
    this.heldUntilMs = nowMs + SPEAKER_HOLD_MS;
    this.version++;
    return null;
  }

  private change(present: readonly string[], cameras: readonly string[]): void {
    if (!alike(present, this.present)) {
      this.present = present;
      const here = new Set(present);
      // Who is next has not asked for the place, and so is not held.
      if (this.speaker !== null && !here.has(this.speaker)) this.heldUntilMs = Number.NEGATIVE_INFINITY;
      this.spoke = this.spoke.filter((leg) => here.has(leg));
      this.version++;
    }
    if (cameras.length === this.withPicture.size && cameras.every((leg) => this.withPicture.has(leg))) return;
    this.withPicture = new Set(cameras);
    this.version++;
  }
}

function alike(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((leg, index) => leg === other[index]);
}
