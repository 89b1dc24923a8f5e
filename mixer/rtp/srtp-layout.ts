import { readUint16 } from './rtp-packet.ts';

/** Where things stand in SRTP and SRTCP packets (RFC 3711 §3.1, §3.4). */

export const RTP_SEQUENCE_OFFSET = 2;
export const RTP_SSRC_OFFSET = 8;
export const RTCP_SSRC_OFFSET = 4;

/** The header of the first RTCP packet of a compound one is never encrypted. */
export const RTCP_CLEAR_LENGTH = 8;

/** The E flag and the index. */
export const RTCP_INDEX_LENGTH = 4;

/** In an SRTCP index word: the packet is encrypted. */
export const E_FLAG = 0x80000000;

/** Longest packet that is secured or read, octets: above what a network carries in one piece. */
export const SRTP_MAX_PACKET_LENGTH = 2048;

/** Where the payload of an RTP packet begins (RFC 3550 §5.1); -1 when the header is damaged. */
export function rtpHeaderLength(packet: Uint8Array, length: number): number {
  if (length < 12 || length > SRTP_MAX_PACKET_LENGTH || packet[0]! >> 6 !== 2) return -1;
  const fixed = 12 + 4 * (packet[0]! & 0x0f);
  if ((packet[0]! & 0x10) === 0) return fixed > length ? -1 : fixed;
  if (fixed + 4 > length) return -1;
  const headerLength = fixed + 4 + 4 * readUint16(packet, fixed + 2);
  return headerLength > length ? -1 : headerLength;
}
