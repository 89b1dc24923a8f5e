import { addressOctets } from '../../address-octets.ts';

const HEADER_BYTES = 20;
const BINDING_REQUEST = 0x0001;
const BINDING_SUCCESS = 0x0101;
const MAGIC_COOKIE = 0x2112a442;
const XOR_MAPPED_ADDRESS = 0x0020;

/**
 * The answer to a STUN Binding request, by which phones keep a NAT's binding open over UDP and learn that it changed
 * (RFC 5626 §3.5.2, RFC 8489 §6.3.1): the address and port that it came from. Null when the datagram is none; no SIP
 * message begins with a zero byte.
 */
export function answerStun(bytes: Buffer, address: string, port: number): Buffer | null {
  if (bytes.length < HEADER_BYTES || bytes.readUInt16BE(0) !== BINDING_REQUEST) return null;
  if (bytes.readUInt32BE(4) !== MAGIC_COOKIE || bytes.readUInt16BE(2) !== bytes.length - HEADER_BYTES) return null;
  const octets = addressOctets(address);
  const answer = Buffer.alloc(HEADER_BYTES + 8 + octets.length);
  answer.writeUInt16BE(BINDING_SUCCESS, 0);
  answer.writeUInt16BE(8 + octets.length, 2);
  // Magic cookie and transaction identifier, which are the key of the XOR too.
  bytes.copy(answer, 4, 4, HEADER_BYTES);
  answer.writeUInt16BE(XOR_MAPPED_ADDRESS, 20);
  answer.writeUInt16BE(4 + octets.length, 22);
  answer.writeUInt16BE(octets.length === 4 ? 1 : 2, 24);
  answer.writeUInt16BE(port ^ (MAGIC_COOKIE >>> 16), 26);
  for (let at = 0; at < octets.length; at++) answer[28 + at] = octets[at]! ^ bytes[4 + at]!;
  return answer;
}
