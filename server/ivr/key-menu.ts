import type { KeyAction, RoomKeys } from '../rooms/policy.ts';

/** A sequence that is not gone on with for so long is forgotten. */
export const SEQUENCE_MS = 4000;

/** What keys came to: an action, or one that only moderators may do. */
export type KeyMeaning = { readonly action: KeyAction } | { readonly notAllowed: KeyAction };

/** Finds sequences such as `*6` in the keys of one participant. */
export class KeyMenu {
  private pressed = '';
  private lastMs = 0;

  /** Null as long as the keys mean nothing. No sequence is the beginning of another, so none has to wait. */
  press(key: string, nowMs: number, keys: RoomKeys, moderator: boolean): KeyMeaning | null {
    const before = nowMs - this.lastMs > SEQUENCE_MS ? '' : this.pressed;
    this.lastMs = nowMs;
    for (const sequence of [before + key, key]) {
      const everybodys = keys.everybody[sequence];
      const moderators = keys.moderators[sequence];
      const action = everybodys ?? moderators;
      if (action !== undefined) {
        this.pressed = '';
        return everybodys !== undefined || moderator ? { action } : { notAllowed: action };
      }
      this.pressed = sequence;
      if (begins(sequence, keys.everybody) || begins(sequence, keys.moderators)) return null;
    }
    this.pressed = '';
    return null;
  }
}

function begins(text: string, keys: Readonly<Record<string, KeyAction>>): boolean {
  return Object.keys(keys).some((sequence) => sequence.startsWith(text));
}
