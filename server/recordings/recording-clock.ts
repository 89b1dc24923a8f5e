import type { Timer, Timers } from '../timers.ts';

/**
 * Where the time line of a recording is: the milliseconds that were recorded until now, without pauses.
 *
 * Set by what the mixer says, and read by the server's own monotonic clock in between.
 */
export class RecordingClock {
  readonly #now: () => number;
  /** When the position was 0; without meaning while it stands. */
  #originMs = 0;
  #standsAtMs: number | null = 0;

  /** @param now monotonic, milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whole milliseconds. */
  get positionMs(): number {
    return Math.max(0, Math.round(this.#standsAtMs ?? this.#now() - this.#originMs));
  }

  /** It is there now, and goes on. */
  run(positionMs: number): void {
    this.#originMs = this.#now() - positionMs;
    this.#standsAtMs = null;
  }

  /** It is there now, and stays. */
  stand(positionMs: number): void {
    this.#standsAtMs = positionMs;
  }

  /**
   * The mixer said that it was there some time within the last `withinMs`: nothing is known better than that, so nothing
   * changes unless it is further off.
   */
  correct(positionMs: number, withinMs: number): void {
    if (this.#standsAtMs !== null) return;
    const now = this.#now() - this.#originMs;
    if (now < positionMs) this.run(positionMs);
    else if (now > positionMs + withinMs) this.run(positionMs + withinMs);
  }
}

const FIRST_AFTER_MS = 1000;
const EVERY_MS = 10_000;

/**
 * Asks now and then where a recording is. A busy server reads the mixer's answers late, and would be behind for good; the
 * answer that it reads at once puts that right.
 */
export class ClockCheck {
  readonly #timers: Timers;
  readonly #check: () => Promise<void>;
  #timer: Timer | null;

  /** @param check settled when it is over; must not reject */
  constructor(timers: Timers, check: () => Promise<void>) {
    this.#timers = timers;
    this.#check = check;
    this.#timer = timers.set(FIRST_AFTER_MS, () => this.#run());
  }

  stop(): void {
    this.#timer?.clear();
    this.#timer = null;
  }

  #run(): void {
    this.#timer = this.#timers.set(EVERY_MS, () => this.#run());
    void this.#check();
  }
}
