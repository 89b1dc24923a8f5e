import { ATTRIBUTE, type Attribute, HEADER_BYTES, type Message } from './message.ts';

const MAX_ATTRIBUTE_BYTES = 255;
const MAX_PAYLOAD_BYTES = 4 * 0xffff;
const utf8 = new TextEncoder();

/** In one piece (RFC 8855 §5). Throws a RangeError when an attribute, or all, is longer than its length can say. */
export function writeMessage(message: Message): Uint8Array {
  const payload = concatenated(message.attributes.map(writeAttribute));
  if (payload.length > MAX_PAYLOAD_BYTES) throw new RangeError(`a payload of ${payload.length} octets`);
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = (message.version << 5) | (message.responder ? 0x10 : 0);
  bytes[1] = message.primitive;
  view.setUint16(2, payload.length / 4);
  view.setUint32(4, message.conferenceId);
  view.setUint16(8, message.transactionId);
  view.setUint16(10, message.userId);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/** A text of that many octets at most in UTF-8, cut between its characters. */
export function fitted(text: string, maxBytes: number): string {
  let bytes = 0;
  let fits = '';
  for (const character of text) {
    bytes += utf8.encode(character).length;
    if (bytes > maxBytes) return fits;
    fits += character;
  }
  return fits;
}

/** With its padding. */
function writeAttribute(attribute: Attribute): Uint8Array {
  const contents = contentsOf(attribute);
  const length = 2 + contents.length;
  if (length > MAX_ATTRIBUTE_BYTES) throw new RangeError(`${attribute.name} has ${length} octets`);
  const bytes = new Uint8Array((length + 3) & ~3);
  const type = attribute.name === 'unknown' ? attribute.type : ATTRIBUTE[attribute.name];
  bytes[0] = (type << 1) | (attribute.mandatory ? 1 : 0);
  bytes[1] = length;
  bytes.set(contents, 2);
  return bytes;
}

function contentsOf(attribute: Attribute): Uint8Array {
  switch (attribute.name) {
    case 'unknown':
      return attribute.contents;
    case 'beneficiaryId':
    case 'floorId':
    case 'floorRequestId':
      return number16(attribute.id);
    case 'priority':
      return number16(attribute.priority << 13);
    case 'requestStatus':
      return Uint8Array.of(attribute.status, attribute.queuePosition);
    case 'errorCode':
      return Uint8Array.of(attribute.code, ...attribute.details);
    case 'supportedAttributes':
      return Uint8Array.from(attribute.values, (type) => type << 1);
    case 'supportedPrimitives':
      return Uint8Array.from(attribute.values);
    case 'beneficiaryInformation':
    case 'floorRequestInformation':
    case 'requestedByInformation':
    case 'floorRequestStatus':
    case 'overallRequestStatus':
      // The length of a group counts the padding of what is in it (RFC 8855 §5.2).
      return concatenated([number16(attribute.id), ...attribute.attributes.map(writeAttribute)]);
    default:
      return utf8.encode(attribute.text);
  }
}

function number16(value: number): Uint8Array {
  return Uint8Array.of((value >> 8) & 0xff, value & 0xff);
}

function concatenated(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
