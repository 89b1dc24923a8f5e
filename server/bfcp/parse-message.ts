import {
  ATTRIBUTE,
  type Attribute,
  type AttributeName,
  FRAGMENT_HEADER_BYTES,
  HEADER_BYTES,
  type Message,
  type MessageHeader,
} from './message.ts';

export interface ParsedHeader extends MessageHeader {
  /** Of the whole message, without headers; its pieces may come in fragments. */
  payloadBytes: number;
  /** In octets of the payload; null: it comes in one. Over UDP only. */
  fragment: { offset: number; length: number } | null;
  /** Where the payload begins. */
  headerBytes: number;
}

export type ParsedAttributes =
  | { ok: true; attributes: Attribute[]; unknownMandatory: number[] }
  | { ok: false; reason: string };

const NAMES = new Map<number, AttributeName>(
  Object.entries(ATTRIBUTE).map(([name, type]) => [type, name as AttributeName]),
);
const ATTRIBUTE_HEADER_BYTES = 2;
/** FLOOR-REQUEST-INFORMATION, FLOOR-REQUEST-STATUS, REQUEST-STATUS: nothing in the RFC goes deeper. */
const MAX_DEPTH = 3;
const utf8 = new TextDecoder();

/**
 * The common header (RFC 8855 §5.1). Null: there is not as much of it yet.
 * @param reliable over TCP the flags mean nothing, and there are no fragments
 */
export function parseHeader(bytes: Uint8Array, reliable: boolean): ParsedHeader | null {
  if (bytes.length < HEADER_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = bytes[0]!;
  const isFragment = !reliable && (flags & 0x08) !== 0;
  if (isFragment && bytes.length < FRAGMENT_HEADER_BYTES) return null;
  return {
    version: flags >> 5,
    responder: !reliable && (flags & 0x10) !== 0,
    primitive: bytes[1]!,
    payloadBytes: 4 * view.getUint16(2),
    conferenceId: view.getUint32(4),
    transactionId: view.getUint16(8),
    userId: view.getUint16(10),
    fragment: isFragment ? { offset: 4 * view.getUint16(12), length: 4 * view.getUint16(14) } : null,
    headerBytes: isFragment ? FRAGMENT_HEADER_BYTES : HEADER_BYTES,
  };
}

/**
 * The attributes of a message's payload (RFC 8855 §5.2). Those that the RFC does not have are kept as `unknown`;
 * `unknownMandatory` are the types of those among them, at any depth, without which the message must not be taken.
 */
export function parseAttributes(payload: Uint8Array): ParsedAttributes {
  const unknownMandatory: number[] = [];
  try {
    return { ok: true, attributes: readAttributes(payload, 1, unknownMandatory), unknownMandatory };
  } catch (error) {
    if (error instanceof MalformedError) return { ok: false, reason: error.message };
    throw error;
  }
}

export function toMessage(header: MessageHeader, attributes: Attribute[]): Message {
  const { version, responder, primitive, conferenceId, transactionId, userId } = header;
  return { version, responder, primitive, conferenceId, transactionId, userId, attributes };
}

class MalformedError extends Error {}

function readAttributes(bytes: Uint8Array, depth: number, unknownMandatory: number[]): Attribute[] {
  if (depth > MAX_DEPTH) throw new MalformedError('attributes within attributes, too deep');
  const attributes: Attribute[] = [];
  let at = 0;
  while (at < bytes.length) {
    const type = bytes[at]! >> 1;
    const mandatory = (bytes[at]! & 1) !== 0;
    const length = bytes[at + 1] ?? 0;
    if (length < ATTRIBUTE_HEADER_BYTES || at + length > bytes.length) {
      throw new MalformedError(
        `attribute ${type} has a length of ${length} where ${bytes.length - at} octets are left`,
      );
    }
    const contents = bytes.subarray(at + ATTRIBUTE_HEADER_BYTES, at + length);
    const attribute = readAttribute(type, contents, depth, unknownMandatory);
    if (attribute.name === 'unknown' && mandatory) unknownMandatory.push(type);
    attributes.push(mandatory ? { ...attribute, mandatory } : attribute);
    // Padded to 4 octets, which are not counted.
    at += (length + 3) & ~3;
  }
  return attributes;
}

function readAttribute(type: number, contents: Uint8Array, depth: number, unknownMandatory: number[]): Attribute {
  const name = NAMES.get(type);
  switch (name) {
    case undefined:
      return { name: 'unknown', type, contents: contents.slice() };
    case 'beneficiaryId':
    case 'floorId':
    case 'floorRequestId':
      return { name, id: number16(name, contents) };
    case 'priority':
      return { name, priority: number16(name, contents) >> 13 };
    case 'requestStatus':
      return { name, status: number16(name, contents) >> 8, queuePosition: contents[1]! };
    case 'errorCode':
      if (contents.length === 0) throw new MalformedError('errorCode is empty');
      return { name, code: contents[0]!, details: contents.slice(1) };
    case 'supportedAttributes':
      return { name, values: [...contents].map((octet) => octet >> 1) };
    case 'supportedPrimitives':
      return { name, values: [...contents] };
    case 'beneficiaryInformation':
    case 'floorRequestInformation':
    case 'requestedByInformation':
    case 'floorRequestStatus':
    case 'overallRequestStatus': {
      const id = number16(name, contents);
      return { name, id, attributes: readAttributes(contents.subarray(2), depth + 1, unknownMandatory) };
    }
    default:
      return { name, text: utf8.decode(contents) };
  }
}

/** What stands behind it is no part of it: a later version may have put it there. */
function number16(name: string, contents: Uint8Array): number {
  if (contents.length < 2) throw new MalformedError(`${name} is too short`);
  return (contents[0]! << 8) | contents[1]!;
}
