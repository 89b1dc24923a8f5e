/** Counts of durations in bins of 0.1 ms up to one second; adding allocates nothing. */
export class DurationHistogram {
  readonly #bins = new Uint32Array(10_001);
  #count = 0;
  #max = 0;

  get count(): number {
    return this.#count;
  }

  add(durationMs: number): void {
    const bin = Math.round(durationMs * 10);
    const index = Math.max(0, Math.min(bin, 10_000));
    this.#bins[index] = this.#bins[index]! + 1;
    this.#count++;
    if (durationMs > this.#max) this.#max = durationMs;
  }

  clear(): void {
    this.#bins.fill(0);
    this.#count = 0;
    this.#max = 0;
  }

  /** `share` in 0…1; NaN when nothing was added. */
  percentile(share: number): number {
    if (this.#count === 0) return Number.NaN;
    const wanted = share * this.#count;
    let below = 0;
    for (let bin = 0; bin < this.#bins.length; bin++) {
      below += this.#bins[bin]!;
      if (below >= wanted) return bin / 10;
    }
    return this.#max;
  }

  summary(): DurationSummary {
    return {
      count: this.#count,
      median: this.percentile(0.5),
      p99: this.percentile(0.99),
      p999: this.percentile(0.999),
      max: this.#count ? this.#max : Number.NaN,
    };
  }
}

/** Milliseconds. */
export interface DurationSummary {
  count: number;
  median: number;
  p99: number;
  p999: number;
  max: number;
}
