import type { Headers } from './headers.ts';
import type { Via } from './via.ts';

/** What is wrong with a message; stable, for logs and counters. */
export type ParseErrorCode =
  | 'not-sip'
  | 'bad-start-line'
  | 'bad-request-uri'
  | 'bad-status'
  | 'unsupported-version'
  | 'bad-header-line'
  | 'bad-field'
  | 'missing-field'
  | 'repeated-field'
  | 'cseq-method-mismatch'
  | 'unfinished-header'
  | 'body-too-short'
  | 'missing-content-length'
  | 'message-too-large'
  | 'line-too-long'
  | 'too-many-fields';

export interface ParseError {
  readonly code: ParseErrorCode;
  /** What a response to it says: 400, 505 or 513. */
  readonly status: number;
  /** The reason phrase of such a response; names the field that is wrong. */
  readonly reason: string;
  /** In bytes from the start of the message, of the line that is wrong. */
  readonly offset: number;
  /** What a response is made of; null when none may be sent (see `answerable`). */
  readonly responseTo: BadRequest | null;
}

/** What could be read of a request that is refused. */
export interface BadRequest {
  readonly method: string;
  /** All fields that could be told apart, the wrong one included. */
  readonly headers: Headers;
  /** The topmost Via; null when it is malformed, and the answer goes where the request came from. */
  readonly via: Via | null;
}

/**
 * Whether a malformed message is answered; this is the one place that says so. A request is, when it has the fields that
 * let the sender find its transaction: a Via, as responses are routed by it, and a CSeq or Call-ID. Never an ACK
 * (RFC 3261 §17.1.1.3), never a response (RFC 3261 §18.1.2), and nothing that does not begin like SIP.
 */
export function answerable(method: string | null, headers: Headers): method is string {
  if (method === null || method === 'ACK') return false;
  return headers.has('via') && (headers.has('cseq') || headers.has('call-id'));
}
