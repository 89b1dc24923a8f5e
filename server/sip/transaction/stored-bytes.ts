/** Octets that are kept: `length` of them from `offset` on. */
export interface StoredBytes {
  readonly chunk: Buffer;
  readonly offset: number;
  readonly length: number;
}

const CHUNK_BYTES = 64 * 1024;

/**
 * Copies of messages, one behind the other in large pieces of memory: a buffer of its own for each would cost more than
 * what is in it. A piece is free once nothing in it is kept, so what is stored one after the other should go so too.
 */
export class ByteStore {
  private chunk: Buffer | null = null;
  private used = 0;

  add(bytes: Uint8Array): StoredBytes {
    const { length } = bytes;
    if (this.chunk === null || this.used + length > this.chunk.length) {
      this.chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, length));
      this.used = 0;
    }
    const { chunk, used: offset } = this;
    chunk.set(bytes, offset);
    this.used += length;
    return { chunk, offset, length };
  }
}
