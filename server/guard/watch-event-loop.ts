import { performance } from 'node:perf_hooks';
import type { Log } from '../log.ts';
import type { Overload } from './overload.ts';

const SAMPLE_MS = 100;

/** Tells how late the event loop is, again and again, until the returned function is called. */
export function watchEventLoop(overload: Overload, log: Log): () => void {
  let due = performance.now() + SAMPLE_MS;
  const timer = setInterval(() => {
    const now = performance.now();
    if (overload.sample(Math.max(0, now - due))) {
      const lagMs = Math.round(overload.lagMs);
      if (overload.overloaded) log.warn({ lagMs }, 'overloaded: no new calls');
      else log.info({ lagMs }, 'no longer overloaded');
    }
    due = now + SAMPLE_MS;
  }, SAMPLE_MS);
  timer.unref();
  return () => clearInterval(timer);
}
