import { sequenceDistance, timestampDistance } from './rtp-packet.ts';

/** RFC 3550 A.1: further ahead or behind than this is a restarted sender, once two packets in a row say so. */
const MAX_DROPOUT = 3000;
const MAX_MISORDER = 100;

/** A packet that comes this much sooner than the fastest ever did has a new timestamp origin, not a faster way. */
const FORWARD_JUMP_MS = 200;

/** Talk spurts further apart than this don't overtake each other. */
const MAX_STEP_BACK_S = 10;

/** `restart`: the sender counts anew; everything known is void. `stray`: neither old nor new; to be dropped. */
export type Position = 'known' | 'restart' | 'stray';

/**
 * Unwraps sequence numbers and timestamps to one line each, on which wraps, and jumps of a sender's timestamp, are gone.
 *
 * Timestamps become media time in clock ticks from the first packet on. A sender that changes its timestamp origin
 * within a stream (a device that switches its source, a back-to-back user agent that changes its leg) is taken to go on
 * without a break, so that nothing downstream needs to know.
 */
export class MediaClock {
  readonly clockRateHz: number;
  /** Set by `locate`. */
  extendedSequence = 0;
  mediaTicks = 0;
  #newestExtended = 0;
  #newestTimestamp = 0;
  #newestMediaTicks = 0;
  #newestArrivalMs = 0;
  /** What came before the last jump cannot be placed any more. */
  #firstAfterJump = 0;
  #restartSequence = -1;
  #started = false;

  constructor(clockRateHz: number) {
    this.clockRateHz = clockRateHz;
  }

  get newestExtended(): number {
    return this.#newestExtended;
  }

  reset(): void {
    this.#started = false;
    this.#restartSequence = -1;
  }

  /**
   * Places a packet, in `extendedSequence` and `mediaTicks`.
   *
   * `packetTicks` is the usual length of a packet, `baseTransitMs` the least arrival less media time seen so far.
   */
  locate(
    sequenceNumber: number,
    timestamp: number,
    arrivalMs: number,
    packetTicks: number,
    baseTransitMs: number,
  ): Position {
    if (!this.#started) {
      this.#start(sequenceNumber, timestamp, arrivalMs);
      return 'known';
    }
    const distance = sequenceDistance(this.#newestExtended & 0xffff, sequenceNumber);
    if (distance > MAX_DROPOUT || distance < -MAX_MISORDER) {
      if (sequenceNumber === this.#restartSequence) return 'restart';
      this.#restartSequence = (sequenceNumber + 1) & 0xffff;
      return 'stray';
    }
    this.#restartSequence = -1;
    this.extendedSequence = this.#newestExtended + distance;
    if (distance <= 0) {
      const step = timestampDistance(this.#newestTimestamp, timestamp);
      // An earlier packet has an earlier timestamp, and not by more than a long pause.
      const plausible = step <= 0 && step > -MAX_STEP_BACK_S * this.clockRateHz;
      if (!plausible || this.extendedSequence < this.#firstAfterJump) return 'stray';
      this.mediaTicks = this.#newestMediaTicks + step;
      return 'known';
    }
    this.#moveOn(distance, timestamp, arrivalMs, packetTicks, baseTransitMs);
    return 'known';
  }

  #start(sequenceNumber: number, timestamp: number, arrivalMs: number): void {
    this.#started = true;
    // A cycle above zero, so that reordered packets before the first one are above zero, too.
    this.extendedSequence = 0x10000 + sequenceNumber;
    this.mediaTicks = 0;
    this.#firstAfterJump = 0;
    this.#remember(timestamp, arrivalMs);
  }

  #moveOn(distance: number, timestamp: number, arrivalMs: number, packetTicks: number, baseTransitMs: number): void {
    const step = timestampDistance(this.#newestTimestamp, timestamp);
    const expectedStep = distance * packetTicks;
    this.mediaTicks = this.#newestMediaTicks + step;
    const transitMs = arrivalMs - (this.mediaTicks * 1000) / this.clockRateHz;
    const backward = step < 0;
    const forward = step > 2 * expectedStep && transitMs < baseTransitMs - FORWARD_JUMP_MS;
    if (backward || forward) {
      // Either the sender went on at once, or it was quiet meanwhile; a little more than expected is only jitter.
      const elapsedTicks = ((arrivalMs - this.#newestArrivalMs) * this.clockRateHz) / 1000;
      const paused = elapsedTicks > 2 * expectedStep + this.clockRateHz / 2;
      this.mediaTicks = this.#newestMediaTicks + (paused ? Math.round(elapsedTicks) : expectedStep);
      this.#firstAfterJump = this.extendedSequence;
    }
    this.#remember(timestamp, arrivalMs);
  }

  #remember(timestamp: number, arrivalMs: number): void {
    this.#newestExtended = this.extendedSequence;
    this.#newestTimestamp = timestamp;
    this.#newestMediaTicks = this.mediaTicks;
    this.#newestArrivalMs = arrivalMs;
  }
}
