/** A cell is made this much longer than its first payload, since those of one stream are about as long. */
const SPARE_OCTETS = 32;
const NO_OCTETS = new Uint8Array(0);

/** What was released stays as it is for so many payloads more. */
export const PAYLOADS_KEPT = 8;

/** Cells that were of no use for so many payloads are given up: some ten seconds of 20 ms packets. */
const LOOK_BACK_PAYLOADS = 500;

/**
 * Memory for payloads that wait. A cell is used again soon after it was released, so that a stream that waits little
 * goes round in little memory; but not at once, so that a decoder can be given the last few again. What a burst or a
 * storm took is given back when it is over.
 */
export class PayloadMemory {
  /** The last payload in each cell, at the beginning of its memory: the next one is mostly as long. */
  readonly #views: Uint8Array[] = [];
  /** Cells to use again, the one that was released first at `#head`; a ring. */
  readonly #free: Uint8Array;
  #head = 0;
  #freeCount = 0;
  /** Numbers of cells that were given up. */
  readonly #vacant: number[] = [];
  /** Since `#stored` was 0: free cells beyond those that are kept, at least. */
  #leastSpare = 0;
  #stored = 0;
  /** So many cells are to be given up, as their turn comes. */
  #surplus = 0;

  /** @param most cells that are in use at a time, some 200 at most. */
  constructor(most: number) {
    this.#free = new Uint8Array(most + PAYLOADS_KEPT);
  }

  /** Copies a payload, of `length` octets from `offset`; returns its cell. */
  store(packet: Uint8Array, offset: number, length: number): number {
    const cell = this.#take();
    let view = this.#views[cell]!;
    if (view.length !== length) {
      const memory = view.buffer.byteLength < length ? new ArrayBuffer(length + SPARE_OCTETS) : view.buffer;
      view = new Uint8Array(memory, 0, length);
      this.#views[cell] = view;
    }
    // Octet by octet: a subarray to copy from would be an object for each packet.
    for (let index = 0; index < length; index++) view[index] = packet[offset + index]!;
    return cell;
  }

  payload(cell: number): Uint8Array {
    return this.#views[cell]!;
  }

  release(cell: number): void {
    this.#free[(this.#head + this.#freeCount) % this.#free.length] = cell;
    this.#freeCount++;
  }

  #take(): number {
    const spare = this.#freeCount - PAYLOADS_KEPT;
    this.#look(spare);
    if (spare <= 0) return this.#make();
    if (this.#surplus > 0 && spare > 1) {
      this.#surplus--;
      this.#giveUp(this.#next());
    }
    return this.#next();
  }

  /** Learns how many cells are enough. */
  #look(spare: number): void {
    if (this.#stored === 0 || spare < this.#leastSpare) this.#leastSpare = spare;
    if (++this.#stored < LOOK_BACK_PAYLOADS) return;
    this.#stored = 0;
    // One is for the payload that comes.
    this.#surplus = Math.max(0, this.#leastSpare - 1);
  }

  #next(): number {
    const cell = this.#free[this.#head]!;
    this.#head = (this.#head + 1) % this.#free.length;
    this.#freeCount--;
    return cell;
  }

  #make(): number {
    const vacant = this.#vacant.pop();
    if (vacant !== undefined) return vacant;
    this.#views.push(NO_OCTETS);
    return this.#views.length - 1;
  }

  #giveUp(cell: number): void {
    this.#views[cell] = NO_OCTETS;
    this.#vacant.push(cell);
  }
}
