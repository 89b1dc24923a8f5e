import { describe, expect, it } from 'vitest';
import { PAYLOADS_KEPT, PayloadMemory } from '../../mixer/rtp/payload-memory.ts';

const MOST = 128;

/** Within a packet. */
function store(memory: PayloadMemory, payload: Uint8Array): number {
  return memory.store(Uint8Array.of(1, 2, 3, ...payload, 4, 5), 3, payload.length);
}

/** Stores a payload of its own, and releases it at once, so many times. */
function flow(memory: PayloadMemory, payloads: number, waiting = 0): void {
  const cells: number[] = [];
  for (let index = 0; index < payloads; index++) {
    cells.push(store(memory, new Uint8Array(160).fill(index & 255)));
    if (cells.length > waiting) memory.release(cells.shift()!);
  }
  for (const cell of cells) memory.release(cell);
}

function cellsWithMemory(memory: PayloadMemory): number {
  let count = 0;
  for (let cell = 0; cell < MOST + PAYLOADS_KEPT; cell++) if ((memory.payload(cell)?.length ?? 0) > 0) count++;
  return count;
}

describe('Memory for payloads', () => {
  it('grows with what waits, and gives it back when that is over', () => {
    const memory = new PayloadMemory(MOST);
    flow(memory, 2000);
    expect(cellsWithMemory(memory)).toBe(PAYLOADS_KEPT + 1);
    flow(memory, 100, 60);
    expect(cellsWithMemory(memory)).toBeGreaterThanOrEqual(60);
    flow(memory, 2000);
    expect(cellsWithMemory(memory)).toBeLessThanOrEqual(PAYLOADS_KEPT + 2);
    flow(memory, 100, 60);
    expect(cellsWithMemory(memory)).toBeGreaterThanOrEqual(60);
  });

  it('keeps what is needed again and again', () => {
    const memory = new PayloadMemory(MOST);
    for (let burst = 0; burst < 20; burst++) flow(memory, 200, 30);
    expect(cellsWithMemory(memory)).toBeGreaterThanOrEqual(30);
  });

  it('leaves what was released as it is for some payloads more, also while it shrinks', () => {
    const memory = new PayloadMemory(MOST);
    flow(memory, 100, 60);
    const released: { payload: Uint8Array; octet: number }[] = [];
    for (let index = 0; index < 3000; index++) {
      const octet = (index * 7) & 255;
      const cell = store(memory, new Uint8Array(40 + (index % 90)).fill(octet));
      for (const before of released) expect(before.payload.every((value) => value === before.octet)).toBe(true);
      released.push({ payload: memory.payload(cell), octet });
      if (released.length > PAYLOADS_KEPT) released.shift();
      memory.release(cell);
    }
  });

  it('takes a payload of any length into any cell', () => {
    const memory = new PayloadMemory(MOST);
    for (let index = 0; index < 500; index++) {
      const payload = Uint8Array.from({ length: (index * 37) % 400 }, (_, at) => (at + index) & 255);
      const cell = store(memory, payload);
      expect(memory.payload(cell)).toEqual(payload);
      memory.release(cell);
    }
  });
});
