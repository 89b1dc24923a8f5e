import { randomBytes } from 'node:crypto';
import type { SrtpSuite } from '../../mixer/protocol.ts';
import { type CryptoAttribute, MASTER_KEY_LENGTHS, readCryptoAttributes } from './crypto-attribute.ts';
import type { MediaDescription } from './session-description.ts';

/**
 * `off`: plain RTP only, and secured streams are refused. `optional`: secured where the other side can. `required`: plain
 * streams are refused.
 */
export type SrtpPolicy = 'off' | 'optional' | 'required';

/** By strength. */
const SUITES: readonly SrtpSuite[] = [
  'AEAD_AES_256_GCM',
  'AEAD_AES_128_GCM',
  'AES_256_CM_HMAC_SHA1_80',
  'AES_CM_128_HMAC_SHA1_80',
  'AES_256_CM_HMAC_SHA1_32',
  'AES_CM_128_HMAC_SHA1_32',
];

/** One of each kind, ending with the one that everybody has (RFC 4568 §6.2.1): a SIP response over UDP must stay short. */
export const OFFERED_SUITES: readonly SrtpSuite[] = ['AEAD_AES_256_GCM', 'AEAD_AES_128_GCM', 'AES_CM_128_HMAC_SHA1_80'];

/** RFC 3551 and RFC 4585; both send the same RTP. An answer repeats the offer's (RFC 3264 §6). */
export function isPlainProfile(protocol: string): boolean {
  return protocol === 'RTP/AVP' || protocol === 'RTP/AVPF';
}

/** RFC 3711 and RFC 5124. With keys from DTLS (`UDP/TLS/RTP/SAVPF`) we do not. */
export function isSecureProfile(protocol: string): boolean {
  return protocol === 'RTP/SAVP' || protocol === 'RTP/SAVPF';
}

/**
 * How an offered stream is to be secured; null: not at all; false: it cannot be taken.
 *
 * With `RTP/AVP`, an `a=crypto` line is an option that many phones give in the way of best effort, though RFC 4568 has it
 * for the secure profiles only. The offer's order is the offerer's preference; as with codecs, ours counts.
 */
export function chooseCrypto(media: MediaDescription, policy: SrtpPolicy): CryptoAttribute | null | false {
  const secureOnly = isSecureProfile(media.protocol);
  if (!secureOnly && !isPlainProfile(media.protocol)) return false;
  if (policy === 'off') return secureOnly ? false : null;
  const usable = readCryptoAttributes(media);
  for (const suite of SUITES) {
    const attribute = usable.find((candidate) => candidate.suite === suite);
    if (attribute !== undefined) return attribute;
  }
  return secureOnly || policy === 'required' ? false : null;
}

/**
 * Our own master keys of a session: one a suite, which stays as long as the suite does.
 *
 * A key that was in use is never used again after another suite, or none, took its place: the mixer's packet index would
 * begin anew under it, and two packets have the same key stream.
 */
export class SendKeys {
  readonly #keys = new Map<SrtpSuite, string>();
  #inUse: SrtpSuite | null = null;

  /** Base64 of master key and master salt. */
  of(suite: SrtpSuite): string {
    let key = this.#keys.get(suite);
    if (key === undefined) {
      key = randomBytes(MASTER_KEY_LENGTHS[suite]).toString('base64');
      this.#keys.set(suite, key);
    }
    return key;
  }

  /** What was agreed upon; null: plain RTP. */
  agreed(suite: SrtpSuite | null): void {
    if (this.#inUse !== null && this.#inUse !== suite) this.#keys.delete(this.#inUse);
    this.#inUse = suite;
  }
}
