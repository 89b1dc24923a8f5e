import { isHex, isOf, PERCENT, URI_HEADER, URI_PARAMETER, URI_PASSWORD, URI_USER } from './characters.ts';
import { parseHostPort, sameHost, writeHostPort } from './host.ts';

/** A SIP or SIPS URI (RFC 3261 §19.1), unescaped. */
export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  readonly user: string | null;
  readonly password: string | null;
  /** Host name, IPv4, or IPv6 without brackets; lower case. */
  readonly host: string;
  readonly port: number | null;
  /** Names in lower case; a parameter without a value has ''. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly headers: ReadonlyMap<string, string>;
}

const NONE: ReadonlyMap<string, string> = new Map();

/** The scheme in lower case, or null when the text does not begin with one (RFC 3986 §3.1). */
export function schemeOf(text: string): string | null {
  const colon = text.indexOf(':');
  if (colon <= 0) return null;
  const scheme = text.slice(0, colon).toLowerCase();
  const first = scheme.charCodeAt(0);
  if (first < 97 || first > 122) return null;
  for (let at = 1; at < scheme.length; at++) {
    const code = scheme.charCodeAt(at);
    const allowed =
      (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || code === 43 || code === 45 || code === 46;
    if (!allowed) return null;
  }
  return scheme;
}

/** Null when the scheme is neither sip nor sips, or the URI is malformed; `schemeOf` tells which. */
export function parseUri(text: string): SipUri | null {
  const scheme = schemeOf(text);
  if (scheme !== 'sip' && scheme !== 'sips') return null;
  const start = scheme.length + 1;
  const at = text.indexOf('@', start);
  let user: string | null = null;
  let password: string | null = null;
  if (at >= 0) {
    const colon = text.indexOf(':', start);
    const userEnd = colon >= 0 && colon < at ? colon : at;
    user = unescapeAs(URI_USER, text.slice(start, userEnd));
    if (user === null || user === '') return null;
    if (userEnd < at) {
      password = unescapeAs(URI_PASSWORD, text.slice(userEnd + 1, at));
      if (password === null) return null;
    }
  }
  const hostStart = at < 0 ? start : at + 1;
  const question = text.indexOf('?', hostStart);
  const mainEnd = question < 0 ? text.length : question;
  const semicolon = text.indexOf(';', hostStart);
  const hostEnd = semicolon < 0 || semicolon > mainEnd ? mainEnd : semicolon;
  const sentBy = parseHostPort(text.slice(hostStart, hostEnd));
  if (sentBy === null) return null;
  const parameters = hostEnd === mainEnd ? NONE : parsePairs(text.slice(hostEnd + 1, mainEnd), ';', URI_PARAMETER);
  const headers = question < 0 ? NONE : parsePairs(text.slice(question + 1), '&', URI_HEADER);
  if (parameters === null || headers === null) return null;
  return { scheme, user, password, host: sentBy.host, port: sentBy.port, parameters, headers };
}

function parsePairs(text: string, separator: ';' | '&', allowed: number): Map<string, string> | null {
  const pairs = new Map<string, string>();
  for (const pair of text.split(separator)) {
    const equals = pair.indexOf('=');
    const name = unescapeAs(allowed, equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : unescapeAs(allowed, pair.slice(equals + 1));
    if (name === null || name === '' || value === null) return null;
    const key = name.toLowerCase();
    // RFC 3261 §19.1.1 forbids a second one of the same name; the first counts.
    if (!pairs.has(key)) pairs.set(key, value);
  }
  return pairs;
}

/**
 * Unescapes %-escaped UTF-8; null when another character stands there than `allowed` has, or an escape is broken.
 * Deviation: a user may hold characters beyond ASCII, which people type as the names of rooms.
 */
function unescapeAs(allowed: number, text: string): string | null {
  let escaped = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === PERCENT) {
      if (!isHex(text.charCodeAt(at + 1)) || !isHex(text.charCodeAt(at + 2))) return null;
      escaped = true;
      at += 2;
    } else if (!isOf(allowed, code) && (code < 128 || allowed !== URI_USER)) return null;
  }
  if (!escaped) return text;
  // Escapes that are no UTF-8 become U+FFFD; whoever sends the URI on has its text as it was written.
  const [head, ...parts] = text.split('%');
  const octets = parts.flatMap((part) => [Buffer.from(part.slice(0, 2), 'hex'), Buffer.from(part.slice(2))]);
  return Buffer.concat([Buffer.from(head!), ...octets]).toString('utf8');
}

/** Escapes what does not belong to `allowed` as UTF-8 octets. */
function escapeAs(allowed: number, text: string): string {
  let escaped = '';
  for (const byte of Buffer.from(text)) {
    escaped += isOf(allowed, byte) ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return escaped;
}

export function writeUri(uri: SipUri): string {
  let text = `${uri.scheme}:`;
  if (uri.user !== null) {
    text += escapeAs(URI_USER, uri.user);
    if (uri.password !== null) text += `:${escapeAs(URI_PASSWORD, uri.password)}`;
    text += '@';
  }
  text += writeHostPort(uri.host, uri.port);
  for (const [name, value] of uri.parameters) {
    text += `;${escapeAs(URI_PARAMETER, name)}`;
    if (value !== '') text += `=${escapeAs(URI_PARAMETER, value)}`;
  }
  let separator = '?';
  for (const [name, value] of uri.headers) {
    text += `${separator}${escapeAs(URI_HEADER, name)}=${escapeAs(URI_HEADER, value)}`;
    separator = '&';
  }
  return text;
}

/** A SIP URI of its parts; `parameters` and `headers` are empty when left out. */
export function createUri(parts: Partial<SipUri> & Pick<SipUri, 'host'>): SipUri {
  return { scheme: 'sip', user: null, password: null, port: null, parameters: NONE, headers: NONE, ...parts };
}

/** Parameters that make two URIs differ also when only one of them has it. */
const SIGNIFICANT_PARAMETERS = ['user', 'ttl', 'method', 'maddr', 'transport'];

/** Whether two URIs are equivalent (RFC 3261 §19.1.4). */
export function sameUri(one: SipUri, other: SipUri): boolean {
  if (one.scheme !== other.scheme || one.user !== other.user || one.password !== other.password) return false;
  if (one.port !== other.port || !sameHost(one.host, other.host)) return false;
  for (const name of SIGNIFICANT_PARAMETERS) {
    if (one.parameters.has(name) !== other.parameters.has(name)) return false;
  }
  for (const [name, value] of one.parameters) {
    const counterpart = other.parameters.get(name);
    if (counterpart !== undefined && counterpart.toLowerCase() !== value.toLowerCase()) return false;
  }
  if (one.headers.size !== other.headers.size) return false;
  for (const [name, value] of one.headers) {
    if (other.headers.get(name) !== value) return false;
  }
  return true;
}
