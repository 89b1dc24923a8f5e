/** Of so many pictures all but one in ten are in time, when the sound waits. */
const WINDOW = 64;
/** So many are to have come since it was looked at last. */
const LEAST_PICTURES = 16;
const IN_TIME_SHARE = 0.9;
/** A little is not seen; and delay is heard. */
const TOLERATED_MS = 20;
/** The sound's delay is not changed for less than that: up; and down, as it is heard each time. */
const RISE_MS = 10;
const FALL_MS = 25;
/** Who speaks with others does not wait any longer, whatever the lips do. */
const MOST_MS = 300;

/** Follows how much later a sender's pictures come than their sound, and says how long the sound is to wait for them. */
export class PictureLateness {
  /** How long after its arrival the sound would have had to be in the mix for each picture. */
  private readonly wantedMs = new Float64Array(WINDOW);
  private readonly sorted = new Float64Array(WINDOW);
  private count = 0;
  /** Of them, those that were looked at. */
  private judged = 0;
  private toldMs: number | null = null;

  /**
   * A picture can be seen.
   * @param lateMs after its sound was in the mix; negative: before
   * @param soundDelayMs how long after its arrival the sound was in the mix then
   */
  note(lateMs: number, soundDelayMs: number): void {
    this.wantedMs[this.count++ % WINDOW] = soundDelayMs + lateMs;
  }

  /** Another stream: what was noted says nothing of what comes. */
  reset(): void {
    this.count = 0;
    this.judged = 0;
  }

  /**
   * How long after its arrival the sound should be in the mix; 0: no matter. Null: there is nothing new to tell.
   * @param soundDelayMs how long after it is now
   */
  due(soundDelayMs: number): number | null {
    if (this.count - this.judged < LEAST_PICTURES) return null;
    this.judged = this.count;
    const count = Math.min(this.count, WINDOW);
    const sorted = this.sorted.subarray(0, count);
    sorted.set(this.wantedMs.subarray(0, count));
    sorted.sort();
    const wantedMs = sorted[Math.floor(IN_TIME_SHARE * (count - 1))]!;
    const toldMs = this.toldMs ?? 0;
    const inTime = toldMs === 0 && wantedMs <= soundDelayMs + TOLERATED_MS;
    const delayMs = inTime ? 0 : Math.round(Math.min(MOST_MS, Math.max(0, wantedMs)));
    if (this.toldMs !== null && delayMs < toldMs + RISE_MS && delayMs > toldMs - FALL_MS) return null;
    this.toldMs = delayMs;
    return delayMs;
  }

  /** No pictures come, so the sound waits for none. As `due`. */
  noneCome(): number | null {
    this.reset();
    if (this.toldMs === null || this.toldMs === 0) return null;
    this.toldMs = 0;
    return 0;
  }
}
