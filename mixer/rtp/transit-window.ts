/** Packets in the sliding window: six seconds of 20 ms packets, long enough for a percentile, short enough to forget. */
const WINDOW_PACKETS = 300;

/** Packets of the window that may come later than the spread says, in per mille. */
const TOLERATED_LATE_PER_MILLE = 20;

/** One bin a millisecond, addressed modulo this; a power of two. */
const BINS = 1024;
const BIN_MASK = BINS - 1;
const MAX_SPREAD_MS = 800;

/**
 * The transit times (arrival less media time, on an arbitrary origin) of the last packets: the fastest, and how much
 * slower than it nearly all others are.
 *
 * A percentile, and not the peak: a single late packet costs one concealment, but must not delay everybody for seconds.
 * Because both ends of the histogram slide, a clock drift of some hundred ppm only shifts it.
 */
export class TransitWindow {
  /** How many of the window are in each bin. */
  readonly #counts: Uint16Array;
  /** Their bins, whole milliseconds rounded down; a ring. */
  readonly #bins: Uint16Array;
  #size = 0;
  #oldest = 0;
  #lowest = 0;
  /** No entry is above this; may be stale, see `#fits`. */
  #ceiling = 0;
  #spreadMs = 0;

  constructor() {
    const memory = new ArrayBuffer(2 * (BINS + WINDOW_PACKETS));
    this.#counts = new Uint16Array(memory, 0, BINS);
    this.#bins = new Uint16Array(memory, 2 * BINS);
  }

  get empty(): boolean {
    return this.#size === 0;
  }

  /** Transit of the fastest packet in the window, milliseconds. */
  get baseMs(): number {
    return this.#lowest;
  }

  /** How much slower than the fastest the 98th percentile of the packets was, milliseconds, rounded up. */
  get spreadMs(): number {
    return this.#spreadMs;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#size = 0;
    this.#oldest = 0;
    this.#spreadMs = 0;
  }

  add(transitMs: number): void {
    let transit = Math.floor(transitMs);
    if (this.#size > 0 && !this.#fits(transit)) this.clear();
    if (this.#size === 0) {
      this.#lowest = transit;
      this.#ceiling = transit;
    }
    if (transit > this.#lowest + MAX_SPREAD_MS) transit = this.#lowest + MAX_SPREAD_MS;
    if (this.#size === WINDOW_PACKETS) this.#removeOldest();
    this.#bins[(this.#oldest + this.#size) % WINDOW_PACKETS] = transit & BIN_MASK;
    this.#size++;
    this.#counts[transit & BIN_MASK]!++;
    if (transit < this.#lowest) this.#lowest = transit;
    if (transit > this.#ceiling) this.#ceiling = transit;
    this.#advanceLowest();
    this.#spreadMs = this.#measureSpread();
  }

  /** False when so fast a packet came that the histogram cannot hold it together with the slow ones. */
  #fits(transit: number): boolean {
    if (this.#ceiling - transit < BINS) return true;
    let ceiling = transit;
    for (let i = 0; i < this.#size; i++) {
      const held = this.#lowest + ((this.#bins[(this.#oldest + i) % WINDOW_PACKETS]! - this.#lowest) & BIN_MASK);
      if (held > ceiling) ceiling = held;
    }
    this.#ceiling = ceiling;
    return ceiling - transit < BINS;
  }

  #removeOldest(): void {
    this.#counts[this.#bins[this.#oldest]!]!--;
    this.#oldest = (this.#oldest + 1) % WINDOW_PACKETS;
    this.#size--;
  }

  #advanceLowest(): void {
    while (this.#counts[this.#lowest & BIN_MASK] === 0) this.#lowest++;
  }

  #measureSpread(): number {
    const tolerated = Math.floor((this.#size * TOLERATED_LATE_PER_MILLE) / 1000);
    let remaining = this.#size;
    let bin = this.#lowest;
    for (;;) {
      remaining -= this.#counts[bin & BIN_MASK]!;
      if (remaining <= tolerated) return bin - this.#lowest + 1;
      bin++;
    }
  }
}
