import type { SrtpSuite } from '../../mixer/protocol.ts';
import type { AttributeHolder, SdpAttribute } from './session-description.ts';

/** An `a=crypto` line that we can use (RFC 4568 §4, §6). */
export interface CryptoAttribute {
  tag: number;
  suite: SrtpSuite;
  /** The suite as written: an answer repeats it. */
  suiteName: string;
  /** Base64 of master key and master salt, padded. */
  key: string;
  /** The master key identifier in hexadecimal, as packets under this key carry it; null when they have none. */
  mki: string | null;
}

/** Octets of master key and master salt (RFC 4568 §6.2, RFC 6188 §4, RFC 7714 §12). */
export const MASTER_KEY_LENGTHS: Readonly<Record<SrtpSuite, number>> = {
  AES_CM_128_HMAC_SHA1_80: 30,
  AES_CM_128_HMAC_SHA1_32: 30,
  AES_256_CM_HMAC_SHA1_80: 46,
  AES_256_CM_HMAC_SHA1_32: 46,
  AEAD_AES_128_GCM: 28,
  AEAD_AES_256_GCM: 44,
};

/** As drafts of RFC 6188 had it, and older Linphones and Grandstreams still do. */
const FORMER_NAMES: Readonly<Record<string, SrtpSuite>> = {
  AES_CM_256_HMAC_SHA1_80: 'AES_256_CM_HMAC_SHA1_80',
  AES_CM_256_HMAC_SHA1_32: 'AES_256_CM_HMAC_SHA1_32',
};

const MAX_LIFETIME_EXPONENT = 48;

/**
 * The `a=crypto` lines of a stream that we can use, in their order; all others are passed over (RFC 4568 §5.1.2).
 *
 * We do not do: unencrypted or unauthenticated streams, key derivation rates, forward error correction, several keys in
 * one line. The window size hint says nothing to us, whose window is larger than any that is asked for.
 *
 * Deviation: a lifetime is checked for its form only. RFC 4568 §6.1 would have a call end that outlives its key; most
 * phones say 2^20 packets, six hours, and go on.
 */
export function readCryptoAttributes(media: AttributeHolder): CryptoAttribute[] {
  return media.attributes.flatMap(({ name, value }) => {
    const attribute = name.toLowerCase() === 'crypto' && value !== null ? readCrypto(value) : null;
    return attribute === null ? [] : [attribute];
  });
}

export function hasCryptoAttribute(media: AttributeHolder): boolean {
  return media.attributes.some(({ name }) => name.toLowerCase() === 'crypto');
}

/** Without lifetime and identifier: the key may be used as long as RFC 3711 §9.2 lets it, and is the only one. */
export function writeCryptoAttribute(tag: number, suiteName: string, key: string): SdpAttribute {
  return { name: 'crypto', value: `${tag} ${suiteName} inline:${key}` };
}

function readCrypto(value: string): CryptoAttribute | null {
  const [tag, suiteName, keyParameters, ...sessionParameters] = value.trim().split(/[ \t]+/);
  if (!/^\d{1,9}$/.test(tag ?? '') || suiteName === undefined || keyParameters === undefined) return null;
  const suite = suiteOf(suiteName);
  if (suite === null || !sessionParameters.every(mayBeIgnored)) return null;
  const key = readKey(keyParameters, MASTER_KEY_LENGTHS[suite]);
  return key && { tag: Number(tag), suite, suiteName, ...key };
}

function suiteOf(name: string): SrtpSuite | null {
  const upper = name.toUpperCase();
  if (Object.hasOwn(FORMER_NAMES, upper)) return FORMER_NAMES[upper]!;
  return Object.hasOwn(MASTER_KEY_LENGTHS, upper) ? (upper as SrtpSuite) : null;
}

/** Extensions that begin with a hyphen are optional (RFC 4568 §6.3.7). */
function mayBeIgnored(sessionParameter: string): boolean {
  return sessionParameter.startsWith('-') || /^WSH=\d+$/i.test(sessionParameter);
}

/** `inline:<base64>[|<lifetime>][|<MKI>:<length>]` (RFC 4568 §6.1). */
function readKey(text: string, keyLength: number): Pick<CryptoAttribute, 'key' | 'mki'> | null {
  const match = /^inline:([A-Za-z0-9+/]{16,128}={0,2})(?:\|(2\^\d{1,2}|\d{1,15}))?(?:\|(\d{1,310}):(\d{1,3}))?$/i.exec(
    text,
  );
  if (match === null) return null;
  const [, base64, lifetime, mkiValue, mkiLength] = match;
  const octets = Buffer.from(base64!, 'base64');
  if (octets.length !== keyLength || !isLifetime(lifetime)) return null;
  const key = octets.toString('base64');
  if (mkiValue === undefined) return { key, mki: null };
  const mki = readMki(mkiValue, Number(mkiLength));
  return mki === null ? null : { key, mki };
}

function isLifetime(text: string | undefined): boolean {
  if (text === undefined) return true;
  if (text.startsWith('2^')) return Number(text.slice(2)) <= MAX_LIFETIME_EXPONENT;
  return Number(text) > 0 && Number(text) <= 2 ** MAX_LIFETIME_EXPONENT;
}

function readMki(value: string, length: number): string | null {
  if (length < 1 || length > 128) return null;
  const mki = BigInt(value)
    .toString(16)
    .padStart(2 * length, '0');
  return mki.length === 2 * length ? mki : null;
}
