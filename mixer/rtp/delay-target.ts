import { TransitWindow } from './transit-window.ts';

/** Above the measured spread, for what the measurement cannot see. */
const SAFETY_MS = 1;

/** So many packets in a row beyond the greatest delay, and at the pace of real time: the sender's clock stood still. */
const LATE_RUN_PACKETS = 5;

/** Learns from arrivals how long packets must wait for nearly all to be in time. */
export class DelayTarget {
  /** The target never falls below this. */
  minDelayMs: number;
  readonly #maxDelayMs: number;
  /** How much later than a packet the one after it is sent, when that should be there too in most cases; 0 when not. */
  aheadMs = 0;
  readonly #transits = new TransitWindow();
  #lateRun = 0;
  #lateRunArrivalMs = 0;
  #lateRunMediaMs = 0;

  constructor(minDelayMs: number, maxDelayMs: number) {
    this.minDelayMs = minDelayMs;
    this.#maxDelayMs = maxDelayMs;
  }

  /** Arrival less media time of the fastest packet; minus infinity before the first. */
  get baseMs(): number {
    return this.#transits.empty ? Number.NEGATIVE_INFINITY : this.#transits.baseMs;
  }

  /** How long the fastest packets should wait. */
  get targetMs(): number {
    const { spreadMs } = this.#transits;
    const wantedMs = Math.max(spreadMs + SAFETY_MS, this.minDelayMs);
    if (this.aheadMs === 0) return Math.min(wantedMs, this.#maxDelayMs);
    // With half the spread most are there in time; where jitter is large, it asks for more than that itself.
    return Math.min(Math.max(wantedMs, this.aheadMs + spreadMs / 2 + SAFETY_MS), this.#maxDelayMs);
  }

  reset(): void {
    this.#transits.clear();
    this.#lateRun = 0;
  }

  /** Takes an arrival into account; true when it shows that the sender's timing began anew. */
  observe(arrivalMs: number, mediaMs: number): boolean {
    const transitMs = arrivalMs - mediaMs;
    if (transitMs - this.baseMs <= this.#maxDelayMs || this.#transits.empty) {
      this.#lateRun = 0;
      this.#transits.add(transitMs);
      return false;
    }
    // No delay allowed would have saved this packet, so it must not raise the target. But a sender whose clock stood
    // still (on hold, say) goes on like this for ever, at the pace of real time; after a stall of the network the
    // packets come at once instead.
    if (this.#lateRun === 0) {
      this.#lateRunArrivalMs = arrivalMs;
      this.#lateRunMediaMs = mediaMs;
    }
    if (++this.#lateRun < LATE_RUN_PACKETS) return false;
    const realTime = arrivalMs - this.#lateRunArrivalMs >= (mediaMs - this.#lateRunMediaMs) / 2;
    this.#lateRun = 0;
    if (!realTime) return false;
    this.#transits.clear();
    this.#transits.add(transitMs);
    return true;
  }
}
