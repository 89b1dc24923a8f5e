import { PayloadMemory } from './payload-memory.ts';

/** Enough for 1.28 s of 10 ms packets; a power of two. */
export const RING_SLOTS = 128;
const SLOT_MASK = RING_SLOTS - 1;

/** What a slot holds. */
const EXTENDED = 0;
const MEDIA_TICKS = 1;
const ARRIVAL_MS = 2;
const TIMESTAMP = 3;
/** `SKIPPED` for a number that is taken by something else than audio. */
const PAYLOAD_TYPE = 4;
const MARKER = 5;
const AUDIO_LEVEL = 6;
/** Where its payload is, or `NONE`: played, dropped or skipped. */
const CELL = 7;
const FIELDS = 8;

const SKIPPED = -1;

const NONE = -1;

/**
 * Packets by extended sequence number, their payloads copied; remembers for a while which numbers were there. A payload
 * that was taken from here stays as it is for `PAYLOADS_KEPT` packets more.
 */
export class PacketRing {
  /** One slot after the other, so that all of a packet is in one line of the cache. */
  readonly #slots = new Float64Array(RING_SLOTS * FIELDS);
  readonly #memory = new PayloadMemory(RING_SLOTS);

  constructor() {
    this.#slots.fill(NONE);
  }

  clear(): void {
    for (let at = 0; at < this.#slots.length; at += FIELDS) this.#empty(at);
    this.#slots.fill(NONE);
  }

  seen(extended: number): boolean {
    return this.#slots[slotOf(extended) + EXTENDED] === extended;
  }

  /** For a packet that was dropped: the next one of its number is a duplicate. */
  markSeen(extended: number): void {
    const at = slotOf(extended);
    if (this.#slots[at + EXTENDED]! > extended) return;
    this.#slots[at + EXTENDED] = extended;
    this.#slots[at + PAYLOAD_TYPE] = 0;
    this.#empty(at);
  }

  put(
    extended: number,
    mediaTicks: number,
    timestamp: number,
    payloadType: number,
    marker: boolean,
    payload: Uint8Array,
    arrivalMs: number,
    audioLevel: number,
  ): void {
    const at = slotOf(extended);
    const slots = this.#slots;
    this.#empty(at);
    slots[at + EXTENDED] = extended;
    slots[at + MEDIA_TICKS] = mediaTicks;
    slots[at + TIMESTAMP] = timestamp;
    slots[at + PAYLOAD_TYPE] = payloadType;
    slots[at + MARKER] = marker ? 1 : 0;
    slots[at + CELL] = this.#memory.store(payload);
    slots[at + ARRIVAL_MS] = arrivalMs;
    slots[at + AUDIO_LEVEL] = audioLevel;
  }

  putSkipped(extended: number): void {
    const at = slotOf(extended);
    this.#slots[at + EXTENDED] = extended;
    this.#slots[at + PAYLOAD_TYPE] = SKIPPED;
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
    const at = slotOf(extended);
    return this.#slots[at + EXTENDED] === extended && this.#slots[at + PAYLOAD_TYPE] === SKIPPED;
  }

  payload(extended: number): Uint8Array | null {
    return this.has(extended) ? this.#memory.payload(this.#slots[slotOf(extended) + CELL]!) : null;
  }

  has(extended: number): boolean {
    const at = slotOf(extended);
    return this.#slots[at + EXTENDED] === extended && this.#slots[at + CELL] !== NONE;
  }

  mediaTicks(extended: number): number {
    return this.#slots[slotOf(extended) + MEDIA_TICKS]!;
  }

  timestamp(extended: number): number {
    return this.#slots[slotOf(extended) + TIMESTAMP]!;
  }

  payloadType(extended: number): number {
    return this.#slots[slotOf(extended) + PAYLOAD_TYPE]!;
  }

  marker(extended: number): boolean {
    return this.#slots[slotOf(extended) + MARKER] === 1;
  }

  audioLevel(extended: number): number {
    return this.#slots[slotOf(extended) + AUDIO_LEVEL]!;
  }

  arrivalMs(extended: number): number {
    return this.#slots[slotOf(extended) + ARRIVAL_MS]!;
  }

  /** Lets go of the payload; the number stays known. */
  release(extended: number): void {
    this.#empty(slotOf(extended));
  }

  #empty(at: number): void {
    const cell = this.#slots[at + CELL]!;
    if (cell !== NONE) this.#memory.release(cell);
    this.#slots[at + CELL] = NONE;
  }
}

function slotOf(extended: number): number {
  return (extended & SLOT_MASK) * FIELDS;
}
