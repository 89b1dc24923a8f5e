import { randomBytes } from 'node:crypto';
import type { SrtpSuite } from '../../mixer/protocol.ts';
import { writeRtpHeader } from '../../mixer/rtp/rtp-packet.ts';
import { SRTP_SUITES } from '../../mixer/rtp/srtp-suite.ts';

export const ALL_SUITES = Object.keys(SRTP_SUITES) as SrtpSuite[];

export function newKey(suite: SrtpSuite): string {
  const { keyLength, saltLength } = SRTP_SUITES[suite];
  return randomBytes(keyLength + saltLength).toString('base64');
}

/** Room behind the packet for tag and index. */
export interface Packet {
  data: Uint8Array;
  length: number;
}

export const PAYLOAD_LENGTH = 160;

/** Its payload is made of its sequence number, so that it can be told whether it came through whole. */
export function rtpPacket(sequenceNumber: number, ssrc = 0xcafebabe, payloadType = 0): Packet {
  const data = new Uint8Array(220);
  const headerLength = writeRtpHeader(data, payloadType, false, sequenceNumber & 0xffff, sequenceNumber * 160, ssrc);
  for (let index = 0; index < PAYLOAD_LENGTH; index++) data[headerLength + index] = (sequenceNumber + index) & 0xff;
  return { data, length: headerLength + PAYLOAD_LENGTH };
}

/** An empty receiver report and 20 octets of something. */
export function rtcpPacket(ssrc = 0xcafebabe): Packet {
  const data = new Uint8Array(80);
  new DataView(data.buffer).setUint32(0, 0x80c90001);
  new DataView(data.buffer).setUint32(4, ssrc);
  for (let index = 8; index < 28; index++) data[index] = index;
  return { data, length: 28 };
}

export function copyOf({ data, length }: Packet): Packet {
  return { data: data.slice(), length };
}
