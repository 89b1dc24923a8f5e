import { isToken, parseNumber, skip, skipSpace, TOKEN, trimSpace } from './characters.ts';
import { endOfElement } from './header-value.ts';
import { Headers } from './headers.ts';
import type { CSeq } from './message.ts';
import { type Draft, fail } from './message-draft.ts';
import { parseNameAddress } from './name-address.ts';
import { parseVia } from './via.ts';

const MAX_CSEQ = 2 ** 32 - 1;

/** Reads the field in `head` from `start` to `end`, which is without its last line end. */
export function readField(draft: Draft, head: string, start: number, end: number): void {
  const nameEnd = skip(TOKEN, head, start);
  const colon = skipSpace(head, nameEnd);
  if (nameEnd === start || colon >= end || head[colon] !== ':') {
    fail(draft, 'bad-header-line', 'Bad Header Line', start);
    return;
  }
  const name = Headers.nameOf(head.slice(start, nameEnd));
  const value = unfold(head.slice(colon + 1, end));
  draft.headers.add(name, value);
  // A carriage return elsewhere than in a line end would end a line for other implementations.
  if (value.includes('\r')) {
    failField(draft, name, start);
    return;
  }
  readKnownField(draft, name, value, start);
}

function unfold(raw: string): string {
  if (!raw.includes('\n')) return trimSpace(raw);
  return trimSpace(raw).replace(/\r?\n[ \t]+/g, ' ');
}

function failField(draft: Draft, name: string, at: number): void {
  fail(draft, 'bad-field', `Bad ${Headers.writtenNameOf(name)}`, at);
}

/** Parses the fields that every message has, and checks those whose syntax decides whether it is valid at all. */
function readKnownField(draft: Draft, name: string, value: string, at: number): void {
  switch (name) {
    case 'via':
      if (draft.viaSeen) return;
      draft.viaSeen = true;
      draft.via = parseVia(value.slice(0, endOfElement(value, 0)));
      if (draft.via === null) failField(draft, name, at);
      return;
    case 'from':
      readOnce(draft, 'from', parseNameAddress(value), at);
      return;
    case 'to':
      readOnce(draft, 'to', parseNameAddress(value), at);
      return;
    case 'call-id':
      readOnce(draft, 'callId', isCallId(value) ? value : null, at);
      return;
    case 'cseq':
      readOnce(draft, 'cseq', parseCSeq(value), at);
      return;
    case 'content-length':
      readOnce(draft, 'contentLength', parseNumber(value, Number.MAX_SAFE_INTEGER), at);
      return;
    case 'max-forwards':
      readOnce(draft, 'maxForwards', parseNumber(value, 255), at);
      return;
    case 'contact':
      if (value !== '*' && !isAddressList(value)) failField(draft, name, at);
      return;
    case 'route':
    case 'record-route':
      if (!isAddressList(value)) failField(draft, name, at);
  }
}

const FIELD_NAMES = {
  from: 'From',
  to: 'To',
  callId: 'Call-ID',
  cseq: 'CSeq',
  contentLength: 'Content-Length',
  maxForwards: 'Max-Forwards',
} as const;

function readOnce<Field extends keyof typeof FIELD_NAMES>(
  draft: Draft,
  field: Field,
  parsed: Draft[Field],
  at: number,
): void {
  if (parsed === null) {
    fail(draft, 'bad-field', `Bad ${FIELD_NAMES[field]}`, at);
    return;
  }
  if (draft[field] !== null) {
    fail(draft, 'repeated-field', `Repeated ${FIELD_NAMES[field]}`, at);
    return;
  }
  draft[field] = parsed;
}

/** `word ["@" word]` (RFC 3261 §25.1); whatever is visible and without white space is let through. */
function isCallId(value: string): boolean {
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code <= 32 || code === 127) return false;
  }
  return value.length > 0;
}

/** Null when the number has more than 32 bits or the method is no token. Only a dialog's first is below 2^31 (RFC 3261 §8.1.1.5). */
export function parseCSeq(value: string): CSeq | null {
  let numberEnd = 0;
  while (value.charCodeAt(numberEnd) >= 48 && value.charCodeAt(numberEnd) <= 57) numberEnd++;
  const number = parseNumber(value.slice(0, numberEnd), MAX_CSEQ);
  const methodStart = skipSpace(value, numberEnd);
  const method = value.slice(methodStart);
  return number === null || methodStart === numberEnd || !isToken(method) ? null : { number, method };
}

function isAddressList(value: string): boolean {
  for (let start = 0; start <= value.length; ) {
    const end = endOfElement(value, start);
    if (parseNameAddress(value.slice(start, end)) === null) return false;
    start = end + 1;
  }
  return true;
}
