import type { PayloadList } from './payload-list.ts';

/** So long a payload can be sent again at least, as far as memory allows. */
const KEPT_MS = 1000;
const TICKS_IN_MS = 90;
/** Powers of two, all. */
const PACKETS = 4096;
const PACKET_MASK = PACKETS - 1;
const FIRST_BYTES = 1 << 17;
const MOST_BYTES = 1 << 23;

const MARKER = 1;
const KEY_FRAME = 2;

/**
 * The last second or so of an encoder's packets, for all who get them: they are sent from here, and sent again.
 *
 * Packets have a running index, from 0 on, that never wraps; `ViewerPackets` makes each viewer's sequence numbers of it.
 */
export class SentFrames {
  /** Index of the oldest packet that is still here, and the one after the newest. */
  first = 0;
  end = 0;
  /** Where the newest key frame begins; -1 when it is not here any more, or there was none yet. */
  keyFrameIndex = -1;

  private bytes = new Uint8Array(FIRST_BYTES);
  /** Where the next payload goes. */
  private writeAt = 0;
  private readonly offsets = new Uint32Array(PACKETS);
  private readonly lengths = new Uint16Array(PACKETS);
  private readonly flags = new Uint8Array(PACKETS);
  private readonly times = new Float64Array(PACKETS);
  /** Octets of all packets ever added before each one, so that those in between can be counted. */
  private readonly before = new Float64Array(PACKETS);
  private total = 0;

  /**
   * Adds the packets of a frame and returns the index of the first. Throws a RangeError at a frame of more than
   * `MOST_BYTES` / 2 or `PACKETS` / 2, which no encoder should make.
   *
   * @param atMs when the picture was composed; timestamps are made of it, so that those of all encoders agree.
   */
  add(list: PayloadList, atMs: number, keyFrame: boolean): number {
    if (list.count > PACKETS / 2 || list.totalLength > MOST_BYTES / 2) {
      throw new RangeError(`a frame of ${list.totalLength} octets in ${list.count} packets`);
    }
    const start = this.end;
    for (let index = 0; index < list.count; index++) {
      const length = list.length(index);
      const offset = this.room(length, atMs);
      const from = list.offset(index);
      this.bytes.set(list.bytes.subarray(from, from + length), offset);
      const slot = this.end & PACKET_MASK;
      this.offsets[slot] = offset;
      this.lengths[slot] = length;
      this.times[slot] = atMs;
      this.before[slot] = this.total;
      this.flags[slot] = (index === list.count - 1 ? MARKER : 0) | (keyFrame ? KEY_FRAME : 0);
      this.total += length;
      this.end++;
    }
    if (keyFrame) this.keyFrameIndex = start;
    else if (this.keyFrameIndex < this.first) this.keyFrameIndex = -1;
    return start;
  }

  has(index: number): boolean {
    return index >= this.first && index < this.end;
  }

  length(index: number): number {
    return this.lengths[index & PACKET_MASK]!;
  }

  /** Ticks of 90 kHz, 32 bits; viewers add an offset of their own. */
  timestamp(index: number): number {
    return Math.round(this.atMs(index) * TICKS_IN_MS) % 2 ** 32;
  }

  atMs(index: number): number {
    return this.times[index & PACKET_MASK]!;
  }

  marker(index: number): boolean {
    return (this.flags[index & PACKET_MASK]! & MARKER) !== 0;
  }

  inKeyFrame(index: number): boolean {
    return (this.flags[index & PACKET_MASK]! & KEY_FRAME) !== 0;
  }

  /** Octets of the payloads from `index`, which must be here, to the newest. */
  octetsFrom(index: number): number {
    return index >= this.end ? 0 : this.total - this.before[index & PACKET_MASK]!;
  }

  /** Copies a payload, which must be here, into `out` and returns where it ends. */
  copy(index: number, out: Uint8Array, offset: number): number {
    const slot = index & PACKET_MASK;
    const from = this.offsets[slot]!;
    const length = this.lengths[slot]!;
    out.set(this.bytes.subarray(from, from + length), offset);
    return offset + length;
  }

  /** Makes room in one piece, by letting go of the oldest packets, or by more memory where those are too young. */
  private room(length: number, nowMs: number): number {
    if (this.end - this.first === PACKETS) this.first++;
    let offset = this.place(length);
    while (offset < 0) {
      const young = nowMs - this.times[this.first & PACKET_MASK]! < KEPT_MS;
      if (young && this.bytes.length < MOST_BYTES) this.grow();
      else this.first++;
      offset = this.place(length);
    }
    this.writeAt = offset + length;
    return offset;
  }

  /** Where so many octets fit without touching the oldest packet; -1: nowhere. */
  private place(length: number): number {
    if (this.first === this.end) return 0;
    const oldest = this.offsets[this.first & PACKET_MASK]!;
    const at = this.writeAt;
    if (at <= oldest) return at + length <= oldest ? at : -1;
    if (at + length <= this.bytes.length) return at;
    return length <= oldest ? 0 : -1;
  }

  private grow(): void {
    const bytes = new Uint8Array(2 * this.bytes.length);
    let to = 0;
    for (let index = this.first; index < this.end; index++) {
      const slot = index & PACKET_MASK;
      const from = this.offsets[slot]!;
      bytes.set(this.bytes.subarray(from, from + this.lengths[slot]!), to);
      this.offsets[slot] = to;
      to += this.lengths[slot]!;
    }
    this.bytes = bytes;
    this.writeAt = to;
  }
}
