/**
 * What to set a timer to, so that it comes when something is due: whole milliseconds, rounded up. Node cuts the fraction
 * off, and so would wake the process too early, and again a millisecond later.
 */
export function timerMs(dueMs: number, nowMs: number): number {
  return Math.max(0, Math.ceil(dueMs - nowMs));
}
