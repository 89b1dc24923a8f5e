import { createCipheriv } from 'node:crypto';
import type { SrtpSuite } from '../protocol.ts';
import { SRTP_SUITES } from './srtp-suite.ts';

/** Labels of the session keys of SRTP (RFC 3711 §4.3.2); those of SRTCP are 3 higher. */
const ENCRYPTION_LABEL = 0;
const AUTHENTICATION_LABEL = 1;
const SALT_LABEL = 2;
const RTCP_LABELS = 3;

/** HMAC-SHA1 has a key of 160 bits (RFC 3711 §5.2). */
const AUTHENTICATION_KEY_LENGTH = 20;

export interface SrtpSessionKeys {
  encryptionKey: Uint8Array;
  salt: Uint8Array;
  /** Unused with AEAD (RFC 7714 §11). */
  authenticationKey: Uint8Array;
}

/**
 * The session keys of one direction, for RTP or RTCP, from base64 of master key and master salt.
 *
 * They are derived once: the key derivation rate is 0, the default, and SDES lines with another are refused. Throws when
 * the key has not the length that the suite asks for.
 */
export function deriveSessionKeys(suite: SrtpSuite, masterKeyAndSalt: string, kind: 'rtp' | 'rtcp'): SrtpSessionKeys {
  const { keyLength, saltLength } = SRTP_SUITES[suite];
  const master = Buffer.from(masterKeyAndSalt, 'base64');
  if (master.length !== keyLength + saltLength) throw new Error(`not a key for ${suite}`);
  const key = master.subarray(0, keyLength);
  const salt = master.subarray(keyLength);
  const labels = kind === 'rtp' ? 0 : RTCP_LABELS;
  return {
    encryptionKey: deriveKey(key, salt, labels + ENCRYPTION_LABEL, keyLength),
    authenticationKey: deriveKey(key, salt, labels + AUTHENTICATION_LABEL, AUTHENTICATION_KEY_LENGTH),
    salt: deriveKey(key, salt, labels + SALT_LABEL, saltLength),
  };
}

/** AES-CM as a pseudo-random function (RFC 3711 §4.3.3, RFC 6188 §3); the 96-bit salt of GCM is padded with zeros. */
export function deriveKey(masterKey: Uint8Array, masterSalt: Uint8Array, label: number, length: number): Uint8Array {
  const block = Buffer.alloc(16);
  block.set(masterSalt);
  block[7]! ^= label;
  const cipher = createCipheriv(masterKey.length === 16 ? 'aes-128-ctr' : 'aes-256-ctr', masterKey, block);
  return cipher.update(Buffer.alloc(length));
}
