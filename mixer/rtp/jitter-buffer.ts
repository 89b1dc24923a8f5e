import { DelayAdjustment, type PlayoutAdjustment } from './delay-adjustment.ts';
import { DelayTarget } from './delay-target.ts';
import { MediaClock } from './media-clock.ts';
import { type BufferedPacket, PacketRing, RING_SLOTS } from './packet-ring.ts';

export interface JitterBufferOptions {
  /** The RTP clock of all payload types that come here (RFC 7160 calls for a reset when it changes). */
  clockRateHz: number;
  /** The target delay never falls below this: 0 to 20, or more where pictures come late. See `minDelayMs`. */
  minDelayMs: number;
  /** Neither target nor playout exceed this; packets that would wait longer are dropped. */
  maxDelayMs: number;
  /** How often the consumer asks; 20 when left out. */
  tickMs?: number;
}

/**
 * - `packet`: `packet` holds what to decode now; tell its length by `played`.
 * - `conceal`: what should be played now is missing; make up `gapTicks`.
 * - `silence`: there is nothing to play (no packet yet, buffering, a pause of the sender); fill `gapTicks`.
 */
export type Playout = 'packet' | 'conceal' | 'silence';

export type { PlayoutAdjustment };

/** The packet to play, valid until the next `take`. */
export interface PlayoutPacket {
  payload: Uint8Array;
  payloadType: number;
  sequenceNumber: number;
  timestamp: number;
  marker: boolean;
  /** What `put` was told of it. */
  audioLevel: number;
  /** The usual length of this sender's packets, as far as known. */
  durationTicks: number;
  /** How long it waited here. */
  waitedMs: number;
}

export interface JitterBufferCounters {
  received: number;
  played: number;
  duplicates: number;
  /** Came after their place had been concealed or passed. */
  late: number;
  /** In time, but dropped to bound the delay, or strays of another sequence. */
  discarded: number;
  /** Ticks of the RTP clock that the consumer was told to make up. */
  concealedTicks: number;
  /** Pauses of the sender (DTX, hold), recognised by a step of the timestamp without lost packets. */
  pauses: number;
  /** The sender began anew, by its sequence numbers or by its timing. */
  resets: number;
}

const EMPTY_PAYLOAD = new Uint8Array(0);
const DEFAULT_PACKET_MS = 20;

/** With nothing buffered, concealment goes on for so long; then it would only be a buzz. */
const MAX_EMPTY_CONCEAL_MS = 80;

/** After a stall, packets are still played when that makes a delay of no more than this, even above the target. */
const RESCUE_DELAY_MS = 100;

/**
 * Puts packets in order and says, at the pace of a consumer that ticks, which to play and where to conceal; adaptive,
 * without a clock of its own, without allocation, and without knowledge of codecs.
 *
 * Positions are media time: the unwrapped timestamp. A packet's *wait* is how long after the arrival of the fastest
 * packets (those of least transit) it is pulled. The target is the wait that would have been enough for 98 of 100 of
 * the last packets. Since the consumer pulls in whole ticks, the wait moves in steps: it is kept at the lowest step
 * that reaches the target, which costs half a tick on average; less where ticks come when packets have come (`RoomClock`).
 *
 * The delay changes in four ways: in a pause of the sender (for free: the next packet is played at its target); when a
 * packet comes after its place was concealed for want of any packet (it is played, so the delay grows by the
 * concealment); by the consumer's time-stretching, asked for by `adjustment`; and by dropping, above `maxDelayMs`.
 */
export class JitterBuffer {
  readonly packet: PlayoutPacket = {
    payload: EMPTY_PAYLOAD,
    payloadType: 0,
    sequenceNumber: 0,
    timestamp: 0,
    marker: false,
    audioLevel: -1,
    durationTicks: 0,
    waitedMs: 0,
  };
  readonly counters: JitterBufferCounters = {
    received: 0,
    played: 0,
    duplicates: 0,
    late: 0,
    discarded: 0,
    concealedTicks: 0,
    pauses: 0,
    resets: 0,
  };
  /** How much to fill with concealment or silence; 0 with a packet. The playout moves on by it without `played`. */
  gapTicks = 0;
  /** With `conceal`: the payload of the packet right after the missing one, which may repair it (RFC 6716 §2.1.7). */
  following: Uint8Array | null = null;
  /** With a packet: what the consumer should do to it if the sound allows, by at most `adjustmentTicks`. */
  adjustment: PlayoutAdjustment = 'none';
  adjustmentTicks = 0;

  readonly #clock: MediaClock;
  readonly #target: DelayTarget;
  readonly #ring = new PacketRing();
  readonly #adjuster: DelayAdjustment;
  readonly #ticksPerMs: number;
  readonly #maxDelayMs: number;
  readonly #tickMs: number;

  /** Times are kept relative to the first arrival. */
  #originMs = Number.NaN;
  #state: 'waiting' | 'playing' = 'waiting';
  /** Lowest extended sequence number that may still be played; -1 before the first packet was taken. */
  #nextExtended = -1;
  /** What `#nextExtended` was when waiting began. */
  #resumeExtended = -1;
  /** Media time up to which playout has come; meaningful while playing. */
  #nextMediaTicks = 0;
  #packetTicks: number;
  #awaitsPlayed = false;
  #pauseExpected = false;
  /** Whether the sender was last seen to pause (DTX). */
  #pauses = false;
  #emptyConcealTicks = 0;
  #delayMs = 0;

  constructor(options: JitterBufferOptions) {
    this.#clock = new MediaClock(options.clockRateHz);
    this.#ticksPerMs = options.clockRateHz / 1000;
    this.#maxDelayMs = options.maxDelayMs;
    this.#tickMs = options.tickMs ?? 20;
    this.#packetTicks = DEFAULT_PACKET_MS * this.#ticksPerMs;
    this.#target = new DelayTarget(options.minDelayMs, options.maxDelayMs);
    this.#adjuster = new DelayAdjustment(this.#tickMs);
  }

  /** Present delay between the arrival of the fastest packets and the playout of their first sample. */
  get delayMs(): number {
    return this.#delayMs;
  }

  /** The length of a packet, when `following` should be there in most cases, though it costs delay; 0 when not. */
  set lookAheadMs(aheadMs: number) {
    this.#target.aheadMs = aheadMs;
  }

  /** May change at any time: the delay follows as it does when the jitter changes. */
  set minDelayMs(minDelayMs: number) {
    this.#target.minDelayMs = minDelayMs;
  }

  /** Wait that the measured jitter asks for, and not less than the least. */
  get targetDelayMs(): number {
    return this.#target.targetMs;
  }

  /** How much sooner than it was taken what came lately could have been taken, at the target delay. */
  get spareMs(): number {
    return this.#adjuster.excessMs;
  }

  /** Forgets the stream, for a new SSRC (RFC 3550 §8.2); the counters go on. */
  reset(): void {
    this.#clock.reset();
    this.#target.reset();
    this.#ring.clear();
    this.#originMs = Number.NaN;
    this.#state = 'waiting';
    this.#nextExtended = -1;
    this.#awaitsPlayed = false;
    this.#pauseExpected = false;
    this.#pauses = false;
    this.#emptyConcealTicks = 0;
    this.#delayMs = 0;
    this.packet.payload = EMPTY_PAYLOAD;
  }

  /**
   * A received packet; its payload is copied.
   *
   * Duplicates and packets whose place has passed are counted and dropped.
   *
   * @param audioLevel an octet that goes with the packet (RFC 6464), -1 for none
   */
  put(packet: BufferedPacket, arrivalMs: number, audioLevel = -1): void {
    this.counters.received++;
    if (!this.#locate(packet.sequenceNumber, packet.timestamp, arrivalMs)) return;
    const extended = this.#clock.extendedSequence;
    const arrival = arrivalMs - this.#originMs;
    if (this.#ring.seen(extended)) {
      this.counters.duplicates++;
      return;
    }
    if (this.#target.observe(arrival, this.#clock.mediaTicks / this.#ticksPerMs)) {
      this.counters.resets++;
      this.#adjuster.restart(arrival);
    }
    if (!this.#makeRoom(extended)) {
      this.counters.late++;
      this.#ring.markSeen(extended);
      return;
    }
    this.#ring.put(extended, this.#clock.mediaTicks, packet, arrival, audioLevel);
  }

  /** A packet of this stream that is no audio (RFC 4733): its sequence number is not missing, and a pause is likely. */
  skip(sequenceNumber: number, timestamp: number, arrivalMs: number): void {
    if (!this.#locate(sequenceNumber, timestamp, arrivalMs)) return;
    const extended = this.#clock.extendedSequence;
    if (!this.#ring.seen(extended) && this.#makeRoom(extended)) this.#ring.putSkipped(extended);
  }

  /**
   * What to play next, at time `nowMs`, while the consumer still holds `bufferedMs` of sound before it.
   *
   * To be called until the consumer has enough for its tick. `nowMs` is best the time for which the tick was planned.
   */
  take(nowMs: number, bufferedMs = 0): Playout {
    if (this.#awaitsPlayed) this.played(this.#packetTicks);
    this.gapTicks = 0;
    this.following = null;
    this.adjustment = 'none';
    this.adjustmentTicks = 0;
    const now = Number.isNaN(this.#originMs) ? 0 : nowMs - this.#originMs;
    for (;;) {
      const playout = this.#state === 'playing' ? this.#continue(now, bufferedMs) : this.#begin(now, bufferedMs);
      if (playout !== 'again') return playout;
    }
  }

  /** The packet that `take` gave lasted `ticks` of the RTP clock, before any stretching; 0 for comfort noise. */
  played(ticks: number): void {
    if (!this.#awaitsPlayed) return;
    this.#awaitsPlayed = false;
    this.#nextMediaTicks += ticks;
    if (ticks === 0 || ticks === this.#packetTicks) return;
    this.#packetTicks = ticks;
    this.#adjuster.setPacketMs(ticks / this.#ticksPerMs);
  }

  /** The consumer plays so much later than `take` was told until now: no jitter, so that it is to be caught up with. */
  heldUp(ms: number): void {
    this.#adjuster.heldUp(ms);
  }

  /** The packet just taken announces a pause (RFC 3389, Opus DTX): if none follows, that is silence and no loss. */
  expectPause(): void {
    this.#pauseExpected = true;
  }

  /** Places the packet on the media clock; false when it is to be dropped. */
  #locate(sequenceNumber: number, timestamp: number, arrivalMs: number): boolean {
    if (Number.isNaN(this.#originMs)) this.#originMs = arrivalMs;
    const arrival = arrivalMs - this.#originMs;
    let position = this.#clock.locate(sequenceNumber, timestamp, arrival, this.#packetTicks, this.#target.baseMs);
    if (position === 'restart') {
      this.reset();
      this.counters.resets++;
      this.#originMs = arrivalMs;
      position = this.#clock.locate(sequenceNumber, timestamp, 0, this.#packetTicks, this.#target.baseMs);
    }
    if (position === 'stray') this.counters.discarded++;
    return position === 'known';
  }

  /** False when the place of the packet has passed. */
  #makeRoom(extended: number): boolean {
    if (this.#nextExtended === -1) return true;
    if (extended < this.#nextExtended) return false;
    const oldest = extended - RING_SLOTS + 1;
    while (this.#nextExtended < oldest) {
      if (this.#ring.has(this.#nextExtended)) this.counters.discarded++;
      this.#nextExtended++;
      this.#wait();
    }
    return true;
  }

  #firstPacket(): number {
    const newest = this.#clock.newestExtended;
    // Before anything was played, an earlier packet may come after a later one.
    const from = this.#nextExtended === -1 ? newest - RING_SLOTS + 1 : this.#nextExtended;
    return Number.isNaN(this.#originMs) ? -1 : this.#ring.first(from, newest);
  }

  /** Before the first packet and in pauses: waits until the next packet has been there for the target delay. */
  #begin(now: number, bufferedMs: number): Playout | 'again' {
    const extended = this.#firstPacket();
    if (extended === -1) return this.#silence(bufferedMs);
    const waitMs = now - this.#target.baseMs - this.#ring.mediaTicks(extended) / this.#ticksPerMs;
    const neededMs = this.targetDelayMs + this.#adjuster.pullAheadMs;
    const newerWaits = this.#ring.first(extended + 1, this.#clock.newestExtended) !== -1;
    if (newerWaits && waitMs > Math.max(neededMs + this.#tickMs, RESCUE_DELAY_MS)) {
      this.#discard(extended);
      return 'again';
    }
    if (waitMs < neededMs) return this.#silence(bufferedMs);
    this.#adjuster.restart(now);
    this.#notePause(extended);
    return this.#play(extended, now, bufferedMs);
  }

  /** While playing: the packet whose turn it is, or what to do without it. */
  #continue(now: number, bufferedMs: number): Playout | 'again' {
    while (this.#ring.isSkipped(this.#nextExtended)) {
      this.#nextExtended++;
      this.#pauseExpected = true;
    }
    const extended = this.#firstPacket();
    if (extended === -1) return this.#starve(bufferedMs);
    const aheadTicks = this.#ring.mediaTicks(extended) - this.#nextMediaTicks;
    const toleranceTicks = 5 * this.#ticksPerMs;
    if (aheadTicks > toleranceTicks) return this.#gap(extended, aheadTicks);

    const delayMs = now + bufferedMs - this.#target.baseMs - this.#ring.mediaTicks(extended) / this.#ticksPerMs;
    const newerWaits = this.#ring.first(extended + 1, this.#clock.newestExtended) !== -1;
    if (newerWaits && delayMs > this.#maxDelayMs + 2 * this.#tickMs) {
      this.#wait();
      return 'again';
    }
    if (newerWaits && this.#adjuster.isOverdue(now, this.#packetTicks / this.#ticksPerMs)) {
      this.#discard(extended);
      this.#adjuster.restart(now);
      this.#nextMediaTicks += this.#packetTicks;
      return 'again';
    }
    if (aheadTicks < -toleranceTicks) {
      // Concealed in vain. Playing it now makes the delay longer by that; above the limit, it is lost instead.
      const limitMs = Math.max(this.targetDelayMs + this.#adjuster.pullAheadMs + this.#tickMs, RESCUE_DELAY_MS);
      if (delayMs > limitMs) {
        this.#discard(extended);
        this.counters.discarded--;
        this.counters.late++;
        return 'again';
      }
    }
    return this.#play(extended, now, bufferedMs);
  }

  /** The next packet at hand is for later than now: packets are missing before it, or the sender paused. */
  #gap(extended: number, aheadTicks: number): Playout | 'again' {
    const missing = extended - this.#nextExtended;
    // A marker says that silence came before (RFC 3551 §4.1).
    if (missing === 0 || this.#pauseExpected || this.#ring.marker(extended)) {
      this.#nextExtended = extended;
      this.#wait();
      return 'again';
    }
    this.#nextExtended++;
    this.#emptyConcealTicks = 0;
    this.following = this.#nextExtended === extended ? this.#ring.payload(extended) : null;
    return this.#conceal(Math.min(this.#packetTicks, aheadTicks));
  }

  /** No packet at hand. */
  #starve(bufferedMs: number): Playout {
    // A sender that is known to pause most likely does so again; one packet is concealed, to fade out.
    const limitTicks = this.#pauses ? this.#packetTicks : MAX_EMPTY_CONCEAL_MS * this.#ticksPerMs;
    if (this.#pauseExpected || this.#emptyConcealTicks >= limitTicks) {
      this.#wait();
      return this.#silence(bufferedMs);
    }
    this.#emptyConcealTicks += this.#packetTicks;
    return this.#conceal(this.#packetTicks);
  }

  #conceal(ticks: number): Playout {
    this.gapTicks = ticks;
    this.#nextMediaTicks += ticks;
    this.counters.concealedTicks += ticks;
    return 'conceal';
  }

  #wait(): void {
    this.#state = 'waiting';
    this.#resumeExtended = this.#nextExtended;
  }

  /** Playout begins again with `extended`: learns whether the sender paused, or the packets were lost or late. */
  #notePause(extended: number): void {
    if (this.#nextExtended === -1) return;
    const stepped = this.#ring.mediaTicks(extended) >= this.#nextMediaTicks;
    this.#pauses = extended === this.#resumeExtended && stepped;
    if (!this.#pauses) return;
    this.counters.pauses++;
    // What was concealed for want of any packet was in the pause already.
    this.counters.concealedTicks -= this.#emptyConcealTicks;
  }

  /** Silence up to the end of the tick, so that the next packet begins with a tick. */
  #silence(bufferedMs: number): Playout {
    const restMs = this.#tickMs - bufferedMs;
    // Rounded up: a gap of nothing would never fill the tick.
    this.gapTicks = Math.ceil((restMs > 0 ? restMs : this.#tickMs) * this.#ticksPerMs);
    return 'silence';
  }

  #discard(extended: number): void {
    this.#ring.release(extended);
    this.#nextExtended = extended + 1;
    this.counters.discarded++;
  }

  #play(extended: number, now: number, bufferedMs: number): Playout {
    const ring = this.#ring;
    const packet = this.packet;
    packet.payload = ring.payload(extended)!;
    packet.payloadType = ring.payloadType(extended);
    packet.sequenceNumber = extended & 0xffff;
    packet.timestamp = ring.timestamp(extended);
    packet.marker = ring.marker(extended);
    packet.audioLevel = ring.audioLevel(extended);
    packet.durationTicks = this.#packetTicks;
    packet.waitedMs = now - ring.arrivalMs(extended);
    ring.release(extended);
    this.counters.played++;

    const mediaTicks = ring.mediaTicks(extended);
    const offsetMs = now + bufferedMs - mediaTicks / this.#ticksPerMs;
    this.#delayMs = offsetMs - this.#target.baseMs;
    this.#adjuster.update(now, bufferedMs, offsetMs, this.#delayMs, this.targetDelayMs);
    this.adjustment = this.#adjuster.adjustment;
    this.adjustmentTicks = Math.round(this.#adjuster.adjustmentMs * this.#ticksPerMs);

    this.#state = 'playing';
    this.#nextExtended = extended + 1;
    this.#nextMediaTicks = mediaTicks;
    this.#emptyConcealTicks = 0;
    this.#pauseExpected = false;
    this.#awaitsPlayed = true;
    return 'packet';
  }
}
