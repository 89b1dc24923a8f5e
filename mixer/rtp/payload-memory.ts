/** A cell is made this much longer than its first payload, since those of one stream are about as long. */
const SPARE_OCTETS = 32;
const NO_OCTETS = new Uint8Array(0);

/** What was released stays as it is for so many payloads more. */
export const PAYLOADS_KEPT = 8;

/**
 * Memory for payloads that wait. A cell is used again soon after it was released, so that a stream that waits little
 * goes round in little memory; but not at once, so that a decoder can be given the last few again.
 */
export class PayloadMemory {
  readonly #cells: Uint8Array[] = [];
  /** The last payload in each cell: the next one is mostly as long. */
  readonly #views: Uint8Array[] = [];
  /** Cells to use again, the one that was released first at `#head`; a ring. */
  readonly #free: Int16Array;
  #head = 0;
  #freeCount = 0;

  /** @param most cells that are in use at a time. */
  constructor(most: number) {
    this.#free = new Int16Array(most + PAYLOADS_KEPT);
  }

  /** Copies a payload; returns its cell. */
  store(payload: Uint8Array): number {
    const cell = this.#take();
    const { length } = payload;
    const before = this.#views[cell]!;
    if (before.length === length) {
      before.set(payload);
      return cell;
    }
    if (this.#cells[cell]!.length < length) this.#cells[cell] = new Uint8Array(length + SPARE_OCTETS);
    const view = this.#cells[cell]!.subarray(0, length);
    view.set(payload);
    this.#views[cell] = view;
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
    if (this.#freeCount <= PAYLOADS_KEPT) {
      this.#cells.push(NO_OCTETS);
      this.#views.push(NO_OCTETS);
      return this.#cells.length - 1;
    }
    const cell = this.#free[this.#head]!;
    this.#head = (this.#head + 1) % this.#free.length;
    this.#freeCount--;
    return cell;
  }
}
