/** Keys as named telephone events (RFC 4733). */

import { readUint16, timestampDistance } from './rtp-packet.ts';

/** By event code (RFC 4733 §3.2). */
const KEYS = '0123456789*#ABCD';
const PAYLOAD_LENGTH = 4;
const END_BIT = 0x80;
/** What the duration field holds; longer events come in segments (RFC 4733 §2.5.1.3). */
const MAX_DURATION = 0xffff;
/** Nothing heard of a key for so long: it was let go and the end was lost (RFC 4733 §2.5.2.2: three packet times). */
const LOST_END_MS = 160;
/** A packet of an event this much earlier than the newest cannot be a late one. */
const LATE_EVENT_S = 10;
/** Keys told and not yet fetched. */
const QUEUE_LENGTH = 8;

/**
 * Makes out of the packets of a telephone-event stream each key once, with how long it was pressed.
 *
 * An event is known by its timestamp; repeats and packets out of order change nothing. It is over with its end packet,
 * with the next event, or after 160 ms of nothing. Poll after each packet, and each tick.
 */
export class TelephoneEventReceiver {
  /** Filled by `poll`. */
  key = '';
  durationMs = 0;

  readonly #clockRateHz: number;
  readonly #queuedCode = new Uint8Array(QUEUE_LENGTH);
  readonly #queuedDurationMs = new Float64Array(QUEUE_LENGTH);
  #queued = 0;
  #fetched = 0;
  #seen = false;
  #pressed = false;
  #code = 0;
  /** Of the newest event, and of its present segment. */
  #segmentTimestamp = 0;
  #segmentTicks = 0;
  #earlierTicks = 0;
  #lastHeardMs = 0;

  constructor(clockRateHz: number) {
    this.#clockRateHz = clockRateHz;
  }

  /** Whether a key is down now: its tone, if it is in the audio as well, should be kept out of the mix. */
  get pressed(): boolean {
    return this.#pressed;
  }

  /** Forgets the stream, for a new SSRC; a key that is down is told. */
  reset(): void {
    this.#finish();
    this.#seen = false;
  }

  /** Takes the payload at `offset`; false for what is no key (too short, or another event). */
  receive(
    buffer: Uint8Array,
    offset: number,
    length: number,
    timestamp: number,
    marker: boolean,
    nowMs: number,
  ): boolean {
    if (length < PAYLOAD_LENGTH) return false;
    const code = buffer[offset]!;
    if (code >= KEYS.length) return false;
    const ended = (buffer[offset + 1]! & END_BIT) !== 0;
    const durationTicks = readUint16(buffer, offset + 2);

    const ahead = this.#seen ? timestampDistance(this.#segmentTimestamp, timestamp) : 1;
    // Late packets of an earlier event; much further back, the sender has begun its timestamps anew.
    if (ahead < 0 && ahead > -LATE_EVENT_S * this.#clockRateHz) return true;
    if (ahead !== 0) {
      if (this.#continues(code, ahead, marker)) {
        this.#earlierTicks += ahead;
      } else {
        this.#finish();
        this.#pressed = true;
        this.#code = code;
        this.#earlierTicks = 0;
      }
      this.#seen = true;
      this.#segmentTimestamp = timestamp;
      this.#segmentTicks = 0;
    }
    if (!this.#pressed) return true;
    this.#lastHeardMs = nowMs;
    if (durationTicks > this.#segmentTicks) this.#segmentTicks = durationTicks;
    if (ended) this.#finish();
    return true;
  }

  /** Fetches the next key that is over into `key` and `durationMs`; false when there is none. */
  poll(nowMs: number): boolean {
    if (this.#pressed && nowMs - this.#lastHeardMs > LOST_END_MS) this.#finish();
    if (this.#fetched === this.#queued) return false;
    const slot = this.#fetched++ % QUEUE_LENGTH;
    this.key = KEYS[this.#queuedCode[slot]!]!;
    this.durationMs = this.#queuedDurationMs[slot]!;
    return true;
  }

  /** A further segment of a long event; also what senders mean that move the timestamp with each update. */
  #continues(code: number, ahead: number, marker: boolean): boolean {
    if (!this.#pressed || marker || code !== this.#code) return false;
    return (ahead > 0 && ahead <= this.#segmentTicks) || ahead === MAX_DURATION;
  }

  #finish(): void {
    if (!this.#pressed) return;
    this.#pressed = false;
    // Nobody polls: the oldest go.
    if (this.#queued - this.#fetched === QUEUE_LENGTH) this.#fetched++;
    const slot = this.#queued++ % QUEUE_LENGTH;
    this.#queuedCode[slot] = this.#code;
    this.#queuedDurationMs[slot] = ((this.#earlierTicks + this.#segmentTicks) * 1000) / this.#clockRateHz;
  }
}
