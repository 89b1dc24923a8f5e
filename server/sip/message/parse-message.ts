import { isToken, parseNumber, skip, skipSpace, TOKEN, trimSpace } from './characters.ts';
import { endOfElement } from './header-value.ts';
import { Headers } from './headers.ts';
import type { CSeq, SipMessage } from './message.ts';
import { isVisible, type NameAddress, parseNameAddress } from './name-address.ts';
import { answerable, type ParseError, type ParseErrorCode } from './parse-error.ts';
import { reasonPhrase } from './reason-phrases.ts';
import { parseUri, type SipUri, schemeOf } from './uri.ts';
import { parseVia, type Via } from './via.ts';

export const MAX_MESSAGE_BYTES = 65_536;
export const MAX_HEADER_FIELDS = 256;
/** Of one header field with its continuation lines, and of the start line. */
export const MAX_LINE_LENGTH = 8192;
const MAX_CSEQ = 2 ** 31 - 1;

export type ParsedMessage = { ok: true; message: SipMessage } | { ok: false; error: ParseError };

/** Something is wrong; parsing goes on, as an answer needs the fields that follow. The first fault is reported. */
interface Fault {
  code: ParseErrorCode;
  reason: string;
  /** In characters of the head. */
  at: number;
}

type StartLine =
  | { kind: 'request'; method: string; requestUri: string; uri: SipUri | null }
  | { kind: 'response'; status: number; reason: string };

/** A message while it is read. */
interface Draft {
  startLine: StartLine | null;
  /** Of a request, also when its request line is wrong. */
  method: string | null;
  headers: Headers;
  /** The first Via was met, well-formed or not. */
  viaSeen: boolean;
  via: Via | null;
  from: NameAddress | null;
  to: NameAddress | null;
  callId: string | null;
  cseq: CSeq | null;
  contentLength: number | null;
  maxForwards: number | null;
  fault: Fault | null;
}

/**
 * Reads one message: a whole datagram, or what `StreamFraming` cut out of a stream. The body is a view of `bytes`, which
 * the caller gives away. What follows the body by Content-Length is ignored (RFC 3261 §18.3). Never throws.
 */
export function parseMessage(bytes: Uint8Array): ParsedMessage {
  return parse(bytes, newDraft());
}

/** The error for a message that is refused before it is complete; an answer can be made of the fields in `bytes`. */
export function refuseMessage(bytes: Uint8Array, code: ParseErrorCode, reason: string): ParseError {
  const draft = newDraft();
  fail(draft, code, reason, 0);
  const parsed = parse(bytes, draft);
  if (parsed.ok) throw new Error('A message with a fault was accepted');
  return parsed.error;
}

function parse(bytes: Uint8Array, draft: Draft): ParsedMessage {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = skipLineEnds(buffer);
  const headEnd = endOfHead(buffer, start);
  const head = buffer.toString(
    'utf8',
    start,
    Math.min(headEnd < 0 ? buffer.length : headEnd, start + MAX_MESSAGE_BYTES),
  );
  if (bytes.length > MAX_MESSAGE_BYTES) fail(draft, 'message-too-large', reasonPhrase(513), 0);
  readHead(draft, head);
  if (headEnd < 0) fail(draft, 'unfinished-header', 'Missing Empty Line After Header', head.length);
  checkPresence(draft);
  const body = headEnd < 0 ? buffer.subarray(buffer.length) : bodyOf(draft, buffer, headEnd);
  const message = draft.fault === null ? complete(draft, body) : null;
  if (message !== null) return { ok: true, message };
  return { ok: false, error: errorOf(draft, head, start) };
}

function newDraft(): Draft {
  return {
    startLine: null,
    method: null,
    headers: new Headers(),
    viaSeen: false,
    via: null,
    from: null,
    to: null,
    callId: null,
    cseq: null,
    contentLength: null,
    maxForwards: null,
    fault: null,
  };
}

function fail(draft: Draft, code: ParseErrorCode, reason: string, at: number): void {
  draft.fault ??= { code, reason, at };
}

/** Empty lines before the start line are ignored (RFC 3261 §7.5). */
function skipLineEnds(buffer: Buffer): number {
  let at = 0;
  while (buffer[at] === 13 || buffer[at] === 10) at++;
  return at;
}

/** Index after the empty line that ends the header, or -1. A line may end with LF alone. */
export function endOfHead(buffer: Buffer, start: number): number {
  for (let lineEnd = buffer.indexOf(10, start); lineEnd >= 0; lineEnd = buffer.indexOf(10, lineEnd + 1)) {
    if (buffer[lineEnd + 1] === 10) return lineEnd + 2;
    if (buffer[lineEnd + 1] === 13 && buffer[lineEnd + 2] === 10) return lineEnd + 3;
  }
  return -1;
}

function readHead(draft: Draft, head: string): void {
  let fields = 0;
  let at = 0;
  while (at < head.length) {
    const end = endOfField(head, at, at > 0);
    const textEnd = trimLineEnd(head, at, end);
    if (textEnd > at) {
      if (end - at > MAX_LINE_LENGTH) fail(draft, 'line-too-long', 'Line Too Long', at);
      else if (at === 0) readStartLine(draft, head.slice(0, textEnd));
      else if (++fields > MAX_HEADER_FIELDS) {
        fail(draft, 'too-many-fields', 'Too Many Header Fields', at);
        return;
      } else readField(draft, head, at, textEnd);
    }
    at = end;
  }
}

/** Index after the line that begins at `at`, with its continuation lines where it may have some (RFC 3261 §7.3.1). */
export function endOfField(head: string, at: number, folds: boolean): number {
  let lineFeed = head.indexOf('\n', at);
  while (folds && lineFeed >= 0) {
    const next = head.charCodeAt(lineFeed + 1);
    if (next !== 32 && next !== 9) break;
    lineFeed = head.indexOf('\n', lineFeed + 1);
  }
  return lineFeed < 0 ? head.length : lineFeed + 1;
}

function trimLineEnd(head: string, start: number, end: number): number {
  let at = end;
  if (at > start && head.charCodeAt(at - 1) === 10) at--;
  if (at > start && head.charCodeAt(at - 1) === 13) at--;
  return at;
}

function readStartLine(draft: Draft, line: string): void {
  if (line.includes('\r')) fail(draft, 'bad-start-line', 'Bad Start Line', 0);
  if (line.slice(0, 4).toUpperCase() === 'SIP/') readStatusLine(draft, line);
  else readRequestLine(draft, line);
}

/** `SIP/2.0 200 OK`; the phrase may be empty (RFC 3261 §7.2). */
function readStatusLine(draft: Draft, line: string): void {
  const [version = '', code = ''] = line.split(' ', 2);
  if (!isOurVersion(version)) {
    fail(draft, 'unsupported-version', reasonPhrase(505), 0);
    return;
  }
  const status = code.length === 3 ? parseNumber(code, 699) : null;
  if (status === null || status < 100) {
    fail(draft, 'bad-status', 'Bad Status Code', 0);
    return;
  }
  draft.startLine = { kind: 'response', status, reason: line.slice(version.length + code.length + 2) };
}

/** `INVITE sip:room@example.com SIP/2.0` with single spaces and none after it (RFC 3261 §7.1). */
function readRequestLine(draft: Draft, line: string): void {
  const methodEnd = skip(TOKEN, line, 0);
  const version = line.slice(trimSpace(line).lastIndexOf(' ') + 1);
  if (methodEnd === 0 || line[methodEnd] !== ' ' || !/^SIP\/\d+\.\d+ *$/i.test(version)) {
    fail(draft, 'not-sip', 'Bad Request Line', 0);
    return;
  }
  const method = line.slice(0, methodEnd);
  draft.method = method;
  if (!isOurVersion(trimSpace(version))) {
    fail(draft, 'unsupported-version', reasonPhrase(505), 0);
    return;
  }
  if (version.endsWith(' ')) {
    fail(draft, 'bad-start-line', 'Trailing Space In Request Line', 0);
    return;
  }
  const requestUri = line.slice(methodEnd + 1, line.length - version.length - 1);
  const scheme = schemeOf(requestUri);
  const uri = parseUri(requestUri);
  const sip = scheme === 'sip' || scheme === 'sips';
  // Headers are not allowed in a Request-URI (RFC 3261 §19.1.1, table 1).
  if (scheme === null || !isVisible(requestUri) || (sip && uri === null) || (uri !== null && uri.headers.size > 0)) {
    fail(draft, 'bad-request-uri', 'Bad Request-URI', 0);
    return;
  }
  draft.startLine = { kind: 'request', method, requestUri, uri };
}

function isOurVersion(version: string): boolean {
  return version === 'SIP/2.0' || version.toUpperCase() === 'SIP/2.0';
}

/** Reads the field in `head` from `start` to `end`, which is without its last line end. */
function readField(draft: Draft, head: string, start: number, end: number): void {
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

/** Null when the number is 2^31 or more (RFC 3261 §8.1.1.5) or the method is no token. */
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

/** The fields that RFC 3261 §8.1.1 wants in every message; Max-Forwards is not asked for, as RFC 2543 had none. */
function checkPresence(draft: Draft): void {
  if (draft.startLine === null) fail(draft, 'not-sip', 'Bad Request Line', 0);
  if (draft.fault !== null) return;
  const missing =
    (draft.via === null && 'Via') ||
    (draft.from === null && 'From') ||
    (draft.to === null && 'To') ||
    (draft.callId === null && 'Call-ID') ||
    (draft.cseq === null && 'CSeq');
  if (missing) {
    fail(draft, 'missing-field', `Missing ${missing}`, 0);
    return;
  }
  if (draft.method !== null && draft.cseq?.method !== draft.method) {
    fail(draft, 'cseq-method-mismatch', 'CSeq Method Mismatch', 0);
  }
}

/** RFC 3261 §18.3: to the end of the datagram without a Content-Length, cut to it otherwise. */
function bodyOf(draft: Draft, buffer: Buffer, start: number): Uint8Array {
  const length = draft.contentLength ?? buffer.length - start;
  if (start + length > buffer.length) fail(draft, 'body-too-short', 'Content-Length Exceeds Body', 0);
  return buffer.subarray(start, start + length);
}

function complete(draft: Draft, body: Uint8Array): SipMessage | null {
  const { startLine, headers, via, from, to, callId, cseq } = draft;
  if (startLine === null || via === null || from === null || to === null || callId === null || cseq === null)
    return null;
  // Spelled out, as spreading the start line costs more than all the rest of the parsing.
  if (startLine.kind === 'response') {
    const { status, reason } = startLine;
    return { kind: 'response', status, reason, via, from, to, callId, cseq, headers, body };
  }
  const { method, requestUri, uri } = startLine;
  return { kind: 'request', method, requestUri, uri, via, from, to, callId, cseq, headers, body };
}

function errorOf(draft: Draft, head: string, start: number): ParseError {
  const fault = draft.fault;
  if (fault === null) throw new Error('A message without a fault was not completed');
  const status = fault.code === 'unsupported-version' ? 505 : fault.code === 'message-too-large' ? 513 : 400;
  const { method, headers, via } = draft;
  return {
    code: fault.code,
    status,
    reason: fault.reason,
    offset: start + Buffer.byteLength(head.slice(0, fault.at)),
    responseTo: answerable(method, headers) ? { method, headers, via } : null,
  };
}
