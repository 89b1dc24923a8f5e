import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
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
} from '../../../server/certificate/der.ts';

/** Certificates as an authority gives them to SIP domains (RFC 5922 §4): the server's own maker signs with its own key. */

export interface Issued {
  readonly key: string;
  readonly certificate: string;
  readonly commonName: string;
  readonly privateKey: KeyObject;
}

export interface Wanted {
  readonly uris?: readonly string[];
  readonly hosts?: readonly string[];
  /** Null: an authority, which signs itself. */
  readonly issuer: Issued | null;
  /** Milliseconds since the epoch. */
  readonly untilMs?: number;
}

const SHA256_WITH_RSA = sequence(objectIdentifier('1.2.840.113549.1.1.11'), Buffer.of(5, 0));
const DAY_MS = 86_400_000;

export function issue(commonName: string, { uris = [], hosts = [], issuer, untilMs }: Wanted): Issued {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const names = [...uris.map((uri) => named(6, uri)), ...hosts.map((host) => named(2, host))];
  const constraints = issuer === null ? sequence(Buffer.of(1, 1, 0xff)) : sequence();
  const extensions = sequence(
    sequence(objectIdentifier('2.5.29.19'), trueValue(), octetString(constraints)),
    ...(names.length > 0 ? [sequence(objectIdentifier('2.5.29.17'), octetString(sequence(...names)))] : []),
  );
  const now = Date.now();
  const tbs = sequence(
    tagged(0, integer(Buffer.of(2))),
    integer(Buffer.concat([Buffer.of(1), randomBytes(15)])),
    SHA256_WITH_RSA,
    distinguished(issuer?.commonName ?? commonName),
    sequence(time(new Date(now - 2 * DAY_MS)), time(new Date(untilMs ?? now + DAY_MS))),
    distinguished(commonName),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(3, extensions),
  );
  const signature = bitString(sign('sha256', tbs, issuer?.privateKey ?? privateKey));
  const der = sequence(tbs, SHA256_WITH_RSA, signature).toString('base64');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate: `-----BEGIN CERTIFICATE-----\n${der.match(/.{1,64}/g)?.join('\n')}\n-----END CERTIFICATE-----\n`,
    commonName,
    privateKey,
  };
}

const named = (type: number, text: string) => taggedString(type, Buffer.from(text, 'latin1'));
const distinguished = (name: string) => sequence(set(sequence(objectIdentifier('2.5.4.3'), utf8String(name))));
