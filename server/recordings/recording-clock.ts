/**
 * Where the time line of a recording is: the milliseconds that were recorded until now, without pauses.
 *
 * Mixers say when it was 0 by a clock that they share with the server, so it does not matter when that is read.
 */
export class RecordingClock {
  readonly #now: () => number;
  /** When the position was 0; without meaning while it stands. */
  #originMs = 0;
  #standsAtMs: number | null = 0;

  /** @param now milliseconds of `process.hrtime` */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whole milliseconds. */
  get positionMs(): number {
    return this.positionAt(this.#now());
  }

  /** When the position was 0, as it goes, or would go on, now. */
  get originMs(): number {
    return this.#standsAtMs === null ? this.#originMs : this.#now() - this.#standsAtMs;
  }

  /** Where it is, was or will be at that time, as it goes now. */
  positionAt(atMs: number): number {
    return Math.max(0, Math.round(this.#standsAtMs ?? atMs - this.#originMs));
  }

  /** It goes on, as if it had been 0 then and never stood. */
  run(originMs: number): void {
    this.#originMs = originMs;
    this.#standsAtMs = null;
  }

  /** It goes on from where it stands, now. */
  goOn(): void {
    this.run(this.#now() - this.positionMs);
  }

  /** It is there now, and stays. */
  stand(positionMs: number): void {
    this.#standsAtMs = positionMs;
  }
}
