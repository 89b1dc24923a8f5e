import { parseParameters, splitList } from '../message/header-value.ts';
import type { SipMessage } from '../message/message.ts';
import type { SdpText } from './call.ts';

/** The session description of a message's body, or the refusal of the body. */
export type SessionBody =
  | { readonly sdp: SdpText | null }
  | { readonly status: 400 | 415; readonly headers: ReadonlyArray<readonly [string, string]> };

export function sdpOf(body: SessionBody): SdpText | null {
  return 'sdp' in body ? body.sdp : null;
}

const NO_SESSION: SessionBody = { sdp: null };
const MALFORMED: SessionBody = { status: 400, headers: [] };
const UNSUPPORTED_TYPE: SessionBody = { status: 415, headers: [['Accept', 'application/sdp']] };
const UNSUPPORTED_ENCODING: SessionBody = { status: 415, headers: [['Accept-Encoding', 'identity']] };

/** A body, or one part of a multipart body. */
interface Content {
  readonly type: string;
  readonly disposition: string;
  readonly encoding: string;
  readonly bytes: Buffer;
}

/** Finds the SDP in a body (RFC 3261 §8.2.3, RFC 5621). */
export function readSessionBody(message: SipMessage): SessionBody {
  const { headers, body } = message;
  if (body.length === 0) return NO_SESSION;
  const content: Content = {
    type: headers.get('content-type') ?? '',
    disposition: headers.get('content-disposition') ?? '',
    encoding: headers.get('content-encoding') ?? '',
    bytes: Buffer.from(body.buffer, body.byteOffset, body.byteLength),
  };
  if (mediaType(content.type).startsWith('multipart/')) return readMultipart(content);
  return readContent(content);
}

/** Whether the sender of an INVITE takes SDP in the answer; without Accept that goes without saying (RFC 3261 §20.1). */
export function takesSdp({ headers }: SipMessage): boolean {
  if (!headers.has('accept')) return true;
  const ranges = headers.all('accept').flatMap(splitList).map(mediaType);
  return ranges.some((range) => range === 'application/sdp' || range === 'application/*' || range === '*/*');
}

function readContent(content: Content): SessionBody {
  const encoded = content.encoding !== '' && content.encoding.toLowerCase() !== 'identity';
  const session = isSession(content);
  if (session && !encoded) return { sdp: content.bytes.toString('utf8') };
  // Who sent it can do without our understanding it (RFC 3261 §20.11).
  if (handlingOf(content) === 'optional') return NO_SESSION;
  return session ? UNSUPPORTED_ENCODING : UNSUPPORTED_TYPE;
}

/** SDP for the session, not for an early session or another purpose (RFC 3959). */
function isSession(content: Content): boolean {
  const disposition = mediaType(content.disposition);
  return mediaType(content.type) === 'application/sdp' && (disposition === '' || disposition === 'session');
}

/**
 * The one part that is the session description. Deviation: RFC 5621 §3 refuses the whole when another part without a
 * `handling` is not understood; we refuse only for an explicit `required`, as trunks add parts (ISUP, location) unmarked.
 */
function readMultipart(whole: Content): SessionBody {
  const boundary = parametersOf(whole.type)?.get('boundary');
  const parts = boundary ? splitParts(whole.bytes, boundary) : null;
  if (parts === null) return MALFORMED;
  let found: SessionBody | null = null;
  for (const part of parts) {
    if (isSession(part) && found === null) found = readContent(part);
    else if (handlingOf(part) === 'required') return UNSUPPORTED_TYPE;
  }
  if (found !== null) return found;
  return handlingOf(whole) === 'optional' ? NO_SESSION : UNSUPPORTED_TYPE;
}

/** The parts of a multipart body (RFC 2046 §5.1.1); null when it never begins or never ends. */
function splitParts(bytes: Buffer, boundary: string): Content[] | null {
  // One character a byte, so that positions are those of the bytes. The first delimiter has no line end before it.
  const pieces = `\r\n${bytes.toString('latin1')}`.split(`\r\n--${boundary}`);
  const end = pieces.findIndex((piece, index) => index > 0 && piece.startsWith('--'));
  return end < 2 ? null : pieces.slice(1, end).map(readPart);
}

function readPart(piece: string): Content {
  // After the delimiter: white space, line end, then header lines, an empty line, the content.
  const text = piece.slice(piece.indexOf('\r\n'));
  const separator = text.indexOf('\r\n\r\n');
  const head = separator < 0 ? text : text.slice(0, separator);
  const fields = new Map<string, string>();
  for (const line of head.replace(/\r\n[ \t]+/g, ' ').split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return {
    type: fields.get('content-type') ?? 'text/plain',
    disposition: fields.get('content-disposition') ?? '',
    encoding: fields.get('content-encoding') ?? '',
    bytes: Buffer.from(separator < 0 ? '' : text.slice(separator + 4), 'latin1'),
  };
}

/** The value before its parameters, in lower case. */
function mediaType(value: string): string {
  const semicolon = value.indexOf(';');
  return (semicolon < 0 ? value : value.slice(0, semicolon)).trim().toLowerCase();
}

function parametersOf(value: string): ReadonlyMap<string, string> | null {
  const semicolon = value.indexOf(';');
  return semicolon < 0 ? null : parseParameters(value, semicolon);
}

function handlingOf(content: Content): string | undefined {
  return parametersOf(content.disposition)?.get('handling')?.toLowerCase();
}
