import { DurationHistogram } from './histogram.ts';
import { PTIME_MS } from './load-signal.ts';
import type { MediaCaller } from './media-caller.ts';

/** Callers are spread over the 20 ms in so many groups: one timer for all of them. */
const GROUPS = 10;
const GROUP_INTERVAL_MS = PTIME_MS / GROUPS;

/** Makes every caller send one packet each 20 ms, and notes how late it was itself. */
export class SendClock {
  readonly latenessMs = new DurationHistogram();
  readonly #groups: MediaCaller[][] = Array.from({ length: GROUPS }, () => []);
  #added = 0;
  #nextMs = 0;
  #group = 0;
  #timer: NodeJS.Timeout | null = null;

  add(caller: MediaCaller): void {
    // 3 and 10 have no common divisor: neighbours, so the talkers too, are 6 ms apart.
    this.#groups[(this.#added * 3) % GROUPS]!.push(caller);
    this.#added++;
  }

  start(): void {
    this.#nextMs = performance.now();
    this.#tick();
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #tick = (): void => {
    const now = performance.now();
    while (this.#nextMs <= now) {
      this.latenessMs.add(now - this.#nextMs);
      for (const caller of this.#groups[this.#group]!) caller.send();
      this.#group = (this.#group + 1) % GROUPS;
      this.#nextMs += GROUP_INTERVAL_MS;
    }
    this.#timer = setTimeout(this.#tick, Math.max(0, this.#nextMs - performance.now()));
  };
}
