/** A picture in motion is seldom spread evenly: so much above the mean goes without waiting. */
const HEADROOM = 2.5;
/** What waits is gone after so long, whatever the bitrate: a key frame is spread over it, not longer. */
const MOST_SPREAD_MS = 100;
/** So many octets go at any rate, when nothing went for a moment: a few packets. */
const LEAST_BURST = 4 * 1200;
/** What may go of a time in which we did not come to send. */
const MOST_CATCH_UP_MS = 20;

/**
 * Says when the packets of one viewer may go, so that a frame does not arrive at a narrow line all at once. To be asked
 * every few milliseconds.
 */
export class Pacer {
  private allowed = LEAST_BURST;
  private lastMs = Number.NaN;
  /** When the last of what waits has to be gone; NaN when nothing waits. */
  private deadlineMs = Number.NaN;
  private waitingBefore = 0;

  /**
   * To be called before packets are written.
   *
   * @param bitrateBps mean, that the encoder keeps to
   * @param waitingOctets what waits for this viewer
   */
  begin(bitrateBps: number, waitingOctets: number, nowMs: number): void {
    const passedMs = Number.isNaN(this.lastMs) ? 0 : Math.min(MOST_CATCH_UP_MS, nowMs - this.lastMs);
    this.lastMs = nowMs;
    if (waitingOctets === 0) this.deadlineMs = Number.NaN;
    else if (Number.isNaN(this.deadlineMs) || waitingOctets > this.waitingBefore) {
      this.deadlineMs = nowMs + MOST_SPREAD_MS;
    }
    this.waitingBefore = waitingOctets;
    const octetsPerMs = (HEADROOM * bitrateBps) / 8000;
    this.allowed = Math.min(this.allowed + octetsPerMs * passedMs, Math.max(LEAST_BURST, octetsPerMs * passedMs));
    if (waitingOctets > 0) this.allowed = Math.max(this.allowed, this.share(waitingOctets, passedMs, nowMs));
  }

  /** Whether the next packet may go; counts it if so. */
  take(octets: number): boolean {
    if (this.allowed <= 0) return false;
    this.allowed -= octets;
    this.waitingBefore -= octets;
    return true;
  }

  /** What has to go now, so that all is gone by the deadline. */
  private share(waitingOctets: number, passedMs: number, nowMs: number): number {
    const leftMs = this.deadlineMs - nowMs;
    return leftMs <= passedMs ? waitingOctets : (waitingOctets * passedMs) / leftMs;
  }
}
