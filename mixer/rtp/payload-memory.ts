/** A cell is made this much longer than its first payload, since those of one stream are about as long. */
const SPARE_OCTETS = 32;
const NO_OCTETS = new Uint8Array(0);

/** Cells that were of no use for so many payloads are given up: some ten seconds of 20 ms packets. */
const LOOK_BACK_PAYLOADS = 500;

/**
 * Memory for payloads that wait. The cell that was released last is used next, so that a stream that waits little stays in
 * little memory. What a burst or a storm took is given back when it is over.
 */
export class PayloadMemory {
  readonly #cells: Uint8Array[] = [];
  /** Of the payload in each cell. */
  readonly #lengths: number[] = [];
  /** A payload's part of each cell. Where they are all of one length, it is always the same. */
  readonly #views: Uint8Array[] = [];
  /** Cells to use again: the first `#freeCount`, the one that was released last at the end. */
  readonly #free: Uint8Array;
  #freeCount = 0;
  /** Numbers of cells that were given up. */
  readonly #vacant: number[] = [];
  /** Since `#stored` was 0: cells that were free, at least. */
  #leastFree = 0;
  #stored = 0;
  /** So many cells are to be given up, one with each payload. */
  #surplus = 0;

  /** @param most cells that are in use at a time, some 200 at most. */
  constructor(most: number) {
    this.#free = new Uint8Array(most);
  }

  /** Copies a payload, of `length` octets from `offset`; returns its cell. */
  store(packet: Uint8Array, offset: number, length: number): number {
    const cell = this.#take();
    if (this.#cells[cell]!.length < length) this.#cells[cell] = new Uint8Array(length + SPARE_OCTETS);
    const octets = this.#cells[cell]!;
    // Octet by octet: a subarray to copy from would be an object for each packet.
    for (let index = 0; index < length; index++) octets[index] = packet[offset + index]!;
    if (length === this.#lengths[cell] && !this.#isView(cell)) this.#views[cell] = octets.subarray(0, length);
    this.#lengths[cell] = length;
    return cell;
  }

  /** Stays as it is until something is stored after its release. */
  payload(cell: number): Uint8Array {
    // One that is thrown away at once costs less than one that is kept until the next, of another length.
    return this.#isView(cell) ? this.#views[cell]! : this.#cells[cell]!.subarray(0, this.#lengths[cell]);
  }

  release(cell: number): void {
    this.#free[this.#freeCount++] = cell;
  }

  #isView(cell: number): boolean {
    const view = this.#views[cell]!;
    return view.length === this.#lengths[cell] && view.buffer === this.#cells[cell]!.buffer;
  }

  #take(): number {
    this.#look();
    if (this.#freeCount === 0) return this.#make();
    if (this.#surplus > 0 && this.#freeCount > 1) {
      this.#surplus--;
      this.#giveUp(this.#free[--this.#freeCount]!);
    }
    return this.#free[--this.#freeCount]!;
  }

  /** Learns how many cells are enough. */
  #look(): void {
    if (this.#stored === 0 || this.#freeCount < this.#leastFree) this.#leastFree = this.#freeCount;
    if (++this.#stored < LOOK_BACK_PAYLOADS) return;
    this.#stored = 0;
    // One is for the payload that comes.
    this.#surplus = Math.max(0, this.#leastFree - 1);
  }

  #make(): number {
    const vacant = this.#vacant.pop();
    if (vacant !== undefined) return vacant;
    this.#cells.push(NO_OCTETS);
    this.#views.push(NO_OCTETS);
    this.#lengths.push(0);
    return this.#cells.length - 1;
  }

  #giveUp(cell: number): void {
    this.#cells[cell] = NO_OCTETS;
    this.#views[cell] = NO_OCTETS;
    this.#lengths[cell] = 0;
    this.#vacant.push(cell);
  }
}
