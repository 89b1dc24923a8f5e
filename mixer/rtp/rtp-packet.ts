/** Reading and writing RTP packets (RFC 3550 §5.1) and their header extensions (RFC 8285). */

export const RTP_HEADER_LENGTH = 12;
const RTP_VERSION = 2;

/** Profiles of the two header extension forms (RFC 8285 §4.2, §4.3); the low four bits of the second are free. */
const ONE_BYTE_PROFILE = 0xbede;
const TWO_BYTE_PROFILE = 0x1000;
const TWO_BYTE_PROFILE_MASK = 0xfff0;

export type MuxedPacketKind = 'rtp' | 'rtcp' | 'other';

/**
 * Tells RTP from RTCP on one port by the second byte (RFC 5761 §4).
 *
 * RTCP packet types 192–223 are payload types 64–95 with the marker bit, which RTP must not use on such a port.
 * `other` is anything that is not of version 2: STUN and DTLS among them (RFC 7983 §7).
 */
export function muxedPacketKind(buffer: Uint8Array, length: number): MuxedPacketKind {
  if (length < 4 || buffer[0]! >> 6 !== RTP_VERSION) return 'other';
  const packetType = buffer[1]!;
  return packetType >= 192 && packetType <= 223 ? 'rtcp' : 'rtp';
}

/** A reusable view of one RTP packet; valid until the next `parse` or until the buffer changes. */
export class RtpPacket {
  buffer: Uint8Array = new Uint8Array(0);
  version = 0;
  marker = false;
  payloadType = 0;
  sequenceNumber = 0;
  timestamp = 0;
  ssrc = 0;
  csrcCount = 0;
  payloadOffset = 0;
  /** Without padding. Zero is valid: keep-alives are sent so (RFC 6263 §4.6). */
  payloadLength = 0;
  /** Padding octets at the end, the count octet included. */
  paddingLength = 0;
  hasExtension = false;
  extensionProfile = 0;
  extensionOffset = 0;
  extensionLength = 0;
  /** Found by `extensionElement`. */
  elementOffset = 0;
  elementLength = 0;

  /**
   * Reads the first `length` octets of `buffer`, which is kept, not copied.
   *
   * Returns false, with the fields undefined, for what fails the header validity checks of RFC 3550 §5.1 and A.1.
   * Whether the payload type was negotiated is for the caller to check.
   */
  parse(buffer: Uint8Array, length: number): boolean {
    if (length < RTP_HEADER_LENGTH || length > buffer.length) return false;
    const first = buffer[0]!;
    const second = buffer[1]!;
    this.version = first >> 6;
    if (this.version !== RTP_VERSION) return false;
    // An RTCP packet must never be read as RTP (RFC 3550 A.1); the range is that of RFC 5761 §4.
    if (second >= 192 && second <= 223) return false;

    this.buffer = buffer;
    this.marker = (second & 0x80) !== 0;
    this.payloadType = second & 0x7f;
    this.sequenceNumber = readUint16(buffer, 2);
    this.timestamp = readUint32(buffer, 4);
    this.ssrc = readUint32(buffer, 8);
    this.csrcCount = first & 0x0f;
    const afterCsrcs = RTP_HEADER_LENGTH + 4 * this.csrcCount;
    if (afterCsrcs > length) return false;

    const payloadOffset = this.#parseExtension(buffer, afterCsrcs, length, (first & 0x10) !== 0);
    if (payloadOffset < 0) return false;
    this.payloadOffset = payloadOffset;

    this.paddingLength = 0;
    if ((first & 0x20) !== 0) {
      this.paddingLength = buffer[length - 1]!;
      if (this.paddingLength === 0 || payloadOffset + this.paddingLength > length) return false;
    }
    this.payloadLength = length - payloadOffset - this.paddingLength;
    return true;
  }

  /**
   * Finds header extension element `id` in either form of RFC 8285 and fills `elementOffset` and `elementLength`.
   *
   * False when it is not there. A damaged element list is read up to the damage (RFC 8285 §4.1.2).
   */
  extensionElement(id: number): boolean {
    if (!this.hasExtension) return false;
    if (this.extensionProfile === ONE_BYTE_PROFILE) return this.#oneByteElement(id);
    if ((this.extensionProfile & TWO_BYTE_PROFILE_MASK) === TWO_BYTE_PROFILE) return this.#twoByteElement(id);
    return false;
  }

  /** The first octet of header extension element `id`; -1 when it is not there, or empty. */
  extensionOctet(id: number): number {
    return this.hasExtension && this.extensionElement(id) && this.elementLength > 0
      ? this.buffer[this.elementOffset]!
      : -1;
  }

  /** Returns where the extension ends, -1 when it reaches beyond the packet. */
  #parseExtension(buffer: Uint8Array, offset: number, length: number, present: boolean): number {
    this.hasExtension = present;
    this.extensionProfile = 0;
    this.extensionOffset = offset;
    this.extensionLength = 0;
    if (!present) return offset;
    if (offset + 4 > length) return -1;
    this.extensionProfile = readUint16(buffer, offset);
    this.extensionOffset = offset + 4;
    this.extensionLength = 4 * readUint16(buffer, offset + 2);
    const end = this.extensionOffset + this.extensionLength;
    return end > length ? -1 : end;
  }

  #oneByteElement(id: number): boolean {
    const end = this.extensionOffset + this.extensionLength;
    let offset = this.extensionOffset;
    while (offset < end) {
      const head = this.buffer[offset]!;
      // A zero octet is padding; an ID of 0 with a length, too, has no other meaning (RFC 8285 §4.2).
      if (head === 0) {
        offset++;
        continue;
      }
      const elementId = head >> 4;
      if (elementId === 15) return false;
      const elementLength = (head & 0x0f) + 1;
      if (offset + 1 + elementLength > end) return false;
      if (elementId === id && id !== 0) return this.#found(offset + 1, elementLength);
      offset += 1 + elementLength;
    }
    return false;
  }

  #twoByteElement(id: number): boolean {
    const end = this.extensionOffset + this.extensionLength;
    let offset = this.extensionOffset;
    while (offset < end) {
      const elementId = this.buffer[offset]!;
      if (elementId === 0) {
        offset++;
        continue;
      }
      if (offset + 2 > end) return false;
      const elementLength = this.buffer[offset + 1]!;
      if (offset + 2 + elementLength > end) return false;
      if (elementId === id) return this.#found(offset + 2, elementLength);
      offset += 2 + elementLength;
    }
    return false;
  }

  #found(offset: number, length: number): true {
    this.elementOffset = offset;
    this.elementLength = length;
    return true;
  }
}

/** Writes a fixed header without contributing sources at the start of `out` and returns its length, 12. */
export function writeRtpHeader(
  out: Uint8Array,
  payloadType: number,
  marker: boolean,
  sequenceNumber: number,
  timestamp: number,
  ssrc: number,
): number {
  out[0] = RTP_VERSION << 6;
  out[1] = (marker ? 0x80 : 0) | payloadType;
  writeUint16(out, 2, sequenceNumber);
  writeUint32(out, 4, timestamp);
  writeUint32(out, 8, ssrc);
  return RTP_HEADER_LENGTH;
}

/** How far `to` is ahead of `from` in 16-bit sequence space: -32768 to 32767. */
export function sequenceDistance(from: number, to: number): number {
  return ((to - from) << 16) >> 16;
}

/** How far `to` is ahead of `from` in 32-bit timestamp space: -2³¹ to 2³¹ - 1. */
export function timestampDistance(from: number, to: number): number {
  return (to - from) | 0;
}

export function readUint16(buffer: Uint8Array, offset: number): number {
  return (buffer[offset]! << 8) | buffer[offset + 1]!;
}

export function readUint32(buffer: Uint8Array, offset: number): number {
  return (
    ((buffer[offset]! << 24) | (buffer[offset + 1]! << 16) | (buffer[offset + 2]! << 8) | buffer[offset + 3]!) >>> 0
  );
}

export function writeUint16(out: Uint8Array, offset: number, value: number): void {
  out[offset] = value >>> 8;
  out[offset + 1] = value;
}

export function writeUint32(out: Uint8Array, offset: number, value: number): void {
  out[offset] = value >>> 24;
  out[offset + 1] = value >>> 16;
  out[offset + 2] = value >>> 8;
  out[offset + 3] = value;
}
