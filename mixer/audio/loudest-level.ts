const WINDOW_MS = 5000;

/** The loudest of the last 5 to 10 seconds. */
export class LoudestLevel {
  private windowStartMs = Number.NEGATIVE_INFINITY;
  private current = 0;
  private previous = 0;

  /** @param meanSquare of a piece of PCM, in units of its samples */
  note(meanSquare: number, nowMs: number): void {
    this.roll(nowMs);
    if (meanSquare > this.current) this.current = meanSquare;
  }

  /** dBov; −127 is silence (RFC 6464). */
  levelDb(nowMs: number): number {
    this.roll(nowMs);
    const loudest = Math.max(this.current, this.previous);
    return loudest === 0 ? -127 : Math.max(-127, Math.round(10 * Math.log10(loudest / (32768 * 32768))));
  }

  private roll(nowMs: number): void {
    const age = nowMs - this.windowStartMs;
    if (age < WINDOW_MS) return;
    this.previous = age < 2 * WINDOW_MS ? this.current : 0;
    this.current = 0;
    this.windowStartMs = nowMs;
  }
}
