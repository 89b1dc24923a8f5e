/**
 * A sender's word that it sends silence is checked once in such a time on average; seldomer by and by, as long as it turns
 * out to be true. Within five seconds it always is: so long goes what is told of its level.
 */
const FIRST_CHECK_MS = 1000;
const LAST_CHECK_MS = 3200;
/** Whose word was wrong is not taken for so long, and for twice as long each time again. */
const LEAST_DISTRUST_MS = 10_000;
const MOST_DISTRUST_MS = 640_000;

/** RFC 6464 §3: the octet's highest bit says that there is voice; the rest is the level below overload, dB. */
const VOICE_BIT = 0x80;
const LEVEL_MASK = 0x7f;
/** Below any threshold of voice activity. */
const SILENT_DB = 65;
/** What is no voice and no louder than this is nothing that anybody misses. Above it is noise that is heard, as from all. */
const FAINT_DB = 45;

/** Says that a packet has no level. */
export const NO_AUDIO_LEVEL = -1;

/**
 * Whether the sender says by the level of a packet (RFC 6464) that it holds silence.
 *
 * @param level the octet of the header extension, or `NO_AUDIO_LEVEL`
 * @param vad its highest bit means something
 */
export function levelSaysSilence(level: number, vad: boolean): boolean {
  if (level < 0) return false;
  return (level & LEVEL_MASK) >= (vad && (level & VOICE_BIT) === 0 ? FAINT_DB : SILENT_DB);
}

/**
 * Decides whether a sender's word that it sends silence is good enough to leave its packets undecoded. Now and then one is
 * decoded all the same. Whoever turns out to have said silence of sound is not believed for a while, and for ever longer if
 * that happens again before they were once seen to announce their sound.
 */
export class SilenceClaims {
  /** The packet at hand is decoded although it says that it is silence. */
  checking = false;
  private restingSinceMs = 0;
  private checkEveryMs = FIRST_CHECK_MS;
  private nextCheckMs: number;
  private announced = false;
  private distrustUntilMs = Number.NEGATIVE_INFINITY;
  private distrustMs = LEAST_DISTRUST_MS;
  private readonly random: () => number;

  constructor(random: () => number = Math.random) {
    this.random = random;
    this.nextCheckMs = this.intervalMs();
  }

  /**
   * Whether the packet may rest.
   *
   * @param silent what the sender says of it
   * @param resting how many before it were left undecoded in a row
   */
  mayRest(silent: boolean, resting: number, nowMs: number): boolean {
    this.nothing();
    this.announced = !silent;
    if (resting === 0) this.restingSinceMs = nowMs;
    if (!silent || nowMs < this.distrustUntilMs) return false;
    this.checking = nowMs - this.restingSinceMs >= this.nextCheckMs;
    return !this.checking;
  }

  /** No packet is at hand about which the sender could have said something. */
  nothing(): void {
    if (this.checking) this.checkAgainAfter(Math.min(2 * this.checkEveryMs, LAST_CHECK_MS));
    this.checking = false;
    this.announced = false;
  }

  /** There was sound in what the tick played. */
  sounded(nowMs: number): void {
    if (this.checking) {
      this.checking = false;
      this.checkAgainAfter(FIRST_CHECK_MS);
      this.distrustUntilMs = nowMs + this.distrustMs;
      this.distrustMs = Math.min(2 * this.distrustMs, MOST_DISTRUST_MS);
    } else if (this.announced) {
      this.distrustMs = LEAST_DISTRUST_MS;
    }
  }

  /** Another sender. */
  reset(): void {
    this.checking = false;
    this.announced = false;
    this.checkAgainAfter(FIRST_CHECK_MS);
    this.distrustUntilMs = Number.NEGATIVE_INFINITY;
    this.distrustMs = LEAST_DISTRUST_MS;
  }

  private checkAgainAfter(ms: number): void {
    this.checkEveryMs = ms;
    this.nextCheckMs = this.intervalMs();
  }

  /** Not the same for all: those who came together, or fell silent together, would all be decoded in one tick. */
  private intervalMs(): number {
    return this.checkEveryMs * (0.5 + this.random());
  }
}
