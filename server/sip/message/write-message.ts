import { Headers } from './headers.ts';
import type { SipRequest, SipResponse } from './message.ts';

export type WritableMessage =
  | Pick<SipRequest, 'kind' | 'method' | 'requestUri' | 'headers' | 'body'>
  | Pick<SipResponse, 'kind' | 'status' | 'reason' | 'headers' | 'body'>;

/**
 * The bytes of a message, a new buffer each time. Content-Length is that of the body, whatever the headers say.
 * Throws when a value has a line end in it: that would be a header of somebody else's making.
 */
export function writeMessage(message: WritableMessage): Uint8Array {
  let head =
    message.kind === 'request'
      ? `${message.method} ${message.requestUri} SIP/2.0\r\n`
      : `SIP/2.0 ${message.status} ${message.reason}\r\n`;
  if (hasLineEnd(head.slice(0, -2))) throw new Error('A start line must not contain a line end');
  for (const { name, value } of message.headers) {
    if (name === 'content-length') continue;
    if (hasLineEnd(name) || hasLineEnd(value)) throw new Error(`The header field ${name} must not contain a line end`);
    head += `${Headers.writtenNameOf(name)}: ${value}\r\n`;
  }
  head += `Content-Length: ${message.body.length}\r\n\r\n`;
  const bytes = Buffer.from(head, 'utf8');
  return message.body.length === 0 ? bytes : Buffer.concat([bytes, message.body]);
}

function hasLineEnd(text: string): boolean {
  return text.includes('\n') || text.includes('\r');
}
