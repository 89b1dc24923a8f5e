/** Told this often while sound comes, and sooner when it has changed by so much. */
const EVERY_MS = 1000;
const CHANGE_MS = 10;
/** Looked at no more often. */
const LOOK_MS = 100;
/** What nothing was noted of for so long is not told any more. */
const STALE_MS = 500;
/** Share of a packet in the mean: a sound packet's wait jumps with the jitter of the net, pictures must not. */
const NEW_SHARE = 0.05;

/** How late a participant's sound is in the mix; see `legSound` of the protocol. */
export interface SoundLateness {
  delayMs: number;
  senderNtpMs: number | null;
}

/** Where a sender's time stamps stand on its own clock; see `RtcpSession.senderReference`. */
export interface SenderReference {
  readonly ntpMs: number;
  readonly rtpTimestamp: number;
}

/** Follows how late the sound of one sender is in the mix. Only for those whose pictures are to keep step with it. */
export class SoundDelay {
  private delayMs = Number.NaN;
  /** Of the first sample of the tick that was noted last. */
  private timestamp = 0;
  private clockRateHz = 0;
  private notedMs = Number.NEGATIVE_INFINITY;
  private told: SoundLateness | null = null;
  private toldMs = Number.NEGATIVE_INFINITY;
  private lookedMs = Number.NEGATIVE_INFINITY;

  /**
   * A packet goes into the mix of this tick.
   * @param waitedMs from its arrival until now
   * @param aheadMs what is played before it in this tick
   */
  note(timestamp: number, clockRateHz: number, waitedMs: number, aheadMs: number, nowMs: number): void {
    const delayMs = waitedMs + aheadMs;
    const fresh = Number.isNaN(this.delayMs) || nowMs - this.notedMs > STALE_MS;
    this.delayMs = fresh ? delayMs : this.delayMs + NEW_SHARE * (delayMs - this.delayMs);
    this.timestamp = timestamp - Math.round((aheadMs * clockRateHz) / 1000);
    this.clockRateHz = clockRateHz;
    this.notedMs = nowMs;
  }

  /** Another source has taken over. */
  reset(): void {
    this.delayMs = Number.NaN;
    this.notedMs = Number.NEGATIVE_INFINITY;
  }

  /**
   * What is to be told now; null: nothing.
   * @param reference null: the sender has not reported yet
   * @param wallClockOffsetMs UNIX time less the clock of `nowMs`
   */
  due(reference: SenderReference | null, wallClockOffsetMs: number, nowMs: number): SoundLateness | null {
    if (nowMs - this.notedMs > STALE_MS || nowMs - this.lookedMs < LOOK_MS) return null;
    this.lookedMs = nowMs;
    const senderNtpMs = reference === null ? null : this.senderNtpMs(reference, wallClockOffsetMs);
    const now = { delayMs: Math.round(this.delayMs), senderNtpMs };
    if (nowMs - this.toldMs < EVERY_MS && !differs(this.told, now)) return null;
    this.told = now;
    this.toldMs = nowMs;
    return now;
  }

  private senderNtpMs({ ntpMs, rtpTimestamp }: SenderReference, wallClockOffsetMs: number): number {
    // Time stamps wrap, and begin anywhere.
    const sinceMs = (((this.timestamp - rtpTimestamp) | 0) * 1000) / this.clockRateHz;
    return Math.round(this.notedMs + wallClockOffsetMs - (ntpMs + sinceMs));
  }
}

function differs(told: SoundLateness | null, now: SoundLateness): boolean {
  if (told === null || (told.senderNtpMs === null) !== (now.senderNtpMs === null)) return true;
  const ntpChange = Math.abs((told.senderNtpMs ?? 0) - (now.senderNtpMs ?? 0));
  return Math.abs(told.delayMs - now.delayMs) >= CHANGE_MS || ntpChange >= CHANGE_MS;
}
