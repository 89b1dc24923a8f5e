import type { SrtpSuite } from '../protocol.ts';
import { AesCmTransform } from './srtp-aes-cm.ts';
import { AesGcmTransform } from './srtp-aes-gcm.ts';
import { deriveSessionKeys } from './srtp-key-derivation.ts';
import { SRTP_SUITES } from './srtp-suite.ts';

/**
 * Encrypts and authenticates packets in place with the session keys of one direction; knows nothing of streams.
 *
 * `seal…` returns the new length, for which there must be room. `open…` returns the new length, or -1, with the packet as
 * it was, when it is not authentic.
 */
export interface SrtpTransform {
  sealRtp(packet: Uint8Array, headerLength: number, length: number, roc: number): number;
  openRtp(packet: Uint8Array, headerLength: number, length: number, roc: number): number;
  /** `index` has 31 bits. */
  sealRtcp(packet: Uint8Array, length: number, index: number): number;
  openRtcp(packet: Uint8Array, length: number): number;
  /** The E flag and the index of an SRTCP packet (RFC 3711 §3.4), 32 bits together; -1 when it is too short for them. */
  rtcpIndexWord(packet: Uint8Array, length: number): number;
  /** Octets of tag behind the master key identifier, which stands last with AEAD (RFC 3711 §3.1, RFC 7714 §8.2). */
  readonly rtpTagAfterMki: number;
  readonly rtcpTagAfterMki: number;
}

export function createTransform(suite: SrtpSuite, masterKeyAndSalt: string): SrtpTransform {
  const { transform, rtpTagLength, rtcpTagLength } = SRTP_SUITES[suite];
  const rtp = deriveSessionKeys(suite, masterKeyAndSalt, 'rtp');
  const rtcp = deriveSessionKeys(suite, masterKeyAndSalt, 'rtcp');
  if (transform === 'aes-gcm') return new AesGcmTransform(rtp, rtcp);
  return new AesCmTransform(rtp, rtcp, rtpTagLength, rtcpTagLength);
}
