import { PayloadMemory } from './payload-memory.ts';
import type { RtpPacket } from './rtp-packet.ts';

/** Enough for 1.28 s of 10 ms packets; a power of two. */
export const RING_SLOTS = 128;
const SLOT_MASK = RING_SLOTS - 1;

/** What a slot holds, as real numbers in its first half: */
const MEDIA_TICKS = 0;
const ARRIVAL_MS = 1;
/** And as 32-bit words in the other: */
const EXTENDED = 4;
const TIMESTAMP = 5;
/** Payload type in the lowest octet, the marker as the next bit, audio level + 1 above; or `SKIPPED`. */
const KIND = 6;
/** Where its payload is, or `NONE`: played, dropped or skipped. */
const CELL = 7;
const WORDS = 8;
const REALS = WORDS / 2;

const TYPE_MASK = 0xff;
const MARKER_BIT = 0x100;
const LEVEL_SHIFT = 16;
/** In place of a kind: the number is taken by something else than audio. */
const SKIPPED = -1;

const NONE = -1;

/** What is kept of a packet. */
export type BufferedPacket = Pick<
  RtpPacket,
  'sequenceNumber' | 'timestamp' | 'payloadType' | 'marker' | 'buffer' | 'payloadOffset' | 'payloadLength'
>;

/**
 * Packets by extended sequence number, their payloads copied; remembers for a while which numbers were there. A payload
 * that was taken from here and released stays as it is until the next packet is put.
 */
export class PacketRing {
  /** One slot after the other, so that all of a packet is in one line of the cache. */
  readonly #words: Int32Array;
  /** The same memory. */
  readonly #reals: Float64Array;
  readonly #memory = new PayloadMemory(RING_SLOTS);

  constructor() {
    this.#words = new Int32Array(RING_SLOTS * WORDS).fill(NONE);
    this.#reals = new Float64Array(this.#words.buffer);
  }

  clear(): void {
    for (let at = 0; at < this.#words.length; at += WORDS) this.#empty(at);
    this.#words.fill(NONE);
  }

  seen(extended: number): boolean {
    return this.#words[slotOf(extended) + EXTENDED] === (extended | 0);
  }

  /** For a packet that was dropped: the next one of its number is a duplicate. */
  markSeen(extended: number): void {
    const at = slotOf(extended);
    if (((this.#words[at + EXTENDED]! - extended) | 0) > 0) return;
    this.#words[at + EXTENDED] = extended;
    this.#words[at + KIND] = 0;
    this.#empty(at);
  }

  put(extended: number, mediaTicks: number, packet: BufferedPacket, arrivalMs: number, audioLevel: number): void {
    const at = slotOf(extended);
    const words = this.#words;
    this.#empty(at);
    words[at + EXTENDED] = extended;
    words[at + TIMESTAMP] = packet.timestamp;
    words[at + KIND] = packet.payloadType | (packet.marker ? MARKER_BIT : 0) | ((audioLevel + 1) << LEVEL_SHIFT);
    words[at + CELL] = this.#memory.store(packet.buffer, packet.payloadOffset, packet.payloadLength);
    this.#reals[at / 2 + MEDIA_TICKS] = mediaTicks;
    this.#reals[at / 2 + ARRIVAL_MS] = arrivalMs;
  }

  putSkipped(extended: number): void {
    const at = slotOf(extended);
    this.#words[at + EXTENDED] = extended;
    this.#words[at + KIND] = SKIPPED;
    this.#empty(at);
  }

  /** The first packet from `from` to `to`, both included; -1 when there is none. */
  first(from: number, to: number): number {
    const last = Math.min(to, from + RING_SLOTS - 1);
    for (let extended = from; extended <= last; extended++) {
      if (this.has(extended)) return extended;
    }
    return -1;
  }

  isSkipped(extended: number): boolean {
    return this.seen(extended) && this.#words[slotOf(extended) + KIND] === SKIPPED;
  }

  payload(extended: number): Uint8Array | null {
    return this.has(extended) ? this.#memory.payload(this.#words[slotOf(extended) + CELL]!) : null;
  }

  has(extended: number): boolean {
    return this.seen(extended) && this.#words[slotOf(extended) + CELL] !== NONE;
  }

  mediaTicks(extended: number): number {
    return this.#reals[realsOf(extended) + MEDIA_TICKS]!;
  }

  timestamp(extended: number): number {
    return this.#words[slotOf(extended) + TIMESTAMP]! >>> 0;
  }

  payloadType(extended: number): number {
    return this.#words[slotOf(extended) + KIND]! & TYPE_MASK;
  }

  marker(extended: number): boolean {
    return (this.#words[slotOf(extended) + KIND]! & MARKER_BIT) !== 0;
  }

  audioLevel(extended: number): number {
    return (this.#words[slotOf(extended) + KIND]! >> LEVEL_SHIFT) - 1;
  }

  arrivalMs(extended: number): number {
    return this.#reals[realsOf(extended) + ARRIVAL_MS]!;
  }

  /** Lets go of the payload; the number stays known. */
  release(extended: number): void {
    this.#empty(slotOf(extended));
  }

  #empty(at: number): void {
    const cell = this.#words[at + CELL]!;
    if (cell !== NONE) this.#memory.release(cell);
    this.#words[at + CELL] = NONE;
  }
}

function slotOf(extended: number): number {
  return (extended & SLOT_MASK) * WORDS;
}

function realsOf(extended: number): number {
  return (extended & SLOT_MASK) * REALS;
}
