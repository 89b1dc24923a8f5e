export interface BanPolicy {
  /** So many failures within the window, and the sender is banned. */
  readonly afterFailures: number;
  readonly windowMs: number;
  readonly banMs: number;
}

interface Offender {
  /** When it failed, within the window. */
  failedMs: number[];
  bannedUntilMs: number;
}

const MAX_OFFENDERS = 65_536;
/** Looking through all of them takes milliseconds, so it is not done for each new one. */
const CLEANING_INTERVAL_MS = 1000;
const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 4000;

/** Keeps account of wrong passwords: a sender that gives many is slowed, and then banned for a while. */
export class FailureBans {
  /** Since the start. */
  bans = 0;
  private readonly policy: BanPolicy;
  private readonly maxOffenders: number;
  /** Who failed last is the last. */
  private readonly offenders = new Map<string, Offender>();
  private cleanedMs = Number.NEGATIVE_INFINITY;

  constructor(policy: BanPolicy, maxOffenders = MAX_OFFENDERS) {
    this.policy = policy;
    this.maxOffenders = maxOffenders;
  }

  /** Takes note of a failure; true when the sender is banned for it. */
  failed(sender: string, nowMs: number): boolean {
    const offender = this.offenderOf(sender, nowMs);
    // What was on its way when the ban began.
    if (nowMs < offender.bannedUntilMs) return false;
    offender.failedMs.push(nowMs);
    if (offender.failedMs.length < this.policy.afterFailures) return false;
    offender.failedMs = [];
    offender.bannedUntilMs = nowMs + this.policy.banMs;
    this.bans++;
    return true;
  }

  isBanned(sender: string, nowMs: number): boolean {
    const offender = this.offenders.get(sender);
    return offender !== undefined && nowMs < offender.bannedUntilMs;
  }

  /** How long the sender's next request with a password waits: from half of the failures on, twice as long each time. */
  delayMs(sender: string, nowMs: number): number {
    const offender = this.offenders.get(sender);
    if (offender === undefined) return 0;
    this.forget(offender, nowMs);
    const beyond = offender.failedMs.length - Math.ceil(this.policy.afterFailures / 2);
    return beyond < 0 ? 0 : Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** beyond);
  }

  /** How many are banned at present. */
  banned(nowMs: number): number {
    let count = 0;
    for (const { bannedUntilMs } of this.offenders.values()) if (nowMs < bannedUntilMs) count++;
    return count;
  }

  private offenderOf(sender: string, nowMs: number): Offender {
    const known = this.offenders.get(sender);
    if (known !== undefined) this.forget(known, nowMs);
    else if (this.offenders.size >= this.maxOffenders) this.makeRoom(nowMs);
    const offender = known ?? { failedMs: [], bannedUntilMs: 0 };
    this.offenders.delete(sender);
    this.offenders.set(sender, offender);
    return offender;
  }

  private forget(offender: Offender, nowMs: number): void {
    const since = nowMs - this.policy.windowMs;
    offender.failedMs = offender.failedMs.filter((failedMs) => failedMs > since);
  }

  /** Whoever has nothing against them any more goes; when there are none such, the one who failed least lately. */
  private makeRoom(nowMs: number): void {
    if (nowMs - this.cleanedMs >= CLEANING_INTERVAL_MS) this.clean(nowMs);
    if (this.offenders.size >= this.maxOffenders) this.offenders.delete(this.offenders.keys().next().value!);
  }

  private clean(nowMs: number): void {
    this.cleanedMs = nowMs;
    for (const [sender, offender] of this.offenders) {
      this.forget(offender, nowMs);
      if (offender.failedMs.length === 0 && nowMs >= offender.bannedUntilMs) this.offenders.delete(sender);
    }
  }
}
