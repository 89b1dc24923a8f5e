import { readUint16 } from './rtp-packet.ts';
import { AesCmTransform } from './srtp-aes-cm.ts';
import { AesGcmTransform } from './srtp-aes-gcm.ts';
import { deriveSessionKeys } from './srtp-key-derivation.ts';
import { SRTP_SUITES } from './srtp-suite.ts';
import type { SrtpSuite } from '../protocol.ts';

/** Longest packet that is secured or read, octets: above what a network carries in one piece. */
export const SRTP_MAX_PACKET_LENGTH = 2048;

/** How much longer a packet can become: the tag of AEAD and the index of SRTCP. */
export const SRTP_MAX_TRAILER_LENGTH = 20;

/** The fixed header of the first RTCP packet of a compound one, which stays readable (RFC 3711 §3.4). */
export const SRTCP_HEADER_LENGTH = 8;

/**
 * Encrypts and authenticates packets in place, for RTP or for RTCP, with the session keys of one direction.
 *
 * The packet index comes in two parts: for RTP the rollover counter and the sequence number, for RTCP the upper 15 and the
 * lower 16 bits of its index, which makes the same initialisation vector of both (RFC 3711 §4.1.1, RFC 7714 §8.1, §9.1).
 * Each method returns the new length; the last two return -1, with the packet as it was, when it is not authentic.
 */
export interface SrtpTransform {
  /** Octets of the tag that stand behind everything else, the master key identifier included: none with AEAD. */
  readonly trailingTagLength: number;
  sealRtp(packet: Uint8Array, headerLength: number, length: number, ssrc: number, roc: number, sequence: number): number;
  sealRtcp(packet: Uint8Array, length: number, ssrc: number, index: number): number;
  openRtp(packet: Uint8Array, headerLength: number, length: number, ssrc: number, roc: number, sequence: number): number;
  openRtcp(packet: Uint8Array, length: number, ssrc: number): number;
  /** The E flag and index of an SRTCP packet (RFC 3711 §3.4), as one 32-bit number; -1 when it is too short. */
  readRtcpIndex(packet: Uint8Array, length: number): number;
}

export function createTransform(suite: SrtpSuite, masterKeyAndSalt: string, kind: 'rtp' | 'rtcp'): SrtpTransform {
  const { transform, rtpTagLength, rtcpTagLength } = SRTP_SUITES[suite];
  const keys = deriveSessionKeys(suite, masterKeyAndSalt, kind);
  if (transform === 'aes-gcm') return new AesGcmTransform(keys);
  return new AesCmTransform(keys, kind === 'rtp' ? rtpTagLength : rtcpTagLength);
}

/** Where the payload of an RTP packet begins (RFC 3550 §5.1); -1 when the header is damaged. */
export function rtpHeaderLength(packet: Uint8Array, length: number): number {
  if (length < 12 || length > SRTP_MAX_PACKET_LENGTH || packet[0]! >> 6 !== 2) return -1;
  const fixed = 12 + 4 * (packet[0]! & 0x0f);
  if ((packet[0]! & 0x10) === 0) return fixed > length ? -1 : fixed;
  if (fixed + 4 > length) return -1;
  const headerLength = fixed + 4 + 4 * readUint16(packet, fixed + 2);
  return headerLength > length ? -1 : headerLength;
}
