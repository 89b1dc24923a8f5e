import { describe, expect, it } from 'vitest';
import { PayloadMemory } from '../../mixer/rtp/payload-memory.ts';

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

/** So many different ones it gives at a time, without making one. */
function cellsWithMemory(memory: PayloadMemory): number {
  const cells = Array.from({ length: MOST }, () => store(memory, new Uint8Array(0)));
  const count = cells.filter((cell) => memory.payload(cell).buffer.byteLength > 0).length;
  for (const cell of cells) memory.release(cell);
  return count;
}

describe('Memory for payloads', () => {
  it('grows with what waits, and gives it back when that is over', () => {
    const memory = new PayloadMemory(MOST);
    flow(memory, 2000);
    expect(cellsWithMemory(memory)).toBe(1);
    flow(memory, 100, 60);
    expect(cellsWithMemory(memory)).toBeGreaterThanOrEqual(60);
    flow(memory, 2000);
    expect(cellsWithMemory(memory)).toBeLessThanOrEqual(2);
    flow(memory, 100, 60);
    expect(cellsWithMemory(memory)).toBeGreaterThanOrEqual(60);
  });

  it('keeps what is needed again and again', () => {
    const memory = new PayloadMemory(MOST);
    for (let burst = 0; burst < 20; burst++) flow(memory, 200, 30);
    expect(cellsWithMemory(memory)).toBeGreaterThanOrEqual(30);
  });

  it('leaves what was released as it is until something is stored, also while it shrinks', () => {
    const memory = new PayloadMemory(MOST);
    flow(memory, 100, 60);
    const waiting: { cell: number; octet: number }[] = [];
    for (let index = 0; index < 3000; index++) {
      const octet = (index * 7) & 255;
      waiting.push({ cell: store(memory, new Uint8Array(40 + (index % 90)).fill(octet)), octet });
      if (waiting.length <= 3) continue;
      const first = waiting.shift()!;
      const payload = memory.payload(first.cell);
      memory.release(first.cell);
      for (const held of waiting) {
        expect(memory.payload(held.cell).every((value) => value === held.octet)).toBe(true);
      }
      expect(payload.every((value) => value === first.octet)).toBe(true);
    }
  });

  it('gives the same view again and again while payloads are of one length', () => {
    const memory = new PayloadMemory(MOST);
    const views = new Set<Uint8Array>();
    for (const length of [160, 160, 160, 160, 80, 160, 160, 240, 240, 240, 160, 160]) {
      const cell = store(memory, new Uint8Array(length).fill(length));
      expect(memory.payload(cell)).toEqual(new Uint8Array(length).fill(length));
      views.add(memory.payload(cell));
      memory.release(cell);
    }
    expect(views.size).toBeLessThan(8);
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
