import type { Timer, Timers } from '../../timers.ts';
import type { SessionInterval } from './session-interval.ts';

export interface SessionTimerUser {
  /** Half of the interval is over, and refreshing is ours. */
  refresh(): void;
  /** Nothing was refreshed in time. */
  expired(): void;
}

/** What a timer can be set to: 24 days. */
const LONGEST_MS = 2 ** 31 - 1;

/** Keeps a session alive, or notices that nobody does (RFC 4028 §10). */
export class SessionTimer {
  /** What was agreed last; null: the session does not expire. */
  agreed: SessionInterval | null = null;
  private readonly timers: Timers;
  private readonly user: SessionTimerUser;
  private refreshing: Timer | null = null;
  private expiring: Timer | null = null;

  constructor(timers: Timers, user: SessionTimerUser) {
    this.timers = timers;
    this.user = user;
  }

  /** An INVITE or UPDATE was accepted: the interval begins anew. */
  restart(interval: SessionInterval | null): void {
    this.stop();
    this.agreed = interval;
    if (interval === null) return;
    const { intervalS, refresher } = interval;
    if (refresher === 'us')
      this.refreshing = this.timers.set(Math.min(intervalS * 500, LONGEST_MS), () => this.user.refresh());
    // A BYE goes out a little before the end, so that both sides see the same (RFC 4028 §10).
    const aliveS = intervalS - Math.min(32, intervalS / 3);
    this.expiring = this.timers.set(Math.min(aliveS * 1000, LONGEST_MS), () => this.user.expired());
  }

  stop(): void {
    this.refreshing?.clear();
    this.expiring?.clear();
    this.refreshing = null;
    this.expiring = null;
  }
}
