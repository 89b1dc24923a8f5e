/** Character classes of RFC 3261 §25.1, as one table of bits for the ASCII characters. */
export const TOKEN = 1;
const DIGIT = 2;
const HEX = 4;
/** What may stand in a parameter's value that is not quoted: tokens, hosts, and what is found in the wild. */
export const PARAMETER_VALUE = 8;
/** `user` of a SIP URI, unescaped: unreserved and user-unreserved. */
export const URI_USER = 16;
export const URI_PASSWORD = 32;
/** A URI parameter's name or value, unescaped. */
export const URI_PARAMETER = 64;
/** A URI header's name or value, unescaped. */
export const URI_HEADER = 128;

const CLASSES = new Uint8Array(128);

function mark(bit: number, characters: string): void {
  for (const character of characters) CLASSES[character.charCodeAt(0)]! |= bit;
}

const DIGITS = '0123456789';
const ALPHANUMERIC = `${DIGITS}abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ`;
const UNRESERVED = `${ALPHANUMERIC}-_.!~*'()`;

mark(TOKEN, `${ALPHANUMERIC}-.!%*_+\`'~`);
mark(DIGIT, DIGITS);
mark(HEX, `${DIGITS}abcdefABCDEF`);
// Deviation: RFC 3261 allows token, host and quoted-string; branches and tags with `/`, `=` or `@` are sent in practice.
mark(PARAMETER_VALUE, `${ALPHANUMERIC}-.!%*_+\`'~[]:/=@#$&()?^{|}`);
// Deviation: `#` must be escaped, but phones that dial feature codes send it bare.
mark(URI_USER, `${UNRESERVED}&=+$,;?/#`);
mark(URI_PASSWORD, `${UNRESERVED}&=+$,`);
mark(URI_PARAMETER, `${UNRESERVED}[]/:&+$`);
mark(URI_HEADER, `${UNRESERVED}[]/?:+$`);

export const TAB = 9;
export const SPACE = 32;
export const QUOTE = 34;
export const PERCENT = 37;
export const COMMA = 44;
export const SLASH = 47;
export const COLON = 58;
export const SEMICOLON = 59;
export const LESS_THAN = 60;
export const EQUALS = 61;
export const GREATER_THAN = 62;
export const LEFT_BRACKET = 91;
export const BACKSLASH = 92;

/** Whether a character code is of one of the classes in `bits`; false for NaN and for what is not ASCII. */
export function isOf(bits: number, code: number): boolean {
  return code < 128 && (CLASSES[code]! & bits) !== 0;
}

export function isDigit(code: number): boolean {
  return isOf(DIGIT, code);
}

export function isHex(code: number): boolean {
  return isOf(HEX, code);
}

/** Index of the first character from `at` on that is not of the classes in `bits`. */
export function skip(bits: number, text: string, at: number): number {
  while (at < text.length && isOf(bits, text.charCodeAt(at))) at++;
  return at;
}

/** Index of the first character from `at` on that is neither space nor tab; folding is gone by then. */
export function skipSpace(text: string, at: number): number {
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code !== SPACE && code !== TAB) break;
    at++;
  }
  return at;
}

/** Without spaces, tabs and line ends around it. `String.trim` would take U+FEFF and the like, which are text here. */
export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpaceOrLineEnd(text.charCodeAt(start))) start++;
  while (end > start && isSpaceOrLineEnd(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isSpaceOrLineEnd(code: number): boolean {
  return code === SPACE || code === TAB || code === 13 || code === 10;
}

export function isToken(text: string): boolean {
  return text.length > 0 && skip(TOKEN, text, 0) === text.length;
}

/** A decimal number of digits only, or null when it is not one or is above `maximum`. */
export function parseNumber(text: string, maximum: number): number | null {
  if (text.length === 0) return null;
  let value = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (!isDigit(code)) return null;
    value = value * 10 + (code - 48);
    if (value > maximum) return null;
  }
  return value;
}
