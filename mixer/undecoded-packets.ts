import type { AudioDecoder } from './codec/codec.ts';
import { PAYLOADS_KEPT } from './rtp/payload-memory.ts';

/** All that are there still beside the packet at hand. */
const KEPT = PAYLOADS_KEPT - 1;

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

  /**
   * Decodes what the decoder needs of them, oldest first, into `scratch` from `offset`, where nobody looks; returns how many.
   *
   * @param share of its history, when it need not come out quite right
   */
  decode(decoder: AudioDecoder, scratch: Int16Array, offset: number, share = 1): number {
    let decodes = 0;
    for (let back = Math.min(Math.ceil(share * decoder.historyPackets), this.count, KEPT); back > 0; back--) {
      decoder.decode(this.payloads[(this.next + KEPT - back) % KEPT]!, scratch, offset);
      decodes++;
    }
    this.clear();
    return decodes;
  }

  clear(): void {
    this.payloads.fill(null);
    this.count = 0;
  }
}
