/** Longest packet that we make: 60 ms of G.711 is 480 bytes, an Opus packet at most 1275, plus header and SRTP tag; a multiple of 4. */
export const PACKET_BYTES = 1500;

/** Memory for one packet. */
export class PacketSlot {
  /** `PACKET_BYTES` long, and at a multiple of four octets in its memory. */
  readonly bytes: Uint8Array;
  /** The same memory, to be written four octets at a time. */
  readonly words: Uint32Array;
  /** Packets are of few lengths, so that the last view mostly fits the next time. */
  private view: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
    this.view = bytes;
  }

  /** The first `length` octets. */
  first(length: number): Uint8Array {
    if (this.view.length !== length) this.view = this.bytes.subarray(0, length);
    return this.view;
  }
}

/**
 * A ring of packet memory shared by all legs of a process. The kernel mostly takes a datagram at once; when its buffer is
 * full, Node holds on to the memory for a moment, so a slot is not written again before the whole ring has gone round.
 */
export class PacketBuffers {
  private readonly slots: PacketSlot[] = [];
  private next = 0;

  constructor(count = 1024) {
    const memory = new Uint8Array(new ArrayBuffer(count * PACKET_BYTES));
    for (let index = 0; index < count; index++) {
      this.slots.push(new PacketSlot(memory.subarray(index * PACKET_BYTES, (index + 1) * PACKET_BYTES)));
    }
  }

  take(): PacketSlot {
    const slot = this.slots[this.next]!;
    this.next = this.next + 1 === this.slots.length ? 0 : this.next + 1;
    return slot;
  }
}
