import { PayloadMemory } from './payload-memory.ts';

/** Enough for 1.28 s of 10 ms packets; a power of two. */
export const RING_SLOTS = 128;
const SLOT_MASK = RING_SLOTS - 1;

const SKIPPED = -1;

/** No payload: played, dropped or skipped. */
const NONE = -1;

/**
 * Packets by extended sequence number, their payloads copied; remembers for a while which numbers were there. A payload
 * that was taken from here stays as it is for `PAYLOADS_KEPT` packets more.
 */
export class PacketRing {
  readonly #extended = new Float64Array(RING_SLOTS).fill(-1);
  readonly #mediaTicks = new Float64Array(RING_SLOTS);
  readonly #arrivalMs = new Float64Array(RING_SLOTS);
  readonly #timestamp = new Uint32Array(RING_SLOTS);
  /** `SKIPPED` for a number that is taken by something else than audio. */
  readonly #payloadType = new Int8Array(RING_SLOTS);
  readonly #marker = new Uint8Array(RING_SLOTS);
  readonly #audioLevel = new Int16Array(RING_SLOTS);
  readonly #memory = new PayloadMemory(RING_SLOTS);
  /** The payload's cell in `#memory`, or `NONE`. */
  readonly #cell = new Int16Array(RING_SLOTS).fill(NONE);

  clear(): void {
    this.#extended.fill(-1);
    for (let slot = 0; slot < RING_SLOTS; slot++) this.#empty(slot);
  }

  seen(extended: number): boolean {
    return this.#extended[extended & SLOT_MASK] === extended;
  }

  /** For a packet that was dropped: the next one of its number is a duplicate. */
  markSeen(extended: number): void {
    const slot = extended & SLOT_MASK;
    if (this.#extended[slot]! > extended) return;
    this.#extended[slot] = extended;
    this.#payloadType[slot] = 0;
    this.#empty(slot);
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
    const slot = extended & SLOT_MASK;
    this.#extended[slot] = extended;
    this.#mediaTicks[slot] = mediaTicks;
    this.#timestamp[slot] = timestamp;
    this.#payloadType[slot] = payloadType;
    this.#marker[slot] = marker ? 1 : 0;
    this.#empty(slot);
    this.#cell[slot] = this.#memory.store(payload);
    this.#arrivalMs[slot] = arrivalMs;
    this.#audioLevel[slot] = audioLevel;
  }

  putSkipped(extended: number): void {
    const slot = extended & SLOT_MASK;
    this.#extended[slot] = extended;
    this.#payloadType[slot] = SKIPPED;
    this.#empty(slot);
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
    const slot = extended & SLOT_MASK;
    return this.#extended[slot] === extended && this.#payloadType[slot] === SKIPPED;
  }

  payload(extended: number): Uint8Array | null {
    const slot = extended & SLOT_MASK;
    if (this.#extended[slot] !== extended || this.#cell[slot] === NONE) return null;
    return this.#memory.payload(this.#cell[slot]!);
  }

  has(extended: number): boolean {
    const slot = extended & SLOT_MASK;
    return this.#extended[slot] === extended && this.#cell[slot] !== NONE;
  }

  mediaTicks(extended: number): number {
    return this.#mediaTicks[extended & SLOT_MASK]!;
  }

  timestamp(extended: number): number {
    return this.#timestamp[extended & SLOT_MASK]!;
  }

  payloadType(extended: number): number {
    return this.#payloadType[extended & SLOT_MASK]!;
  }

  marker(extended: number): boolean {
    return this.#marker[extended & SLOT_MASK] === 1;
  }

  audioLevel(extended: number): number {
    return this.#audioLevel[extended & SLOT_MASK]!;
  }

  arrivalMs(extended: number): number {
    return this.#arrivalMs[extended & SLOT_MASK]!;
  }

  /** Lets go of the payload; the number stays known. */
  release(extended: number): void {
    this.#empty(extended & SLOT_MASK);
  }

  #empty(slot: number): void {
    if (this.#cell[slot] !== NONE) this.#memory.release(this.#cell[slot]!);
    this.#cell[slot] = NONE;
  }
}
