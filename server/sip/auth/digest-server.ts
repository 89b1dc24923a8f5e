import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { SipRequest } from '../message/message.ts';
import { parseUri } from '../message/uri.ts';
import { parseAuthValue, writeDigest } from './auth-parameters.ts';
import { type DigestAlgorithm, digestAlgorithm, digestResponse, type Qop } from './digest.ts';
import type { Nonces } from './nonces.ts';

/** Where the hashed passwords are. */
export interface DigestUsers {
  /** `hashedPassword` of a user; `withRealm`: of `user@realm`, as some phones write the name. Null: there is none. */
  hashedPassword(user: string, algorithm: DigestAlgorithm, withRealm: boolean): string | null;
}

export interface DigestServerOptions {
  readonly realm: string;
  readonly users: DigestUsers;
  readonly nonces: Nonces;
  /** Each gets a challenge of its own, in this order (RFC 8760 §2.3). */
  readonly algorithms: readonly DigestAlgorithm[];
  /** What is offered. auth-int is taken in any case: it only proves more. */
  readonly qop: readonly Qop[];
}

export type DigestVerdict =
  /** No credentials for our realm. */
  | { readonly kind: 'none' }
  | { readonly kind: 'authenticated'; readonly user: string }
  /** The nonce is not good any more; nothing is known of the password. */
  | { readonly kind: 'stale' }
  /** The wrong password, or there is no such user: nobody outside can tell which. */
  | { readonly kind: 'failed'; readonly username: string }
  | { readonly kind: 'malformed'; readonly reason: string };

/**
 * Clients that give up at any challenge of another algorithm, even beside one of MD5. Deviation: they get that one alone.
 * Somebody in between who changed the User-Agent to have MD5 used could as well take the other challenges out.
 */
const MD5_ALONE = /^baresip v[012]\./;

const DIGEST_SCHEME = /^\s*digest\b/i;

interface Credentials {
  readonly user: string;
  readonly withRealm: boolean;
  readonly username: string;
  readonly algorithm: DigestAlgorithm | null;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  readonly protection: { readonly qop: Qop; readonly nc: string; readonly cnonce: string } | null;
}

/** Asks for and checks digest credentials (RFC 7616, RFC 8760, RFC 3261 §22). */
export class DigestServer {
  private readonly options: DigestServerOptions;
  /** Stands for the hashed password of users that are not there, so that they take no less time. */
  private readonly decoy = randomBytes(32).toString('hex');

  constructor(options: DigestServerOptions) {
    this.options = options;
  }

  /** The fields of a 401, the preferred algorithm first. `userAgent` is what the client calls itself. */
  challenge(address: string, nowMs: number, stale: boolean, userAgent = ''): Array<[string, string]> {
    const { realm, nonces, qop } = this.options;
    const algorithms = this.algorithmsFor(userAgent);
    const nonce = nonces.issue(address, nowMs);
    return algorithms.map((algorithm) => {
      const parameters = new Map([
        ['realm', realm],
        ['nonce', nonce],
        ['algorithm', algorithm],
        ['qop', qop.join(',')],
      ]);
      if (stale) parameters.set('stale', 'true');
      return ['WWW-Authenticate', writeDigest('challenge', parameters)];
    });
  }

  private algorithmsFor(userAgent: string): readonly DigestAlgorithm[] {
    const { algorithms } = this.options;
    return algorithms.includes('MD5') && MD5_ALONE.test(userAgent) ? ['MD5'] : algorithms;
  }

  /** Credentials for other realms do not concern us (RFC 3261 §22.3). */
  verify(request: SipRequest, address: string, nowMs: number): DigestVerdict {
    for (const name of ['authorization', 'proxy-authorization']) {
      for (const field of request.headers.all(name)) {
        const value = parseAuthValue(field);
        // Other schemes have other forms, such as a bare token (RFC 8898).
        if (value === null && !DIGEST_SCHEME.test(field)) continue;
        if (value === null) return { kind: 'malformed', reason: 'Malformed credentials' };
        if (value.scheme !== 'digest' || value.parameters.get('realm') !== this.options.realm) continue;
        const credentials = readCredentials(value.parameters, this.options.realm);
        if (typeof credentials === 'string') return { kind: 'malformed', reason: credentials };
        return this.check(credentials, request, address, nowMs);
      }
    }
    return { kind: 'none' };
  }

  /** As long as the others of that algorithm. */
  private decoyOf(algorithm: DigestAlgorithm): string {
    return algorithm === 'MD5' ? this.decoy.slice(0, 32) : this.decoy;
  }

  /** auth-int proves more than auth; without qop (RFC 2069) a digest passes where auth does, once for each nonce. */
  private takes(protection: Credentials['protection']): boolean {
    return protection?.qop === 'auth-int' || this.options.qop.includes('auth');
  }

  private check(credentials: Credentials, request: SipRequest, address: string, nowMs: number): DigestVerdict {
    const { user, username, withRealm, algorithm, nonce, uri, response, protection } = credentials;
    const { nonces, users, algorithms } = this.options;
    // One that we did not offer, such as what was left out of the configuration since.
    if (algorithm === null || !algorithms.includes(algorithm) || !this.takes(protection)) return { kind: 'none' };
    if (!isTarget(uri, request)) return { kind: 'malformed', reason: 'Credentials are for another URI' };
    // Before the password is looked at, so that a made-up nonce is no way of guessing without being counted.
    if (!nonces.isFresh(nonce, address, nowMs)) return { kind: 'stale' };
    const known = users.hashedPassword(user, algorithm, withRealm);
    const { method, body } = request;
    const expected = digestResponse({
      algorithm,
      ha1: known ?? this.decoyOf(algorithm),
      nonce,
      method,
      uri,
      protection,
      body,
    });
    if (!sameText(expected, response.toLowerCase()) || known === null) return { kind: 'failed', username };
    const count = protection === null ? null : Number.parseInt(protection.nc, 16);
    return nonces.use(nonce, address, count, nowMs) ? { kind: 'authenticated', user } : { kind: 'stale' };
  }
}

/** Or what is wrong with them. */
function readCredentials(parameters: ReadonlyMap<string, string>, realm: string): Credentials | string {
  const username = parameters.get('username');
  const nonce = parameters.get('nonce');
  const uri = parameters.get('uri');
  const response = parameters.get('response');
  if (!username || !nonce || !uri || !response) return 'Incomplete credentials';
  const protection = readProtection(parameters);
  if (typeof protection === 'string') return protection;
  const suffix = `@${realm}`;
  const withRealm = username.endsWith(suffix);
  const user = withRealm ? username.slice(0, -suffix.length) : username;
  const algorithm = digestAlgorithm(parameters.get('algorithm'));
  return { user, withRealm, username, algorithm, nonce, uri, response, protection };
}

function readProtection(parameters: ReadonlyMap<string, string>): Credentials['protection'] | string {
  const qop = parameters.get('qop')?.toLowerCase();
  if (qop === undefined) return null;
  if (qop !== 'auth' && qop !== 'auth-int') return 'Unknown qop';
  const nc = parameters.get('nc');
  const cnonce = parameters.get('cnonce');
  if (nc === undefined || !/^[0-9a-f]{8}$/i.test(nc) || !cnonce) return 'No nonce count';
  return { qop, nc, cnonce };
}

/**
 * Whether the credentials were made for this request (RFC 7616 §3.4.6). Deviation: the user part alone is compared.
 * Phones and proxies write the host as a name or an address, with and without port and parameters.
 */
function isTarget(uri: string, request: SipRequest): boolean {
  if (uri === request.requestUri) return true;
  const parsed = parseUri(uri);
  return parsed !== null && request.uri !== null && parsed.user === request.uri.user;
}

function sameText(expected: string, given: string): boolean {
  const one = Buffer.from(expected);
  const other = Buffer.from(given);
  return one.length === other.length && timingSafeEqual(one, other);
}
