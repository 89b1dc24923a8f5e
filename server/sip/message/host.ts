import { isIPv4, isIPv6 } from 'node:net';
import { COLON, LEFT_BRACKET, parseNumber } from './characters.ts';

/** `host [":" port]` as it stands in URIs and Via (RFC 3261 §25.1). */
export interface HostPort {
  /** Lower case; IPv6 without brackets. */
  readonly host: string;
  readonly port: number | null;
}

const MAX_HOST_LENGTH = 255;

/** Null when the host or the port is malformed; port 0 is. */
export function parseHostPort(text: string): HostPort | null {
  let hostEnd: number;
  let host: string;
  if (text.charCodeAt(0) === LEFT_BRACKET) {
    hostEnd = text.indexOf(']') + 1;
    host = withoutThirdColon(text.slice(1, hostEnd - 1).toLowerCase());
    if (hostEnd === 0 || host.includes('%') || !isIPv6(host)) return null;
  } else {
    const colon = text.indexOf(':');
    hostEnd = colon < 0 ? text.length : colon;
    host = text.slice(0, hostEnd).toLowerCase();
    if (!isHostName(host)) return null;
  }
  if (hostEnd === text.length) return { host, port: null };
  if (text.charCodeAt(hostEnd) !== COLON) return null;
  const port = parseNumber(text.slice(hostEnd + 1), 65_535);
  return port === null || port === 0 ? null : { host, port };
}

/** RFC 3261's grammar allowed `2001:db8:::192.0.2.1`, which must be put up with (RFC 5118 §4.10, RFC 5954 §4.1). */
function withoutThirdColon(address: string): string {
  const colons = address.indexOf(':::');
  return colons >= 0 && isIPv4(address.slice(colons + 3)) ? address.replace(':::', '::') : address;
}

/** A host name or an IPv4 address, in lower case. Deviation: `_` is let through, as container networks use it. */
function isHostName(host: string): boolean {
  if (host.length === 0 || host.length > MAX_HOST_LENGTH) return false;
  let labelStart = true;
  for (let at = 0; at < host.length; at++) {
    const code = host.charCodeAt(at);
    if (code === 46) {
      if (labelStart) return false;
      labelStart = true;
      continue;
    }
    const alphanumeric = (code >= 97 && code <= 122) || (code >= 48 && code <= 57);
    if (!alphanumeric && code !== 95 && (code !== 45 || labelStart)) return false;
    labelStart = false;
  }
  // All digits and dots is an address or nothing: a top label begins with a letter.
  const last = host.charCodeAt(host.length - 1);
  return last < 48 || last > 57 || !/^[\d.]+$/.test(host) || isIPv4(host);
}

/** With brackets where it is IPv6. */
export function writeHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

export function writeHostPort(host: string, port: number | null): string {
  return port === null ? writeHost(host) : `${writeHost(host)}:${port}`;
}

/** Whether two hosts are the same: names without case, IPv6 by its binary value (RFC 5954 §4.2). */
export function sameHost(one: string, other: string): boolean {
  return one === other || canonicalHost(one) === canonicalHost(other);
}

/** Lower case; IPv6 in its shortest form (RFC 5952), without brackets. */
export function canonicalHost(host: string): string {
  // Most are not, and a look for the colon is much cheaper than the other.
  if (!host.includes(':') || !isIPv6(host)) return host.toLowerCase();
  const zone = host.indexOf('%');
  const address = zone < 0 ? host : host.slice(0, zone);
  return new URL(`http://[${address}]/`).hostname.slice(1, -1);
}
