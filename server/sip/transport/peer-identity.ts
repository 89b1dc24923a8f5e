import type { TLSSocket } from 'node:tls';
import { parseUri } from '../message/uri.ts';

/** Who somebody that connected to us by TLS has shown to be. */
export interface PeerIdentity {
  /** The SIP domains that the certificate is for, in lower case; empty where it is not verified. */
  readonly domains: readonly string[];
  /** Why nothing is known; null when the certificate is verified. */
  readonly fault: string | null;
}

export const NOT_ASKED: PeerIdentity = { domains: [], fault: 'certificates are not asked for' };
const NO_CERTIFICATE: PeerIdentity = { domains: [], fault: 'no certificate' };

/** Of a socket whose handshake is made, by a server that asks for certificates. */
export function peerIdentity(socket: TLSSocket): PeerIdentity {
  // A session that is resumed counts as authorized with no certificate at all, so it is asked for first.
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return NO_CERTIFICATE;
  if (!socket.authorized) return { domains: [], fault: `certificate not verified: ${socket.authorizationError}` };
  return { domains: sipDomains(certificate.subjectAltName ?? ''), fault: null };
}

/** One name as Node.js writes it: what could be taken for more than one stands in quotation marks. */
const ALTERNATIVE_NAME = /([^:,"]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/y;

/**
 * The domains of a subjectAltName, as `X509Certificate` gives it: those of `sip:` URIs without a user; where there is none,
 * the DNS names (RFC 5922 §7.1). Wildcards match nothing (§7.2), so they are left out.
 * Deviation: the common name is never looked at: authorities do not vouch for it any more.
 */
export function sipDomains(subjectAltName: string): string[] {
  const domains: string[] = [];
  const hosts: string[] = [];
  let at = 0;
  while (at < subjectAltName.length) {
    ALTERNATIVE_NAME.lastIndex = at;
    const [all, type, value = ''] = ALTERNATIVE_NAME.exec(subjectAltName) ?? [];
    if (all === undefined) return [];
    at += all.length;
    if (type === 'URI') domains.push(...domainOf(value));
    else if (type === 'DNS' && !/["*]/.test(value)) hosts.push(value.toLowerCase());
  }
  return domains.length > 0 ? domains : hosts;
}

/** A `sips:` URI is none, and one with a user is a person's, not a domain's. */
function domainOf(text: string): string[] {
  const uri = parseUri(text);
  return uri === null || uri.scheme !== 'sip' || uri.user !== null ? [] : [uri.host];
}
