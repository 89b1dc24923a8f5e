import { isIPv6 } from 'node:net';
import { addressOctets } from '../address-octets.ts';

export interface Datagram {
  /** Milliseconds since 1970. */
  atMs: number;
  sourceAddress: string;
  sourcePort: number;
  destinationAddress: string;
  destinationPort: number;
  payload: Uint8Array;
}

/** Raw IP, version 4 or 6 by the packet's first octet: what Wireshark, tshark, tcpdump and sngrep all read. */
const LINKTYPE_RAW = 101;
const MAGIC = 0xa1b2c3d4;
const UDP = 17;
const UDP_HEADER_BYTES = 8;
const MOST_PAYLOAD_BYTES = 65_535 - 20 - UDP_HEADER_BYTES;

/** A capture file (pcap, version 2.4) of datagrams, under IP and UDP headers that are made up for it. */
export function pcapOf(datagrams: readonly Datagram[]): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(0x40000, 16);
  header.writeUInt32LE(LINKTYPE_RAW, 20);
  return Buffer.concat([header, ...datagrams.flatMap(recordOf)]);
}

function recordOf(datagram: Datagram): Buffer[] {
  const packet = ipPacket(datagram);
  const header = Buffer.alloc(16);
  header.writeUInt32LE(Math.floor(datagram.atMs / 1000), 0);
  header.writeUInt32LE(Math.round((datagram.atMs % 1000) * 1000), 4);
  header.writeUInt32LE(packet.length, 8);
  header.writeUInt32LE(packet.length, 12);
  return [header, packet];
}

function ipPacket({ sourceAddress, destinationAddress, ...datagram }: Datagram): Buffer {
  const sixth = isIPv6(sourceAddress) || isIPv6(destinationAddress);
  const octets = (address: string) => addressOctets(sixth && !isIPv6(address) ? `::ffff:${address}` : address);
  const source = octets(sourceAddress);
  const destination = octets(destinationAddress);
  const udp = udpDatagram(datagram);
  // RFC 768: with the addresses, over the lengths; zero would mean that there is none.
  const pseudo = Buffer.alloc(4);
  pseudo.writeUInt16BE(UDP, 0);
  pseudo.writeUInt16BE(udp.length, 2);
  udp.writeUInt16BE(checksum(Buffer.concat([source, destination, pseudo, udp])) || 0xffff, 6);
  return Buffer.concat([
    sixth ? header6(udp.length) : header4(udp.length, source, destination),
    source,
    destination,
    udp,
  ]);
}

function udpDatagram({ sourcePort, destinationPort, payload }: Omit<Datagram, 'sourceAddress' | 'destinationAddress'>) {
  const shown = payload.subarray(0, MOST_PAYLOAD_BYTES);
  const header = Buffer.alloc(UDP_HEADER_BYTES);
  header.writeUInt16BE(sourcePort, 0);
  header.writeUInt16BE(destinationPort, 2);
  header.writeUInt16BE(UDP_HEADER_BYTES + shown.length, 4);
  return Buffer.concat([header, shown]);
}

/** RFC 791 §3.1, up to the addresses. */
function header4(udpLength: number, source: Uint8Array, destination: Uint8Array): Buffer {
  const header = Buffer.alloc(12);
  header[0] = 0x45;
  header.writeUInt16BE(20 + udpLength, 2);
  header[8] = 64;
  header[9] = UDP;
  header.writeUInt16BE(checksum(Buffer.concat([header, source, destination])), 10);
  return header;
}

/** RFC 8200 §3, up to the addresses. */
function header6(udpLength: number): Buffer {
  const header = Buffer.alloc(8);
  header[0] = 0x60;
  header.writeUInt16BE(udpLength, 4);
  header[6] = UDP;
  header[7] = 64;
  return header;
}

/** RFC 1071. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let index = 0; index < bytes.length; index += 2) sum += (bytes[index]! << 8) | (bytes[index + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
