/** The clock that protocol logic is given, so that it never reads one: real at the rim, virtual in tests. */
export interface Timers {
  /** Milliseconds on a monotonic clock. */
  now(): number;
  /** Calls `expired` once, `delayMs` from now. */
  set(delayMs: number, expired: () => void): Timer;
}

export interface Timer {
  /** Does nothing when the timer has expired or was cleared before. */
  clear(): void;
}
