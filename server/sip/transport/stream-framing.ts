import { parseNumber, skip, skipSpace, TOKEN, trimSpace } from '../message/characters.ts';
import { Headers } from '../message/headers.ts';
import { endOfField, endOfHead, MAX_MESSAGE_BYTES } from '../message/message-lines.ts';
import type { ParseError, ParseErrorCode } from '../message/parse-error.ts';
import { refuseMessage } from '../message/parse-message.ts';
import { reasonPhrase } from '../message/reason-phrases.ts';

export type Framed =
  /** A whole message, in bytes of its own. */
  | { kind: 'message'; bytes: Uint8Array }
  /** A keep-alive that wants a CRLF back (RFC 5626 §3.5.1). */
  | { kind: 'ping' }
  /** Where the next message begins cannot be known any more: the connection must be closed. Nothing follows. */
  | { kind: 'error'; error: ParseError };

const CR = 13;
const LF = 10;
const EMPTY = Buffer.alloc(0);
const FIRST_CAPACITY = 4096;

/** Cuts a stream into messages by Content-Length (RFC 3261 §18.3). Bytes in, messages out; no socket, no clock. */
export class StreamFraming {
  /** What came in and is not cut out yet is from `start` to `end`. */
  private buffer = EMPTY;
  private start = 0;
  private end = 0;
  /** The end of the header was looked for up to here. */
  private searched = 0;
  /** Length of the message being received, once its header is complete. */
  private messageLength: number | null = null;
  private failed = false;

  /** Whether a message has begun and is not complete. Line ends between messages are none. */
  get pending(): boolean {
    return !this.failed && this.end > this.start && this.buffer[this.start] !== CR && this.buffer[this.start] !== LF;
  }

  /** Takes the next bytes, which stay the caller's, and gives all that is complete by now. */
  push(chunk: Uint8Array): Framed[] {
    const framed: Framed[] = [];
    if (this.failed) return framed;
    this.append(chunk);
    for (let next = this.next(); next !== null; next = this.next()) {
      framed.push(next);
      if (next.kind === 'error') break;
    }
    if (this.start === this.end || this.failed) this.release();
    return framed;
  }

  private append(chunk: Uint8Array): void {
    const length = this.end - this.start;
    if (this.end + chunk.length > this.buffer.length) {
      const capacity = Math.max(FIRST_CAPACITY, 2 * length, length + chunk.length);
      const grown = Buffer.allocUnsafeSlow(capacity);
      this.buffer.copy(grown, 0, this.start, this.end);
      this.searched = Math.max(0, this.searched - this.start);
      this.buffer = grown;
      this.start = 0;
      this.end = length;
    }
    this.buffer.set(chunk, this.end);
    this.end += chunk.length;
  }

  /** An idle connection keeps no memory. */
  private release(): void {
    this.buffer = EMPTY;
    this.start = 0;
    this.end = 0;
    this.searched = 0;
  }

  private next(): Framed | null {
    if (this.messageLength === null) {
      const ping = this.skipLineEnds();
      if (ping !== null) return ping;
      if (this.start === this.end || !this.pending) return null;
      const error = this.readHead();
      if (error !== null) return this.fail(error);
    }
    if (this.messageLength === null || this.end - this.start < this.messageLength) return null;
    const bytes = Buffer.from(this.buffer.subarray(this.start, this.start + this.messageLength));
    this.start += this.messageLength;
    this.searched = this.start;
    this.messageLength = null;
    return { kind: 'message', bytes };
  }

  /**
   * Between messages: CRLF CRLF is a ping, and any number of them at once is one; a single CRLF is a pong, or noise
   * (RFC 3261 §7.5).
   */
  private skipLineEnds(): Framed | null {
    let pinged = false;
    for (let length = this.lineEndAt(this.start); length > 0; length = this.lineEndAt(this.start)) {
      const second = this.start + length;
      const secondLength = this.lineEndAt(second);
      // The rest of a ping may still be on its way.
      const unfinished = second === this.end || (second + 1 === this.end && this.buffer[second] === CR);
      if (secondLength === 0 && unfinished) break;
      pinged ||= secondLength > 0;
      this.start += length + secondLength;
    }
    return pinged ? { kind: 'ping' } : null;
  }

  /** Length of the line end at `at`: 2 for CRLF, 1 for LF, 0 for none. */
  private lineEndAt(at: number): number {
    if (at >= this.end) return 0;
    if (this.buffer[at] === LF) return 1;
    return this.buffer[at] === CR && at + 1 < this.end && this.buffer[at + 1] === LF ? 2 : 0;
  }

  /** Finds out how long the message is, if its header is complete; what makes that impossible is the answer. */
  private readHead(): ParseError | null {
    const received = this.buffer.subarray(this.start, this.end);
    const headEnd = endOfHead(received, Math.max(0, this.searched - this.start - 3));
    if (headEnd < 0) {
      this.searched = this.end;
      return received.length > MAX_MESSAGE_BYTES ? refuse(received, 'message-too-large', reasonPhrase(513)) : null;
    }
    const head = received.subarray(0, headEnd);
    const contentLength = contentLengthOf(head.toString('latin1'));
    if (contentLength === 'missing') return refuse(head, 'missing-content-length', 'Missing Content-Length');
    if (contentLength === 'bad') return refuse(head, 'bad-field', 'Bad Content-Length');
    if (headEnd + contentLength > MAX_MESSAGE_BYTES) return refuse(head, 'message-too-large', reasonPhrase(513));
    this.messageLength = headEnd + contentLength;
    return null;
  }

  private fail(error: ParseError): Framed {
    this.failed = true;
    return { kind: 'error', error };
  }
}

function refuse(head: Buffer, code: ParseErrorCode, reason: string): ParseError {
  return refuseMessage(Buffer.from(head), code, reason);
}

/**
 * Of more than one nobody knows which is meant, and where the next message begins (RFC 4475 §3.3.9): a message could be
 * hidden from one of two who read the same stream.
 */
function contentLengthOf(head: string): number | 'missing' | 'bad' {
  let found: number | null = null;
  let at = endOfField(head, 0, false);
  while (at < head.length) {
    const end = endOfField(head, at, true);
    const nameEnd = skip(TOKEN, head, at);
    if (Headers.nameOf(head.slice(at, nameEnd)) === 'content-length') {
      const colon = skipSpace(head, nameEnd);
      if (head[colon] !== ':' || found !== null) return 'bad';
      found = parseNumber(trimSpace(head.slice(colon + 1, end)), Number.MAX_SAFE_INTEGER);
      if (found === null) return 'bad';
    }
    at = end;
  }
  return found ?? 'missing';
}
