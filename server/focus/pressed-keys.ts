/** How a key came to us: in the media (RFC 4733, or its tone), or by SIP INFO. */
export type KeyMeans = 'media' | 'info';

/** What the two means tell of one press lies this close together. */
const SAME_PRESS_MS = 500;
/** Presses that are remembered; who sends more within that time is not pressing keys. */
const MOST_PRESSES = 16;

interface Press {
  key: string;
  means: KeyMeans;
  atMs: number;
}

/**
 * The keys of one call, each told once, though some phones and gateways send the same press both in the media and by INFO.
 *
 * A press that one of the two means tells is the other's when that told the same key at about that time and nothing of this
 * means has been taken for it yet. So a key that is pressed twice counts twice, by whichever means it comes.
 */
export class PressedKeys {
  /** Told by one means only until now, oldest first. */
  readonly #lone: Press[] = [];

  /**
   * Whether this is a new press.
   *
   * @param durationMs how long it was down until now: media tell a key when it is let go, INFO when it likes
   */
  isNew(key: string, means: KeyMeans, durationMs: number, nowMs: number): boolean {
    const fromMs = nowMs - durationMs;
    while (this.#lone.length > 0 && this.#lone[0]!.atMs < fromMs - SAME_PRESS_MS) this.#lone.shift();
    const other = this.#lone.findIndex(
      (press) => press.key === key && press.means !== means && press.atMs >= fromMs - SAME_PRESS_MS,
    );
    if (other >= 0) {
      this.#lone.splice(other, 1);
      return false;
    }
    if (this.#lone.length === MOST_PRESSES) this.#lone.shift();
    this.#lone.push({ key, means, atMs: nowMs });
    return true;
  }
}
