import type { SipMessage } from './message.ts';
import { type Draft, fail, newDraft } from './message-draft.ts';
import {
  endOfField,
  endOfHead,
  MAX_HEADER_FIELDS,
  MAX_LINE_LENGTH,
  MAX_MESSAGE_BYTES,
  skipLineEnds,
  trimLineEnd,
} from './message-lines.ts';
import { answerable, type ParseError, type ParseErrorCode } from './parse-error.ts';
import { readField } from './read-field.ts';
import { readStartLine } from './read-start-line.ts';
import { reasonPhrase } from './reason-phrases.ts';

export type ParsedMessage = { ok: true; message: SipMessage } | { ok: false; error: ParseError };

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
