/** So many wrong PINs within the window, and no PIN is taken from that source for a while. */
export const MOST_WRONG = 9;
export const WINDOW_MS = 10 * 60_000;
/** The first time; each further time twice as long. */
export const FIRST_BLOCK_MS = 60_000;
/** Who gave no wrong PIN for so long after the end of a block begins at the first again. */
export const LONGEST_BLOCK_MS = 60 * 60_000;

const MOST_SOURCES = 10_000;

interface Guesser {
  /** When, within the window. */
  wrongMs: number[];
  blocks: number;
  blockedUntilMs: number;
}

/** Counts the wrong PINs of each source for each room, over all of its calls. Times are milliseconds on one clock. Pure. */
export class PinAttempts {
  private readonly mostSources: number;
  /** By room and source; who guessed last is the last. */
  private readonly guessers = new Map<string, Guesser>();

  constructor(mostSources = MOST_SOURCES) {
    this.mostSources = mostSources;
  }

  get size(): number {
    return this.guessers.size;
  }

  /** Takes note of a wrong PIN; the milliseconds for which no more is taken, 0 when the next may be tried. */
  wrong(room: string, source: string, nowMs: number): number {
    const guesser = this.guesserOf(keyOf(room, source), nowMs);
    guesser.wrongMs.push(nowMs);
    if (guesser.wrongMs.length < MOST_WRONG) return 0;
    const blockMs = Math.min(LONGEST_BLOCK_MS, FIRST_BLOCK_MS * 2 ** guesser.blocks);
    guesser.wrongMs = [];
    guesser.blocks++;
    guesser.blockedUntilMs = nowMs + blockMs;
    return blockMs;
  }

  /** They know it: nothing is held against them any more. */
  right(room: string, source: string): void {
    this.guessers.delete(keyOf(room, source));
  }

  /** The milliseconds for which no PIN is taken yet; 0: it may be tried. */
  blockedMs(room: string, source: string, nowMs: number): number {
    const guesser = this.guessers.get(keyOf(room, source));
    return guesser === undefined ? 0 : Math.max(0, guesser.blockedUntilMs - nowMs);
  }

  private guesserOf(key: string, nowMs: number): Guesser {
    const known = this.guessers.get(key);
    this.guessers.delete(key);
    if (known === undefined && this.guessers.size >= this.mostSources) {
      this.guessers.delete(this.guessers.keys().next().value!);
    }
    const stale = known === undefined || (known.blocks > 0 && nowMs >= known.blockedUntilMs + LONGEST_BLOCK_MS);
    const guesser = stale ? { wrongMs: [], blocks: 0, blockedUntilMs: 0 } : known;
    guesser.wrongMs = guesser.wrongMs.filter((wrongMs) => wrongMs > nowMs - WINDOW_MS);
    this.guessers.set(key, guesser);
    return guesser;
  }
}

/** A room's name has no space in it. */
const keyOf = (room: string, source: string): string => `${room} ${source}`;
