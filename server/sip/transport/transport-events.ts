import type { ParseError } from '../message/parse-error.ts';
import type { Flow } from './flow.ts';

/** What a socket source tells the transport layer. */
export interface TransportEvents {
  /** The bytes of one message, which are the receiver's from now on. */
  message(bytes: Uint8Array, flow: Flow): void;
  /** A message was handed to a socket; keep-alives are none. */
  sent(bytes: Uint8Array, flow: Flow): void;
  /** A stream that cannot be framed any more; its connection is closed after this. */
  malformed(error: ParseError, flow: Flow): void;
  /** What was sent over this flow may be lost: the connection is gone, or the datagram could not be sent. */
  failed(flow: Flow, reason: Error): void;
}
