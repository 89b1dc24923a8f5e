/**
 * Opus packets of one room between its tick and the disk: memory that is made once and filled without allocation.
 *
 * A run of silence is an entry of no bytes.
 */
export class PacketBatch {
  readonly bytes: Uint8Array;
  readonly lengths: Int32Array;
  readonly samples48k: Float64Array;
  count = 0;
  usedBytes = 0;
  /** Samples at 48 kHz in packets: silence takes no memory and so does not count. */
  packetSamples48k = 0;
  readonly #maxPacketSamples48k: number;

  constructor(capacity: { bytes: number; entries: number; samples48k: number }) {
    this.bytes = new Uint8Array(capacity.bytes);
    this.lengths = new Int32Array(capacity.entries);
    this.samples48k = new Float64Array(capacity.entries);
    this.#maxPacketSamples48k = capacity.samples48k;
  }

  /** Copies one packet; false when the batch is full. */
  addPacket(packet: Uint8Array, offset: number, length: number, samples48k: number): boolean {
    if (this.count === this.lengths.length || this.usedBytes + length > this.bytes.length) return false;
    if (this.packetSamples48k + samples48k > this.#maxPacketSamples48k) return false;
    // Byte by byte: a subarray to copy from would be an object for each packet.
    const { bytes, usedBytes } = this;
    for (let i = 0; i < length; i++) bytes[usedBytes + i] = packet[offset + i]!;
    this.usedBytes += length;
    this.packetSamples48k += samples48k;
    this.lengths[this.count] = length;
    this.samples48k[this.count] = samples48k;
    this.count++;
    return true;
  }

  /** Makes the last run of silence longer, or begins one; false when the batch is full. */
  addSilence(samples48k: number): boolean {
    const last = this.count - 1;
    if (last >= 0 && this.lengths[last] === 0) {
      this.samples48k[last]! += samples48k;
      return true;
    }
    if (this.count === this.lengths.length) return false;
    this.lengths[this.count] = 0;
    this.samples48k[this.count] = samples48k;
    this.count++;
    return true;
  }

  clear(): void {
    this.count = 0;
    this.usedBytes = 0;
    this.packetSamples48k = 0;
  }
}
