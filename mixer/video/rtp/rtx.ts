/** Retransmission in a stream of its own (RFC 4588 §4): the payload begins with the original sequence number. */

import { readUint16, writeUint16 } from '../../rtp/rtp-packet.ts';

export const RTX_HEADER_LENGTH = 2;

/** Which packet is in a retransmission; -1 when none is, as in those that only measure the line. */
export function rtxOriginal(payload: Uint8Array): number {
  return payload.length > RTX_HEADER_LENGTH ? readUint16(payload, 0) : -1;
}

/** Writes what stands before the original payload, and returns where that begins. */
export function writeRtxHeader(out: Uint8Array, offset: number, original: number): number {
  writeUint16(out, offset, original);
  return offset + RTX_HEADER_LENGTH;
}
