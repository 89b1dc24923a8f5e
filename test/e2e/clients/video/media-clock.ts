/** What the sound and the picture of one sender have in common: the moment at which both began. */
export class MediaClock {
  /** Of `performance.now()`. */
  readonly startedMs: number;

  constructor(startedMs: number) {
    this.startedMs = startedMs;
  }

  /** Calls at `intervalMs` after the start, twice that and so on; a late call is made up for. */
  every(intervalMs: number, delayMs: number, act: (index: number) => void): () => void {
    let index = 0;
    let timer: NodeJS.Timeout;
    const turn = (): void => {
      const now = performance.now();
      while (this.startedMs + delayMs + index * intervalMs <= now) act(index++);
      timer = setTimeout(turn, Math.max(0, this.startedMs + delayMs + index * intervalMs - performance.now()));
    };
    timer = setTimeout(turn, 0);
    return () => clearTimeout(timer);
  }
}
