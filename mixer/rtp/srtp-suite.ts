import type { SrtpSuite } from '../protocol.ts';

/** What a crypto suite consists of; lengths in octets. */
export interface SrtpSuiteParameters {
  transform: 'aes-cm' | 'aes-gcm';
  keyLength: 16 | 32;
  saltLength: 14 | 12;
  rtpTagLength: number;
  /** 80 bits of HMAC even where RTP has 32 (RFC 4568 §6.2.2). */
  rtcpTagLength: number;
}

/** RFC 4568 §6.2, RFC 6188 §4, RFC 7714 §12. */
export const SRTP_SUITES: Readonly<Record<SrtpSuite, SrtpSuiteParameters>> = {
  AES_CM_128_HMAC_SHA1_80: aesCm(16, 10),
  AES_CM_128_HMAC_SHA1_32: aesCm(16, 4),
  AES_256_CM_HMAC_SHA1_80: aesCm(32, 10),
  AES_256_CM_HMAC_SHA1_32: aesCm(32, 4),
  AEAD_AES_128_GCM: aesGcm(16),
  AEAD_AES_256_GCM: aesGcm(32),
};

function aesCm(keyLength: 16 | 32, rtpTagLength: number): SrtpSuiteParameters {
  return { transform: 'aes-cm', keyLength, saltLength: 14, rtpTagLength, rtcpTagLength: 10 };
}

function aesGcm(keyLength: 16 | 32): SrtpSuiteParameters {
  return { transform: 'aes-gcm', keyLength, saltLength: 12, rtpTagLength: 16, rtcpTagLength: 16 };
}
