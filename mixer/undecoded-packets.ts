import type { AudioDecoder } from './codec/codec.ts';

/** A place is made this much longer than the first payload that needs one of its length. */
const SPARE_OCTETS = 32;

/**
 * Copies of the last packets that were not decoded because nobody would have heard them. When sound begins they are decoded
 * first, so that the decoder has its history and the first syllable comes out right.
 */
export class UndecodedPackets {
  /** Places of `placeLength` octets, one for each packet that the decoder needs. */
  private octets = new Uint8Array(0);
  private placeLength = 0;
  private readonly lengths: number[] = [];
  private places = 0;
  private next = 0;
  /** How many there were in a row, kept or not. */
  count = 0;

  /** @param historyPackets so many the decoder will need; the same for all in a row */
  add(payload: Uint8Array, historyPackets: number): void {
    this.count++;
    if (historyPackets === 0) return;
    const { length } = payload;
    if (length > this.placeLength || historyPackets !== this.places) this.makePlaces(length, historyPackets);
    const start = this.next * this.placeLength;
    for (let index = 0; index < length; index++) this.octets[start + index] = payload[index]!;
    this.lengths[this.next] = length;
    this.next = (this.next + 1) % historyPackets;
  }

  /**
   * Decodes what the decoder needs of them, oldest first, into `scratch` from `offset`, where nobody looks; returns how many.
   *
   * @param share of its history, when it need not come out quite right
   */
  decode(decoder: AudioDecoder, scratch: Int16Array, offset: number, share = 1): number {
    const { places, placeLength } = this;
    let decodes = 0;
    for (let back = Math.min(Math.ceil(share * decoder.historyPackets), this.count, places); back > 0; back--) {
      const place = (this.next + places - back) % places;
      const start = place * placeLength;
      decoder.decode(this.octets.subarray(start, start + this.lengths[place]!), scratch, offset);
      decodes++;
    }
    this.clear();
    return decodes;
  }

  clear(): void {
    this.count = 0;
  }

  private makePlaces(length: number, historyPackets: number): void {
    const { octets, placeLength, places } = this;
    this.placeLength = Math.max(placeLength, length + SPARE_OCTETS);
    this.places = historyPackets;
    this.octets = new Uint8Array(this.places * this.placeLength);
    if (this.places !== places) {
      this.next = 0;
      return;
    }
    for (let place = 0; place < places; place++) {
      const start = place * placeLength;
      this.octets.set(octets.subarray(start, start + placeLength), place * this.placeLength);
    }
  }
}
