import { generateKeyPair, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP, isIPv4 } from 'node:net';
import { promisify } from 'node:util';
import { addressOctets } from '../address-octets.ts';
import {
  bitString,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  set,
  tagged,
  taggedString,
  time,
  trueValue,
  utf8String,
} from './der.ts';

/** Both in PEM. */
export interface KeyAndCertificate {
  readonly key: string;
  /** The server's own first, then those that lead to its root. */
  readonly certificate: string;
}

const DAY_MS = 86_400_000;
/** Longer ones are refused by some clients. */
const VALID_DAYS = 397;
/** Phones whose clock is a bit slow shall take it too. */
const BACKDATED_DAYS = 1;
const MAX_COMMON_NAME = 64;

/** RFC 8017 appendix C, as an AlgorithmIdentifier. */
const SHA256_WITH_RSA = sequence(objectIdentifier('1.2.840.113549.1.1.11'), Buffer.of(5, 0));
const COMMON_NAME = objectIdentifier('2.5.4.3');

const generate = promisify(generateKeyPair);

/**
 * Makes an RSA key, which the oldest phones can handle too, and an X.509 certificate (RFC 5280) for these names and
 * addresses, signed with that key itself.
 */
export async function createSelfSigned(names: readonly string[], now: Date): Promise<KeyAndCertificate> {
  const { privateKey, publicKey } = await generate('rsa', { modulusLength: 2048 });
  const tbs = toBeSigned(names, now, publicKey);
  const signature = bitString(sign('sha256', tbs, privateKey));
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate: asPem(sequence(tbs, SHA256_WITH_RSA, signature)),
  };
}

/** RFC 5280 §4.1.2. */
function toBeSigned(names: readonly string[], now: Date, publicKey: KeyObject): Buffer {
  const version3 = tagged(0, integer(Buffer.of(2)));
  const [first = ''] = names;
  const commonName = first.length > 0 && first.length <= MAX_COMMON_NAME ? first : 'Parley';
  const name = sequence(set(sequence(COMMON_NAME, utf8String(commonName))));
  const validity = sequence(
    time(new Date(now.getTime() - BACKDATED_DAYS * DAY_MS)),
    time(new Date(now.getTime() + (VALID_DAYS - BACKDATED_DAYS) * DAY_MS)),
  );
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const serial = integer(Buffer.concat([Buffer.of(1), randomBytes(15)]));
  return sequence(version3, serial, SHA256_WITH_RSA, name, validity, name, spki, tagged(3, extensions(names)));
}

/** RFC 5280 §4.2.1. */
function extensions(names: readonly string[]): Buffer {
  const digitalSignatureAndKeyEncipherment = bitString(Buffer.of(0b1010_0000), 5);
  // As a server, and as a client towards other servers.
  const purposes = sequence(objectIdentifier('1.3.6.1.5.5.7.3.1'), objectIdentifier('1.3.6.1.5.5.7.3.2'));
  return sequence(
    extension('2.5.29.19', sequence(), true),
    extension('2.5.29.15', digitalSignatureAndKeyEncipherment, true),
    extension('2.5.29.37', purposes),
    extension('2.5.29.17', sequence(...names.flatMap(generalNames))),
  );
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(objectIdentifier(id), ...(critical ? [trueValue()] : []), octetString(value));
}

/**
 * `dNSName` or `iPAddress` (RFC 5280 §4.2.1.6).
 * Deviation: an IPv4 address is both, as phones with Mbed TLS before 3.5 (linphone) look for it among the names only.
 */
function generalNames(name: string): Buffer[] {
  const asName = taggedString(2, Buffer.from(name, 'latin1'));
  if (isIP(name) === 0) return [asName];
  const asAddress = taggedString(7, addressOctets(name));
  return isIPv4(name) ? [asAddress, asName] : [asAddress];
}

function asPem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
