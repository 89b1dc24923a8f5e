/** The Distinguished Encoding Rules (X.690 §10), as far as a certificate needs them. */

const BOOLEAN = 0x01;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const SET = 0x31;
const CONTEXT = 0x80;
const CONSTRUCTED = 0x20;

function element(tag: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content]);
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) octets.unshift(rest & 0xff);
  return Buffer.from([0x80 | octets.length, ...octets]);
}

export const sequence = (...parts: Uint8Array[]): Buffer => element(SEQUENCE, Buffer.concat(parts));
export const set = (...parts: Uint8Array[]): Buffer => element(SET, Buffer.concat(parts));
export const octetString = (content: Uint8Array): Buffer => element(OCTET_STRING, content);
export const utf8String = (text: string): Buffer => element(UTF8_STRING, Buffer.from(text));
export const trueValue = (): Buffer => element(BOOLEAN, Buffer.from([0xff]));

/** A number of 0 or more, its octets in network order. */
export function integer(octets: Uint8Array): Buffer {
  let start = 0;
  while (start < octets.length - 1 && octets[start] === 0) start++;
  const shortest = octets.subarray(start);
  // The highest bit is the sign.
  return element(INTEGER, (shortest[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.of(0), shortest]) : shortest);
}

export function bitString(content: Uint8Array, unusedBits = 0): Buffer {
  return element(BIT_STRING, Buffer.concat([Buffer.of(unusedBits), content]));
}

/** Of its dotted form, such as `2.5.4.3`. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(OBJECT_IDENTIFIER, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const octets = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) octets.unshift(0x80 | (rest % 128));
  return octets;
}

/** To the second; the kind of time that RFC 5280 §4.1.2.5 asks for by the year. */
export function time(date: Date): Buffer {
  const digits = `${date.toISOString().replace(/\D/g, '').slice(0, 14)}Z`;
  return date.getUTCFullYear() < 2050
    ? element(UTC_TIME, Buffer.from(digits.slice(2)))
    : element(GENERALIZED_TIME, Buffer.from(digits));
}

/** `[number] EXPLICIT`: around a whole element. */
export function tagged(number: number, content: Uint8Array): Buffer {
  return element(CONTEXT | CONSTRUCTED | number, content);
}

/** `[number] IMPLICIT` of a string. */
export function taggedString(number: number, content: Uint8Array): Buffer {
  return element(CONTEXT | number, content);
}
