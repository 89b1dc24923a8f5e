/** Octets of payload in a packet: with all headers, tags and RTX it stays below 1280, the least that IPv6 carries whole. */
export const MAX_VIDEO_PAYLOAD = 1180;

const FIRST_OCTETS = 1 << 14;
const FIRST_PAYLOADS = 16;

/**
 * The RTP payloads of one frame, in order; made once for all who get the frame. The last one is sent with the marker.
 * Used again and again: memory grows to what the largest frame needs.
 */
export class PayloadList {
  /** The payloads, one after the other. Another buffer when it has grown. */
  bytes = new Uint8Array(FIRST_OCTETS);
  count = 0;
  private offsets = new Uint32Array(FIRST_PAYLOADS);
  /** Where the last payload ends. */
  private end = 0;

  /** Octets of all payloads. */
  get totalLength(): number {
    return this.end;
  }

  clear(): void {
    this.count = 0;
    this.end = 0;
  }

  /** Where payload `index` begins in `bytes`. */
  offset(index: number): number {
    return this.offsets[index]!;
  }

  length(index: number): number {
    return (index + 1 < this.count ? this.offsets[index + 1]! : this.end) - this.offsets[index]!;
  }

  /** Adds a payload of `length` octets, to be written into `bytes` from the offset that is returned. */
  add(length: number): number {
    if (this.count === this.offsets.length) this.offsets = grown(this.offsets, new Uint32Array(2 * this.count));
    const offset = this.end;
    const end = offset + length;
    if (end > this.bytes.length) {
      this.bytes = grown(this.bytes, new Uint8Array(Math.max(end, 2 * this.bytes.length)));
    }
    this.offsets[this.count++] = offset;
    this.end = end;
    return offset;
  }
}

function grown<T extends Uint8Array | Uint32Array>(from: T, into: T): T {
  into.set(from);
  return into;
}
