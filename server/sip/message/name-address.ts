import { GREATER_THAN, LESS_THAN, QUOTE, skip, skipSpace, TOKEN, trimSpace } from './characters.ts';
import { endOfQuoted, parseParameters, quote, unquote, writeParameters } from './header-value.ts';
import { parseUri, type SipUri, schemeOf } from './uri.ts';

/** `name-addr` or `addr-spec` with header parameters: From, To, Contact, Route, Record-Route, Refer-To (RFC 3261 §20). */
export interface NameAddress {
  readonly displayName: string | null;
  /** As written, without angle brackets. */
  readonly uriText: string;
  /** Null when the scheme is neither sip nor sips. */
  readonly uri: SipUri | null;
  /** Header parameters such as `tag`, `expires`, `q`; names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** One value, not a list; null when it is malformed. */
export function parseNameAddress(text: string): NameAddress | null {
  const start = skipSpace(text, 0);
  let displayName: string | null = null;
  let bracket: number;
  if (text.charCodeAt(start) === QUOTE) {
    const end = endOfQuoted(text, start);
    if (end < 0) return null;
    displayName = unquote(text.slice(start, end));
    bracket = skipSpace(text, end);
    if (text.charCodeAt(bracket) !== LESS_THAN) return null;
  } else {
    bracket = text.indexOf('<', start);
    if (bracket < 0) return parseAddrSpec(text, start);
    const name = trimSpace(text.slice(start, bracket));
    if (!isUnquotedDisplayName(name)) return null;
    if (name !== '') displayName = name;
  }
  const close = text.indexOf('>', bracket);
  if (close < 0) return null;
  return withUri(displayName, text.slice(bracket + 1, close), parseParameters(text, close + 1));
}

/**
 * The form without brackets. All parameters are the header's; a URI with a comma, question mark or semicolon
 * must be in brackets (RFC 3261 §20.10).
 */
function parseAddrSpec(text: string, start: number): NameAddress | null {
  const semicolon = text.indexOf(';', start);
  const end = semicolon < 0 ? text.length : semicolon;
  const uriText = trimSpace(text.slice(start, end));
  if (uriText.includes('?') || uriText.includes(',')) return null;
  return withUri(null, uriText, parseParameters(text, end));
}

function withUri(
  displayName: string | null,
  uriText: string,
  parameters: ReadonlyMap<string, string> | null,
): NameAddress | null {
  if (parameters === null) return null;
  const scheme = schemeOf(uriText);
  if (scheme === null || !isVisible(uriText)) return null;
  const uri = parseUri(uriText);
  if (uri === null && (scheme === 'sip' || scheme === 'sips')) return null;
  return { displayName, uriText, uri, parameters };
}

/** No white space, control characters or angle brackets: what every URI of whatever scheme keeps to. */
export function isVisible(uriText: string): boolean {
  for (let at = 0; at < uriText.length; at++) {
    const code = uriText.charCodeAt(at);
    if (code <= 32 || code === 127 || code === LESS_THAN || code === GREATER_THAN || code === QUOTE) return false;
  }
  return true;
}

/**
 * Tokens and white space. Deviation: characters beyond ASCII and harmless punctuation pass too, as phones often do not
 * quote a name with an umlaut or in parentheses; a comma or semicolon does not, since its meaning is open.
 */
function isUnquotedDisplayName(name: string): boolean {
  for (let at = 0; at < name.length; at++) {
    const tokenEnd = skip(TOKEN, name, at);
    if (tokenEnd === name.length) return true;
    const code = name.charCodeAt(tokenEnd);
    if (code < 128 && !' \t()[]{}/@&#$^=?|'.includes(name[tokenEnd]!)) return false;
    at = tokenEnd;
  }
  return true;
}

/** Always with angle brackets. A display name is quoted. */
export function writeNameAddress(address: NameAddress): string {
  const name = address.displayName === null ? '' : `${quote(address.displayName)} `;
  return `${name}<${address.uriText}>${writeParameters(address.parameters)}`;
}
