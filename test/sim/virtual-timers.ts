import type { Timer, Timers } from '../../server/timers.ts';

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly expired: () => void;
  cleared: boolean;
}

/** A clock that stands still until it is told to go: thousands of simulated seconds pass at once. */
export class VirtualTimers implements Timers {
  private nowMs = 0;
  private order = 0;
  private live = 0;
  /** A binary heap by time, then by the order in which the timers were set. */
  private readonly heap: Entry[] = [];

  now(): number {
    return this.nowMs;
  }

  /** How many timers are set and have neither expired nor been cleared. */
  get pending(): number {
    return this.live;
  }

  set(delayMs: number, expired: () => void): Timer {
    if (!Number.isFinite(delayMs) || delayMs < 0) throw new Error(`a timer of ${delayMs} ms`);
    const entry: Entry = { atMs: this.nowMs + delayMs, order: this.order++, expired, cleared: false };
    this.push(entry);
    this.live++;
    return {
      clear: () => {
        if (!entry.cleared) this.live--;
        entry.cleared = true;
      },
    };
  }

  /** Lets that much time pass, and all that is due in it happen, in order. */
  advance(ms: number): void {
    const untilMs = this.nowMs + ms;
    while (this.heap[0] !== undefined && this.heap[0].atMs <= untilMs) this.runNext();
    this.nowMs = untilMs;
  }

  /** Lets time pass until no timer is set; throws when that takes longer than `limitMs` of virtual time. */
  runUntilIdle(limitMs = 3_600_000): void {
    const untilMs = this.nowMs + limitMs;
    while (this.live > 0) {
      if (this.heap[0]!.atMs > untilMs) throw new Error(`${this.live} timers still set after ${limitMs} ms`);
      this.runNext();
    }
    this.heap.length = 0;
  }

  /** Time until the next timer is due; null when none is set. */
  get untilNextMs(): number | null {
    while (this.heap[0]?.cleared) this.pop();
    return this.heap[0] === undefined ? null : this.heap[0].atMs - this.nowMs;
  }

  private runNext(): void {
    const entry = this.pop();
    if (entry.cleared) return;
    entry.cleared = true;
    this.live--;
    this.nowMs = entry.atMs;
    entry.expired();
  }

  private push(entry: Entry): void {
    let at = this.heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (before(this.heap[parent]!, entry)) break;
      this.heap[at] = this.heap[parent]!;
      at = parent;
    }
    this.heap[at] = entry;
  }

  private pop(): Entry {
    const first = this.heap[0]!;
    const last = this.heap.pop()!;
    if (this.heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.heap.length) break;
      if (child + 1 < this.heap.length && before(this.heap[child + 1]!, this.heap[child]!)) child++;
      if (before(last, this.heap[child]!)) break;
      this.heap[at] = this.heap[child]!;
      at = child;
    }
    this.heap[at] = last;
    return first;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
