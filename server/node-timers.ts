import { performance } from 'node:perf_hooks';
import type { Timer, Timers } from './timers.ts';

const MACHINE_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** The real clock and the event loop's timers. */
export class NodeTimers implements Timers {
  /** How many are set, for metrics. */
  active = 0;

  /** Of `process.hrtime`, as mixers tell times: the same in all processes of the machine. */
  now(): number {
    return performance.now() + MACHINE_MS;
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
