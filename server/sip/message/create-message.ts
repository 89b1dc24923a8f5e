import { createHash } from 'node:crypto';
import { Headers } from './headers.ts';
import type { SipRequest, SipResponse } from './message.ts';
import { type NameAddress, parseNameAddress, writeNameAddress } from './name-address.ts';
import type { BadRequest, ParseError } from './parse-error.ts';
import { reasonPhrase } from './reason-phrases.ts';
import { parseUri } from './uri.ts';
import { type Via, writeVia } from './via.ts';
import { type WritableMessage, writeMessage } from './write-message.ts';

const NO_BODY = new Uint8Array(0);
const METHODS_THAT_CREATE_DIALOGS = new Set(['INVITE', 'SUBSCRIBE', 'REFER']);

export interface RequestParts {
  method: string;
  requestUri: string;
  via: Via;
  from: NameAddress;
  to: NameAddress;
  callId: string;
  cseqNumber: number;
  /** 70 (RFC 3261 §8.1.1.6). */
  maxForwards?: number;
  /** Values of Route, in order. */
  routes?: readonly string[];
  /** Further fields, in order. */
  headers?: ReadonlyArray<readonly [string, string]>;
  body?: string | Uint8Array;
  /** Needed with a body. */
  contentType?: string;
}

/** A request with the fields of RFC 3261 §8.1.1. */
export function createRequest(parts: RequestParts): SipRequest {
  const { method, requestUri, via, from, to, callId } = parts;
  const headers = new Headers().add('Via', writeVia(via)).add('Max-Forwards', String(parts.maxForwards ?? 70));
  for (const route of parts.routes ?? []) headers.add('Route', route);
  headers
    .add('From', writeNameAddress(from))
    .add('To', writeNameAddress(to))
    .add('Call-ID', callId)
    .add('CSeq', `${parts.cseqNumber} ${method}`);
  return {
    kind: 'request',
    method,
    requestUri,
    uri: parseUri(requestUri),
    via,
    from,
    to,
    callId,
    cseq: { number: parts.cseqNumber, method },
    headers,
    body: addContent(headers, parts),
  };
}

export interface ResponseParts {
  /** The registered phrase. */
  reason?: string;
  /** Put on To unless that has a tag. Needed for all but 100 (RFC 3261 §8.2.6.2). */
  toTag?: string;
  /** Further fields, in order. */
  headers?: ReadonlyArray<readonly [string, string]>;
  body?: string | Uint8Array;
  /** Needed with a body. */
  contentType?: string;
}

/**
 * A response with what RFC 3261 §8.2.6 copies from the request; Record-Route too where the response can create a dialog
 * (RFC 3261 §12.1.1), and Timestamp into a 100.
 */
export function createResponse(request: SipRequest, status: number, parts: ResponseParts = {}): SipResponse {
  const to = withTag(request.to, parts.toTag);
  const headers = copiedHeaders(request.headers, to === request.to ? undefined : parts.toTag);
  const createsDialog = status > 100 && status < 300 && METHODS_THAT_CREATE_DIALOGS.has(request.method);
  if (createsDialog) {
    for (const value of request.headers.all('record-route')) headers.add('Record-Route', value);
  }
  const timestamp = request.headers.get('timestamp');
  if (status === 100 && timestamp !== undefined) headers.add('Timestamp', timestamp);
  const { via, from, callId, cseq } = request;
  return {
    kind: 'response',
    status,
    reason: parts.reason ?? reasonPhrase(status),
    via,
    from,
    to,
    callId,
    cseq,
    headers,
    body: addContent(headers, parts),
  };
}

/** The bytes of the stateless answer to a malformed request; null where there must be none (see `answerable`). */
export function createMalformedResponse(error: ParseError): Uint8Array | null {
  if (error.responseTo === null) return null;
  const request = error.responseTo;
  const to = parseNameAddress(request.headers.get('to') ?? '');
  const tag = to !== null && !to.parameters.has('tag') ? statelessTag(request) : undefined;
  const headers = copiedHeaders(request.headers, tag);
  const response: WritableMessage = {
    kind: 'response',
    status: error.status,
    reason: error.reason,
    headers,
    body: NO_BODY,
  };
  return writeMessage(response);
}

/** The same for each retransmission of a request, without our keeping it (RFC 3261 §8.2.7). */
function statelessTag(request: BadRequest): string {
  const hash = createHash('sha256');
  for (const name of ['via', 'call-id', 'cseq', 'from']) hash.update(`${request.headers.get(name) ?? ''}\n`);
  return hash.digest('hex').slice(0, 16);
}

function copiedHeaders(request: Headers, toTag: string | undefined): Headers {
  const headers = new Headers();
  for (const { name, value } of request) {
    if (name === 'via' || name === 'from' || name === 'call-id' || name === 'cseq') headers.add(name, clean(value));
    // Behind To as it was written: right with angle brackets and without (RFC 3261 §20.39).
    else if (name === 'to') headers.add(name, clean(toTag === undefined ? value : `${value};tag=${toTag}`));
  }
  return headers;
}

/** A malformed value may have a bare carriage return in it, which is not passed on. */
function clean(value: string): string {
  return value.includes('\r') ? value.replaceAll('\r', ' ') : value;
}

function withTag(address: NameAddress, tag: string | undefined): NameAddress {
  if (tag === undefined || address.parameters.has('tag')) return address;
  return { ...address, parameters: new Map([...address.parameters, ['tag', tag]]) };
}

/** Adds the further fields and Content-Type, and gives the body's bytes. Content-Length is `writeMessage`'s. */
function addContent(headers: Headers, parts: Pick<ResponseParts, 'headers' | 'body' | 'contentType'>): Uint8Array {
  for (const [name, value] of parts.headers ?? []) headers.add(name, value);
  const body = typeof parts.body === 'string' ? Buffer.from(parts.body, 'utf8') : (parts.body ?? NO_BODY);
  if (body.length > 0) {
    if (parts.contentType === undefined) throw new Error('A body needs a content type');
    headers.add('Content-Type', parts.contentType);
  }
  return body;
}
