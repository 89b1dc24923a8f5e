import { COMMA, EQUALS, QUOTE, SPACE, skip, skipSpace, TAB, TOKEN } from '../message/characters.ts';
import { endOfQuoted, quote, unquote } from '../message/header-value.ts';

/** A challenge or credentials: `Digest realm="…", nonce="…"` (RFC 3261 §25.1). */
export interface AuthValue {
  /** Lower case. */
  readonly scheme: string;
  /** Names in lower case, values without quotes. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Null when it is malformed, or says something twice. */
export function parseAuthValue(text: string): AuthValue | null {
  const start = skipSpace(text, 0);
  const schemeEnd = skip(TOKEN, text, start);
  if (schemeEnd === start) return null;
  const parameters = new Map<string, string>();
  let at = skipSpace(text, schemeEnd);
  while (at < text.length) {
    if (text.charCodeAt(at) === COMMA) {
      at = skipSpace(text, at + 1);
      continue;
    }
    const nameEnd = skip(TOKEN, text, at);
    const equals = skipSpace(text, nameEnd);
    if (nameEnd === at || text.charCodeAt(equals) !== EQUALS) return null;
    const valueStart = skipSpace(text, equals + 1);
    const quoted = text.charCodeAt(valueStart) === QUOTE;
    const valueEnd = quoted ? endOfQuoted(text, valueStart) : endOfBare(text, valueStart);
    if (valueEnd <= valueStart) return null;
    const name = text.slice(at, nameEnd).toLowerCase();
    if (parameters.has(name)) return null;
    const value = text.slice(valueStart, valueEnd);
    parameters.set(name, quoted ? unquote(value) : value);
    at = skipSpace(text, valueEnd);
    if (at < text.length && text.charCodeAt(at) !== COMMA) return null;
  }
  return { scheme: text.slice(start, schemeEnd).toLowerCase(), parameters };
}

/** Deviation: where RFC 3261 wants quotes, phones leave them out, so anything but a comma and white space passes. */
function endOfBare(text: string, start: number): number {
  let at = start;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === COMMA || code === SPACE || code === TAB) break;
    at++;
  }
  return at;
}

/** Parameters that are written without quotes (RFC 7616 §3.3, §3.4; for `qop` in credentials only). */
const BARE = new Set(['algorithm', 'stale', 'nc', 'userhash', 'charset']);

/** `Digest …`, in the parameters' order. `qop` is a quoted list in challenges and a bare token in credentials. */
export function writeDigest(kind: 'challenge' | 'credentials', parameters: ReadonlyMap<string, string>): string {
  const written: string[] = [];
  for (const [name, value] of parameters) {
    const bare = BARE.has(name) || (name === 'qop' && kind === 'credentials');
    written.push(`${name}=${bare ? value : quote(value)}`);
  }
  return `Digest ${written.join(', ')}`;
}
