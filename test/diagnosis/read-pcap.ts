import assert from 'node:assert/strict';

export interface CapturedDatagram {
  atMs: number;
  version: 4 | 6;
  source: string;
  destination: string;
  sourcePort: number;
  destinationPort: number;
  text: string;
}

/** Reads a capture of raw IP packets with UDP, and checks each of their checksums; shares nothing with the writer. */
export function capturedIn(file: Buffer): CapturedDatagram[] {
  assert.equal(file.readUInt32LE(0), 0xa1b2c3d4);
  assert.deepEqual([file.readUInt16LE(4), file.readUInt16LE(6), file.readUInt32LE(20)], [2, 4, 101]);
  const found: CapturedDatagram[] = [];
  for (let at = 24; at < file.length; ) {
    const atMs = file.readUInt32LE(at) * 1000 + file.readUInt32LE(at + 4) / 1000;
    const length = file.readUInt32LE(at + 8);
    assert.equal(file.readUInt32LE(at + 12), length);
    found.push({ atMs, ...datagram(file.subarray(at + 16, at + 16 + length)) });
    at += 16 + length;
  }
  return found;
}

function datagram(packet: Buffer): Omit<CapturedDatagram, 'atMs'> {
  const version = (packet[0]! >> 4) as 4 | 6;
  const [headerLength, addressAt, addressLength] = version === 4 ? [20, 12, 4] : [40, 8, 16];
  const total = version === 4 ? packet.readUInt16BE(2) : packet.readUInt16BE(4) + 40;
  assert.equal(total, packet.length);
  assert.equal(packet[version === 4 ? 9 : 6], 17);
  if (version === 4) assert.equal(sumOf(packet.subarray(0, 20)), 0xffff);
  const addresses = packet.subarray(addressAt, addressAt + 2 * addressLength);
  const udp = packet.subarray(headerLength);
  assert.equal(udp.readUInt16BE(4), udp.length);
  const pseudo = Buffer.from([0, 17, udp.length >> 8, udp.length & 255]);
  assert.equal(sumOf(Buffer.concat([addresses, pseudo, udp])), 0xffff);
  const shown = (octets: Buffer) => (version === 4 ? octets.join('.') : octets.toString('hex'));
  return {
    version,
    source: shown(addresses.subarray(0, addressLength)),
    destination: shown(addresses.subarray(addressLength)),
    sourcePort: udp.readUInt16BE(0),
    destinationPort: udp.readUInt16BE(2),
    text: udp.subarray(8).toString('utf8'),
  };
}

/** One's complement sum of 16-bit words (RFC 1071); 0xffff over anything with a right checksum in it. */
function sumOf(bytes: Buffer): number {
  let sum = 0;
  const even = bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(1)]);
  for (let at = 0; at < even.length; at += 2) {
    sum += even.readUInt16BE(at);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum;
}
