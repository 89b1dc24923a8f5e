import type { SipRequest } from '../sip/message/message.ts';

/** A text as it came, or why it is not taken. */
export type TextMessage =
  | { readonly body: Uint8Array; readonly contentType: string }
  | {
      readonly status: 413 | 415 | 483;
      readonly headers?: ReadonlyArray<readonly [string, string]>;
    };

const MAX_BYTES = 8 * 1024;

/** Reads the content of a MESSAGE: plain text is all that every phone can show. */
export function readText({ headers, body }: SipRequest): TextMessage {
  const contentType = headers.get('content-type') ?? '';
  const [type] = contentType.toLowerCase().split(';');
  if (type?.trim() !== 'text/plain') return { status: 415, headers: [['Accept', 'text/plain']] };
  const encoding = headers.get('content-encoding') ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') return { status: 415, headers: [['Accept-Encoding', 'identity']] };
  if (body.length > MAX_BYTES) return { status: 413 };
  // It goes on as by a proxy, so that two rooms which call each other do not talk for ever (RFC 3261 §16.3 step 3).
  return headers.get('max-forwards')?.trim() === '0' ? { status: 483 } : { body, contentType };
}

/** Of the message that goes on. */
export function hopsLeft({ headers }: SipRequest): number {
  const hops = Number.parseInt(headers.get('max-forwards') ?? '70', 10);
  return Math.max(0, Math.min(hops, 70) - 1);
}
