import {
  BACKSLASH,
  COMMA,
  EQUALS,
  GREATER_THAN,
  LESS_THAN,
  PARAMETER_VALUE,
  QUOTE,
  SEMICOLON,
  skip,
  skipSpace,
  TOKEN,
  trimSpace,
} from './characters.ts';

/**
 * The elements of a comma-separated value, trimmed; commas in quoted strings and angle brackets do not separate
 * (RFC 3261 §7.3.1). Empty elements are left out.
 */
export function splitList(value: string): string[] {
  const elements: string[] = [];
  let start = 0;
  while (start <= value.length) {
    const end = endOfElement(value, start);
    const element = trimSpace(value.slice(start, end));
    if (element !== '') elements.push(element);
    start = end + 1;
  }
  return elements;
}

/** Index of the comma that ends the list element which begins at `start`, or of the end of the text. */
export function endOfElement(text: string, start: number): number {
  let bracketed = false;
  let at = start;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE && !bracketed) {
      at = endOfQuoted(text, at);
      if (at < 0) return text.length;
      continue;
    }
    if (code === LESS_THAN) bracketed = true;
    else if (code === GREATER_THAN) bracketed = false;
    else if (code === COMMA && !bracketed) return at;
    at++;
  }
  return at;
}

/** Index after the closing quote of the quoted string whose opening quote is at `at`; -1 when there is none. */
export function endOfQuoted(text: string, at: number): number {
  for (let end = at + 1; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (code === BACKSLASH) end++;
    else if (code === QUOTE) return end + 1;
  }
  return -1;
}

/** The text of a quoted string that is given with its quotes. */
export function unquote(quoted: string): string {
  const inner = quoted.slice(1, -1);
  if (!inner.includes('\\')) return inner;
  let text = '';
  for (let at = 0; at < inner.length; at++) {
    if (inner.charCodeAt(at) === BACKSLASH) at++;
    text += inner[at] ?? '';
  }
  return text;
}

/** A quoted string. Line ends cannot be escaped in one (RFC 3261 §25.1), so they become spaces. */
export function quote(text: string): string {
  return `"${text.replace(/[\r\n]/g, ' ').replace(/["\\]/g, '\\$&')}"`;
}

/** The header parameters that follow a value, from `start` to the end of the text; null when they are malformed. */
export function parseParameters(text: string, start: number): Map<string, string> | null {
  const parameters = new Map<string, string>();
  let at = skipSpace(text, start);
  while (at < text.length) {
    if (text.charCodeAt(at) !== SEMICOLON) return null;
    at = skipSpace(text, at + 1);
    const nameEnd = skip(TOKEN, text, at);
    if (nameEnd === at) return null;
    const name = text.slice(at, nameEnd).toLowerCase();
    at = skipSpace(text, nameEnd);
    let value = '';
    if (text.charCodeAt(at) === EQUALS) {
      at = skipSpace(text, at + 1);
      const quoted = text.charCodeAt(at) === QUOTE;
      const end = quoted ? endOfQuoted(text, at) : skip(PARAMETER_VALUE, text, at);
      if (end <= at) return null;
      value = quoted ? unquote(text.slice(at, end)) : text.slice(at, end);
      at = skipSpace(text, end);
    }
    // RFC 3261 §7.3.1 forbids a second one of the same name; the first counts.
    if (!parameters.has(name)) parameters.set(name, value);
  }
  return parameters;
}

/** `;name=value` for each parameter; values are quoted where they must be. */
export function writeParameters(parameters: ReadonlyMap<string, string>): string {
  let text = '';
  for (const [name, value] of parameters) {
    if (value === '') text += `;${name}`;
    else text += `;${name}=${skip(PARAMETER_VALUE, value, 0) === value.length ? value : quote(value)}`;
  }
  return text;
}
