import { hash } from 'node:crypto';

/** By the names of RFC 7616 §6.1, as they are written in challenges. */
export const DIGEST_ALGORITHMS = ['SHA-256', 'SHA-512-256', 'MD5'] as const;
export type DigestAlgorithm = (typeof DIGEST_ALGORITHMS)[number];

/** Quality of protection (RFC 7616 §3.4.3); null is that of RFC 2069, without counts. */
export type Qop = 'auth' | 'auth-int';

const HASH_NAMES: Record<DigestAlgorithm, string> = { 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256', MD5: 'md5' };

/** Names compare without case (RFC 8760 §2.1); MD5 without one (RFC 7616 §3.3). Null: one that we do not have. */
export function digestAlgorithm(name: string | undefined): DigestAlgorithm | null {
  if (name === undefined) return 'MD5';
  const upper = name.toUpperCase();
  return DIGEST_ALGORITHMS.find((algorithm) => algorithm === upper) ?? null;
}

/** Lower-case hexadecimal. */
export function digestOf(algorithm: DigestAlgorithm, data: string | Uint8Array): string {
  return hash(HASH_NAMES[algorithm], data, 'hex');
}

/** H(A1) (RFC 7616 §3.4.2): all that need be known of a password, salted by the user's name and the realm. */
export function hashedPassword(algorithm: DigestAlgorithm, username: string, realm: string, password: string): string {
  return digestOf(algorithm, `${username}:${realm}:${password}`);
}

/** H(A1) of the `-sess` algorithms (RFC 7616 §3.4.2). */
export function sessionKey(algorithm: DigestAlgorithm, ha1: string, nonce: string, cnonce: string): string {
  return digestOf(algorithm, `${ha1}:${nonce}:${cnonce}`);
}

/** The name in disguise (RFC 7616 §3.4.4). */
export function hashedUsername(algorithm: DigestAlgorithm, username: string, realm: string): string {
  return digestOf(algorithm, `${username}:${realm}`);
}

export interface DigestInput {
  readonly algorithm: DigestAlgorithm;
  /** `hashedPassword`, or `sessionKey` of it. */
  readonly ha1: string;
  readonly nonce: string;
  readonly method: string;
  /** As the `uri` parameter says it. */
  readonly uri: string;
  readonly protection: { readonly qop: Qop; readonly nc: string; readonly cnonce: string } | null;
  /** Counts for auth-int only. */
  readonly body: Uint8Array;
}

/** The `response` parameter (RFC 7616 §3.4.1). */
export function digestResponse({ algorithm, ha1, nonce, method, uri, protection, body }: DigestInput): string {
  const integrity = protection?.qop === 'auth-int' ? `:${digestOf(algorithm, body)}` : '';
  const ha2 = digestOf(algorithm, `${method}:${uri}${integrity}`);
  if (protection === null) return digestOf(algorithm, `${ha1}:${nonce}:${ha2}`);
  const { nc, cnonce, qop } = protection;
  return digestOf(algorithm, `${ha1}:${nonce}:${nc}:${cnonce}:${qop}:${ha2}`);
}
