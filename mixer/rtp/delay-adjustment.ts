export type PlayoutAdjustment = 'none' | 'shorten' | 'lengthen';

/** Between two acts of stretching, so that speech is sped up or slowed down by about a tenth at most. */
const ADJUSTMENT_INTERVAL_MS = 60;
/** So far above the target that the interval is not kept. */
const URGENT_EXCESS_MS = 150;
/** A consumer that did not shorten for so long, though asked, cannot: its sound gives no chance. */
const OVERDUE_MS = 5000;
/** Room for a pitch period, so that lengthening by a little is possible. */
const LEAST_LENGTHENING_MS = 10;
/** A wait that is shorter than the target by more than this is lengthened. */
const TOLERATED_DEFICIT_MS = 1;

/**
 * Decides when the consumer should stretch or shorten what it plays, to bring the wait of the packets to its target.
 *
 * The consumer pulls in whole ticks. So a packet is pulled up to a tick before its first sample is played, by what the
 * consumer still has buffered then: the wait that counts is the playout delay less that. With packets of `p` and ticks
 * of `t` the buffered part goes through all multiples of their greatest common divisor, the *grain*: the delay must
 * cover `t` - grain more than the target, and changing it by less than a grain changes no pull.
 */
export class DelayAdjustment {
  adjustment: PlayoutAdjustment = 'none';
  /** At most so much should be taken away or inserted. */
  adjustmentMs = 0;
  readonly #tickMs: number;
  #grainMs: number;
  #excessMs = 0;
  /** Playout time less media time: moves only when the consumer stretched. */
  #offsetMs = Number.NaN;
  #holdUntilMs = 0;
  /** Since when shortening is asked for in vain. */
  #askingSinceMs = 0;

  constructor(tickMs: number) {
    this.#tickMs = tickMs;
    this.#grainMs = tickMs;
  }

  /** Wait beyond the target that a first packet, pulled with nothing buffered, needs for the sake of those after it. */
  get pullAheadMs(): number {
    return this.#tickMs - this.#grainMs;
  }

  setPacketMs(packetMs: number): void {
    let a = Math.round(packetMs);
    let b = this.#tickMs;
    while (a !== 0) {
      const rest = b % a;
      b = a;
      a = rest;
    }
    // Packets of broken milliseconds drift through all phases.
    this.#grainMs = Math.abs(packetMs - Math.round(packetMs)) < 1e-6 ? b : 1;
  }

  /** How much sooner the packets could have been pulled lately: follows a fall at once and a rise slowly. */
  get excessMs(): number {
    return this.#excessMs;
  }

  /** The delay was set anew. */
  restart(nowMs: number): void {
    this.#excessMs = 0;
    this.#askingSinceMs = nowMs;
    this.#offsetMs = Number.NaN;
    this.adjustment = 'none';
    this.adjustmentMs = 0;
  }

  /** All that is pulled from now on is so much later: not to be waited for, as a rise is otherwise. */
  heldUp(ms: number): void {
    this.#excessMs += ms;
  }

  /** Called with each packet pulled; `offsetMs` is its playout time less its media time. */
  update(nowMs: number, bufferedMs: number, offsetMs: number, delayMs: number, targetMs: number): void {
    const slackMs = this.#slack(bufferedMs);
    const excessMs = delayMs - slackMs - this.pullAheadMs - targetMs;
    if (excessMs < this.#excessMs || Number.isNaN(this.#offsetMs)) this.#excessMs = excessMs;
    else this.#excessMs += (excessMs - this.#excessMs) / 16;

    if (Math.abs(offsetMs - this.#offsetMs) > 1) {
      this.#holdUntilMs = nowMs + ADJUSTMENT_INTERVAL_MS;
      this.#askingSinceMs = nowMs;
    }
    this.#offsetMs = offsetMs;

    this.adjustment = 'none';
    this.adjustmentMs = 0;
    if (nowMs < this.#holdUntilMs && this.#excessMs < URGENT_EXCESS_MS) return;
    this.adjustment = this.#decide(slackMs, excessMs, targetMs);
    if (this.adjustment !== 'shorten') this.#askingSinceMs = nowMs;
  }

  /** Whether a whole packet should be dropped, because the consumer does not get around to shortening. */
  isOverdue(nowMs: number, packetMs: number): boolean {
    const removable = this.adjustment === 'shorten' && this.adjustmentMs >= packetMs;
    return removable && nowMs - this.#askingSinceMs > OVERDUE_MS;
  }

  #decide(slackMs: number, excessMs: number, targetMs: number): PlayoutAdjustment {
    const grainMs = this.#grainMs;
    if (excessMs < -TOLERATED_DEFICIT_MS) {
      this.adjustmentMs = Math.max(LEAST_LENGTHENING_MS, Math.ceil(-excessMs / grainMs) * grainMs - slackMs);
      return 'lengthen';
    }
    // A step down must not be followed by a step up: so the more the target moves, the more is left.
    const spareMs = this.#excessMs - 2 - targetMs / 8;
    // But what is left of stretching, less than a step, moves no pull.
    const removableMs = Math.max(0, Math.floor(spareMs / grainMs)) * grainMs + slackMs;
    if (removableMs < 1) return 'none';
    this.adjustmentMs = removableMs;
    return 'shorten';
  }

  /** The part of what the consumer has buffered that is of no use to any pull. */
  #slack(bufferedMs: number): number {
    const slackMs = bufferedMs % this.#grainMs;
    return this.#grainMs - slackMs < 0.1 ? 0 : slackMs;
  }
}
