/** The largest frame that is taken. */
export const MAX_UNIT_OCTETS = 2 * 1024 * 1024;
const FIRST_OCTETS = 1 << 17;

/** Memory in which units are put together, one after the other. */
export class UnitWriter {
  length = 0;
  /** Something did not fit. */
  overflowed = false;
  private bytes = new Uint8Array(FIRST_OCTETS);

  begin(): void {
    this.length = 0;
    this.overflowed = false;
  }

  /** Adds the octets of `from` from `start` to before `end`. */
  add(from: Uint8Array, start: number, end: number): void {
    const at = this.length;
    if (!this.reserve(end - start)) return;
    this.bytes.set(from.subarray(start, end), at);
  }

  /** Adds the start code of a byte stream (H.264 annex B) and a first octet. */
  startNal(header: number): void {
    const at = this.length;
    if (!this.reserve(5)) return;
    const { bytes } = this;
    bytes[at] = 0;
    bytes[at + 1] = 0;
    bytes[at + 2] = 0;
    bytes[at + 3] = 1;
    bytes[at + 4] = header;
  }

  /** Takes back what was added from `length` on. */
  cut(length: number): void {
    this.length = length;
  }

  view(start: number, end: number): Uint8Array {
    return this.bytes.subarray(start, end);
  }

  /** A copy of it all, after `before`. */
  finish(before: Uint8Array): Uint8Array {
    const unit = new Uint8Array(before.length + this.length);
    unit.set(before);
    unit.set(this.bytes.subarray(0, this.length), before.length);
    return unit;
  }

  private reserve(octets: number): boolean {
    const end = this.length + octets;
    if (end > MAX_UNIT_OCTETS) {
      this.overflowed = true;
      return false;
    }
    if (end > this.bytes.length) {
      const bytes = new Uint8Array(Math.max(end, 2 * this.bytes.length));
      bytes.set(this.bytes);
      this.bytes = bytes;
    }
    this.length = end;
    return true;
  }
}
