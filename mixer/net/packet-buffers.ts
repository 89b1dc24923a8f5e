/** Longest packet that we make: 60 ms of G.711 is 480 bytes, an Opus packet at most 1275, plus header and SRTP tag. */
export const PACKET_BYTES = 1500;

/**
 * A ring of packet memory shared by all legs of a process. The kernel mostly takes a datagram at once; when its buffer is
 * full, Node holds on to the memory for a moment, so a slot is not written again before the whole ring has gone round.
 */
export class PacketBuffers {
  private readonly slots: Uint8Array[] = [];
  private next = 0;

  constructor(count = 1024) {
    const memory = new Uint8Array(new ArrayBuffer(count * PACKET_BYTES));
    for (let index = 0; index < count; index++) {
      this.slots.push(memory.subarray(index * PACKET_BYTES, (index + 1) * PACKET_BYTES));
    }
  }

  take(): Uint8Array {
    const slot = this.slots[this.next]!;
    this.next = this.next + 1 === this.slots.length ? 0 : this.next + 1;
    return slot;
  }
}
