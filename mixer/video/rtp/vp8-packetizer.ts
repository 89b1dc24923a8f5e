import type { PayloadList } from './payload-list.ts';

/** Extension, start of a partition (RFC 7741 §4.2). */
const EXTENDED = 0x80;
const START = 0x10;
const HAS_PICTURE_ID = 0x80;
const LONG_PICTURE_ID = 0x8000;
const PICTURE_ID_MASK = 0x7fff;
const PLAIN_LENGTH = 1;
const WITH_PICTURE_ID_LENGTH = 4;

/**
 * Makes RTP payloads of a VP8 frame (RFC 7741 §4.2), all about equally long. `out` is cleared first.
 *
 * @param pictureId one more with each frame, of which 15 bits are sent; null: none is.
 */
export function packetizeVp8(
  frame: Uint8Array,
  pictureId: number | null,
  maxPayload: number,
  out: PayloadList,
): boolean {
  out.clear();
  const { length } = frame;
  if (length === 0) return false;
  const header = pictureId === null ? PLAIN_LENGTH : WITH_PICTURE_ID_LENGTH;
  const fragments = Math.ceil(length / (maxPayload - header));
  const most = Math.ceil(length / fragments);
  for (let from = 0; from < length; from += most) {
    const until = Math.min(length, from + most);
    const at = out.add(header + until - from);
    const { bytes } = out;
    // Partitions are not told apart: the index is that of the first one, as only its beginning is marked.
    bytes[at] = (pictureId === null ? 0 : EXTENDED) | (from === 0 ? START : 0);
    if (pictureId !== null) {
      const id = LONG_PICTURE_ID | (pictureId & PICTURE_ID_MASK);
      bytes[at + 1] = HAS_PICTURE_ID;
      bytes[at + 2] = id >>> 8;
      bytes[at + 3] = id;
    }
    bytes.set(frame.subarray(from, until), at + header);
  }
  return true;
}
