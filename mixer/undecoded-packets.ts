import type { AudioDecoder } from './codec/codec.ts';

/** Enough for a decoder to find its feet: some 80 ms. */
const KEPT = 4;

/**
 * The last packets that were not decoded because nobody would have heard them. When sound begins they are decoded first,
 * so that the decoder has its history and the first syllable comes out right.
 */
export class UndecodedPackets {
  private readonly payloads: (Uint8Array | null)[] = new Array(KEPT).fill(null);
  private next = 0;
  /** How many there were in a row, kept or not. */
  count = 0;

  add(payload: Uint8Array): void {
    this.payloads[this.next] = payload;
    this.next = (this.next + 1) % KEPT;
    this.count++;
  }

  /** Decodes those that are kept, oldest first, into `scratch` from `offset`, where nobody looks; returns how many. */
  decode(decoder: AudioDecoder, scratch: Int16Array, offset: number): number {
    let decodes = 0;
    for (let step = 0; step < KEPT; step++) {
      const index = (this.next + step) % KEPT;
      const payload = this.payloads[index];
      if (!payload) continue;
      decoder.decode(payload, scratch, offset);
      this.payloads[index] = null;
      decodes++;
    }
    this.count = 0;
    return decodes;
  }

  clear(): void {
    this.payloads.fill(null);
    this.count = 0;
  }
}
