import { performance } from 'node:perf_hooks';
import type { Timer, Timers } from './timers.ts';

/** The real clock and the event loop's timers. */
export class NodeTimers implements Timers {
  /** How many are set, for metrics. */
  active = 0;

  now(): number {
    return performance.now();
  }

  set(delayMs: number, expired: () => void): Timer {
    let waiting = true;
    this.active++;
    const handle = setTimeout(() => {
      waiting = false;
      this.active--;
      expired();
    }, delayMs);
    return {
      clear: () => {
        if (!waiting) return;
        waiting = false;
        this.active--;
        clearTimeout(handle);
      },
    };
  }
}
