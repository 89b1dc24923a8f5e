/** More than the largest frame has; a power of two. */
export const RING_PACKETS = 2048;
const SLOT_MASK = RING_PACKETS - 1;

/** What a packet says of itself; see `inspect` of the depacketizers. */
export const PACKET_MARKER = 1;
/** A frame may begin with it: nothing of the same frame is before it. */
export const PACKET_STARTS = 2;
/** Part of a key frame. */
export const PACKET_KEY = 4;
/** Has a sequence parameter set. */
export const PACKET_PARAMETERS = 8;
/** Breaks the rules of its format: its place is taken, but there is nothing in it. */
export const PACKET_MALFORMED = 16;
/** Carries nothing, and belongs to no frame. */
export const PACKET_EMPTY = 32;
export const PACKET_VP8 = 64;

/** Payloads are mostly no longer; for those that are, memory is made and let go. */
const CELL_OCTETS = 1500;
/** So many cells are kept for what comes next. */
const CELLS_KEPT = 128;
const NO_OCTETS = new Uint8Array(0);
const NONE = -1;

/**
 * The packets of a stream that wait, by extended sequence number; payloads are copied. From `head` on they are still to be
 * used, and `end` is after the highest.
 */
export class ReceivedPackets {
  head = 0;
  end = 0;
  /** Octets of all payloads that wait. */
  waitingOctets = 0;
  private readonly numbers = new Float64Array(RING_PACKETS).fill(NONE);
  private readonly timestamps = new Uint32Array(RING_PACKETS);
  private readonly arrivals = new Float64Array(RING_PACKETS);
  private readonly kinds = new Uint8Array(RING_PACKETS);
  private readonly lengths = new Uint16Array(RING_PACKETS);
  private readonly cells: Uint8Array[] = new Array<Uint8Array>(RING_PACKETS).fill(NO_OCTETS);
  private readonly waits = new Uint8Array(RING_PACKETS);
  private readonly free: Uint8Array[] = [];

  /** Lets go of all; the next packet is to be `extended`. */
  restart(extended: number): void {
    for (let number = this.head; number < this.end; number++) this.release(number);
    this.numbers.fill(NONE);
    this.head = extended;
    this.end = extended;
  }

  /** Whether it came, used or not. */
  seen(extended: number): boolean {
    return this.numbers[extended & SLOT_MASK] === extended;
  }

  /** Whether it is here. */
  has(extended: number): boolean {
    return this.seen(extended) && this.waits[extended & SLOT_MASK] === 1;
  }

  /** Of `PACKET_…`. */
  kind(extended: number): number {
    return this.kinds[extended & SLOT_MASK]!;
  }

  timestamp(extended: number): number {
    return this.timestamps[extended & SLOT_MASK]!;
  }

  arrivedMs(extended: number): number {
    return this.arrivals[extended & SLOT_MASK]!;
  }

  /** Memory that begins with the payload. */
  bytes(extended: number): Uint8Array {
    return this.cells[extended & SLOT_MASK]!;
  }

  length(extended: number): number {
    return this.lengths[extended & SLOT_MASK]!;
  }

  /** `extended` must be neither seen nor before `head`, and less than `RING_PACKETS` after it. */
  put(extended: number, timestamp: number, kind: number, payload: Uint8Array, arrivedMs: number): void {
    const slot = extended & SLOT_MASK;
    this.numbers[slot] = extended;
    this.timestamps[slot] = timestamp;
    this.arrivals[slot] = arrivedMs;
    this.kinds[slot] = kind;
    this.lengths[slot] = payload.length;
    this.waits[slot] = 1;
    if (payload.length > 0) {
      const cell = payload.length > CELL_OCTETS ? new Uint8Array(payload.length) : this.takeCell();
      cell.set(payload);
      this.cells[slot] = cell;
    }
    this.waitingOctets += payload.length;
    if (extended >= this.end) this.end = extended + 1;
  }

  /** Uses up what is before `to`. */
  advance(to: number): void {
    for (let number = this.head; number < to; number++) this.release(number);
    this.head = to;
    if (this.end < to) this.end = to;
  }

  private release(extended: number): void {
    if (!this.has(extended)) return;
    const slot = extended & SLOT_MASK;
    const cell = this.cells[slot]!;
    this.waits[slot] = 0;
    this.cells[slot] = NO_OCTETS;
    this.waitingOctets -= this.lengths[slot]!;
    if (cell.length === CELL_OCTETS && this.free.length < CELLS_KEPT) this.free.push(cell);
  }

  private takeCell(): Uint8Array {
    return this.free.pop() ?? new Uint8Array(CELL_OCTETS);
  }
}
