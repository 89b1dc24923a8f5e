/** In packets; RFC 3711 §3.3.2 asks for 64 at least. These are five seconds of audio. A power of two, for the ring. */
export const REPLAY_WINDOW = 256;

/** Which of the last packet indices have been received (RFC 3711 §3.3.2, appendix A). */
export class ReplayWindow {
  #highest = -1;
  /** A ring: the bit of index i is i modulo the size. */
  readonly #seen = new Int32Array(REPLAY_WINDOW / 32);

  /** It came before, or is too old to tell. */
  isReplay(index: number): boolean {
    if (index > this.#highest) return false;
    if (this.#highest - index >= REPLAY_WINDOW) return true;
    const bit = index & (REPLAY_WINDOW - 1);
    return (this.#seen[bit >> 5]! & (1 << (bit & 31))) !== 0;
  }

  /** Notes a packet whose authentication was checked. */
  received(index: number): void {
    const ahead = index - this.#highest;
    if (ahead >= REPLAY_WINDOW) {
      this.#seen.fill(0);
    } else {
      for (let back = ahead - 1; back > 0; back--) this.#clear(index - back);
    }
    if (ahead > 0) this.#highest = index;
    const bit = index & (REPLAY_WINDOW - 1);
    this.#seen[bit >> 5]! |= 1 << (bit & 31);
  }

  #clear(index: number): void {
    const bit = index & (REPLAY_WINDOW - 1);
    this.#seen[bit >> 5]! &= ~(1 << (bit & 31));
  }
}
