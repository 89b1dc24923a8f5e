/** VP8 payloads (RFC 7741 §4.2, §4.3). */

import { PACKET_KEY, PACKET_MALFORMED, PACKET_STARTS, PACKET_VP8 } from './received-packets.ts';
import type { UnitWriter } from './unit-writer.ts';

const EXTENDED = 0x80;
const START = 0x10;
const PARTITION_MASK = 0x07;

const PICTURE_ID = 0x80;
const PICTURE_LEVEL = 0x40;
const TEMPORAL_LAYER = 0x20;
const KEY_INDEX = 0x10;
const LONG_PICTURE_ID = 0x80;

/** Bit of a frame's first octet: not a key frame (RFC 6386 §9.1). */
const INTER_FRAME = 0x01;
const KEY_FRAME_HEADER_LENGTH = 10;

/** Length of the payload descriptor; -1 when the payload ends with it or before. */
export function vp8DescriptorLength(bytes: Uint8Array, length: number): number {
  let at = 1;
  if (length > 1 && (bytes[0]! & EXTENDED) !== 0) {
    const extension = bytes[at++]!;
    if ((extension & PICTURE_ID) !== 0) {
      if (at >= length) return -1;
      at += (bytes[at]! & LONG_PICTURE_ID) === 0 ? 1 : 2;
    }
    if ((extension & PICTURE_LEVEL) !== 0) at++;
    if ((extension & (TEMPORAL_LAYER | KEY_INDEX)) !== 0) at++;
  }
  return at < length ? at : -1;
}

/** What a payload is, of `PACKET_…`. */
export function inspectVp8(bytes: Uint8Array, length: number): number {
  const at = vp8DescriptorLength(bytes, length);
  if (at < 0) return PACKET_VP8 | PACKET_MALFORMED;
  const first = bytes[0]!;
  if ((first & START) === 0 || (first & PARTITION_MASK) !== 0) return PACKET_VP8;
  if ((bytes[at]! & INTER_FRAME) !== 0) return PACKET_VP8 | PACKET_STARTS;
  if (!isKeyFrame(bytes, at, length)) return PACKET_VP8 | PACKET_MALFORMED;
  return PACKET_VP8 | PACKET_STARTS | PACKET_KEY;
}

/** Adds what a payload has of its frame. */
export function addVp8(bytes: Uint8Array, length: number, out: UnitWriter): void {
  out.add(bytes, vp8DescriptorLength(bytes, length), length);
}

/** Three octets of frame tag, start code, sizes (RFC 6386 §9.1). */
function isKeyFrame(bytes: Uint8Array, at: number, length: number): boolean {
  return (
    length - at >= KEY_FRAME_HEADER_LENGTH && bytes[at + 3] === 0x9d && bytes[at + 4] === 0x01 && bytes[at + 5] === 0x2a
  );
}
