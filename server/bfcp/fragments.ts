import { FRAGMENT_HEADER_BYTES, HEADER_BYTES } from './message.ts';
import type { ParsedHeader } from './parse-message.ts';

/** Messages over UDP in pieces (RFC 8855 §6.2.3): each has the header of the whole, and says which part it is. */

/** A message as datagrams of that many octets at most; itself where it fits. */
export function splitMessage(message: Uint8Array, maxBytes: number): Uint8Array[] {
  if (message.length <= maxBytes) return [message];
  const payload = message.subarray(HEADER_BYTES);
  const most = (maxBytes - FRAGMENT_HEADER_BYTES) & ~3;
  const pieces: Uint8Array[] = [];
  for (let offset = 0; offset < payload.length; offset += most) {
    const part = payload.subarray(offset, offset + most);
    const piece = new Uint8Array(FRAGMENT_HEADER_BYTES + part.length);
    piece.set(message.subarray(0, HEADER_BYTES));
    piece[0]! |= 0x08;
    const view = new DataView(piece.buffer);
    view.setUint16(12, offset / 4);
    view.setUint16(14, part.length / 4);
    piece.set(part, FRAGMENT_HEADER_BYTES);
    pieces.push(piece);
  }
  return pieces;
}

/**
 * Puts the fragments of one sender's message together. There is one at a time, as nobody begins a transaction before the
 * last one is over (RFC 8855 §8.3): with the first piece of another, what is there of the one before is forgotten.
 */
export class Reassembly {
  private readonly maxBytes: number;
  private key = '';
  private payload = new Uint8Array(0);
  /** Of each 4 octets, whether they have come. */
  private come: boolean[] = [];
  private missing = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** The payload, once all of it is there. Null: something is still missing, or the piece cannot be one. */
  add({ fragment, payloadBytes, ...header }: ParsedHeader, part: Uint8Array): Uint8Array | null {
    if (fragment === null || payloadBytes > this.maxBytes || part.length !== fragment.length) return null;
    if (fragment.length === 0 || fragment.offset + fragment.length > payloadBytes) return null;
    const key = `${header.primitive} ${header.responder} ${header.transactionId} ${payloadBytes}`;
    if (key !== this.key) this.begin(key, payloadBytes);
    this.payload.set(part, fragment.offset);
    for (let at = fragment.offset / 4; at < (fragment.offset + fragment.length) / 4; at++) {
      if (!this.come[at]) this.missing--;
      this.come[at] = true;
    }
    if (this.missing > 0) return null;
    this.key = '';
    return this.payload;
  }

  private begin(key: string, payloadBytes: number): void {
    this.key = key;
    this.payload = new Uint8Array(payloadBytes);
    this.missing = payloadBytes / 4;
    this.come = new Array<boolean>(this.missing).fill(false);
  }
}
