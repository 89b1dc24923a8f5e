/** RTCP as the tests' own clients write and read it (RFC 3550 §6, RFC 4585 §6, RFC 5104 §4). Shares no code with the mixer. */

/** Milliseconds of `performance.now()` as milliseconds since 1970. */
export const wallClockMs = (monotonicMs: number): number => performance.timeOrigin + monotonicMs;

const SECONDS_1900_TO_1970 = 2_208_988_800;

export type RtcpReport =
  | { type: 'SR'; ssrc: number; wallMs: number; rtpTimestamp: number }
  | { type: 'RR'; ssrc: number; blocks: { ssrc: number; fractionLost: number }[] }
  | { type: 'NACK'; ssrc: number; sequenceNumbers: number[] }
  | { type: 'PLI'; ssrc: number }
  | { type: 'FIR'; ssrc: number }
  | { type: 'TMMBR' | 'TMMBN'; ssrc: number }
  | { type: 'REMB'; ssrc: number; bitrateBps: number }
  | { type: 'BYE'; ssrc: number }
  | { type: 'SDES'; cname: string };

function packet(payloadType: number, count: number, body: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head[0] = 0x80 | count;
  head[1] = payloadType;
  head.writeUInt16BE(body.length / 4, 2);
  return Buffer.concat([head, body]);
}

const words = (...values: number[]): Buffer => {
  const body = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => {
    body.writeUInt32BE(value >>> 0, 4 * index);
  });
  return body;
};

function description(ssrc: number, cname: string): Buffer {
  const text = Buffer.from(cname);
  const item = Buffer.concat([Buffer.from([1, text.length]), text]);
  const padded = Buffer.alloc(Math.ceil((item.length + 1) / 4) * 4);
  item.copy(padded);
  return packet(202, 1, Buffer.concat([words(ssrc), padded]));
}

export interface SenderReport {
  ssrc: number;
  cname: string;
  /** Milliseconds since 1970 and the RTP timestamp of the same moment. */
  wallMs: number;
  rtpTimestamp: number;
  packets: number;
  octets: number;
}

export function writeSenderReport({ ssrc, cname, wallMs, rtpTimestamp, packets, octets }: SenderReport): Buffer {
  const seconds = Math.floor(wallMs / 1_000);
  const fraction = Math.floor(((wallMs - 1_000 * seconds) / 1_000) * 2 ** 32);
  const report = words(ssrc, seconds + SECONDS_1900_TO_1970, fraction, rtpTimestamp, packets, octets);
  return Buffer.concat([packet(200, 0, report), description(ssrc, cname)]);
}

/** Feedback goes after a report in a compound packet (RFC 3550 §6.1): an empty receiver report. */
const compound = (ssrc: number, cname: string, feedback: Buffer): Buffer =>
  Buffer.concat([packet(201, 0, words(ssrc)), description(ssrc, cname), feedback]);

export function writeNack(ssrc: number, cname: string, media: number, sequenceNumbers: readonly number[]): Buffer {
  const entries = sequenceNumbers.map((number) => (number << 16) >>> 0);
  return compound(ssrc, cname, packet(205, 1, words(ssrc, media, ...entries)));
}

export function writePli(ssrc: number, cname: string, media: number): Buffer {
  return compound(ssrc, cname, packet(206, 1, words(ssrc, media)));
}

export function writeFir(ssrc: number, cname: string, media: number, sequenceNumber: number): Buffer {
  return compound(ssrc, cname, packet(206, 4, words(ssrc, 0, media, (sequenceNumber << 24) >>> 0)));
}

export function writeReceiverReport(ssrc: number, cname: string, media: number, fractionLost: number): Buffer {
  const lost = (Math.round(fractionLost * 256) << 24) >>> 0;
  return Buffer.concat([packet(201, 1, words(ssrc, media, lost, 0, 0, 0, 0)), description(ssrc, cname)]);
}

/** All reports of a compound packet that are known here. */
export function readRtcp(data: Buffer): RtcpReport[] {
  const reports: RtcpReport[] = [];
  for (let offset = 0; offset + 8 <= data.length; ) {
    const length = 4 * (data.readUInt16BE(offset + 2) + 1);
    if (offset + length > data.length) break;
    const report = readOne(data[offset + 1]!, data[offset]! & 0x1f, data.subarray(offset, offset + length));
    if (report) reports.push(report);
    offset += length;
  }
  return reports;
}

function readOne(payloadType: number, count: number, data: Buffer): RtcpReport | null {
  const ssrc = data.readUInt32BE(4);
  if (payloadType === 200) {
    const wallMs = 1_000 * (data.readUInt32BE(8) - SECONDS_1900_TO_1970 + data.readUInt32BE(12) / 2 ** 32);
    return { type: 'SR', ssrc, wallMs, rtpTimestamp: data.readUInt32BE(16) };
  }
  if (payloadType === 201) {
    const blocks = Array.from({ length: count }, (_, index) => ({
      ssrc: data.readUInt32BE(8 + 24 * index),
      fractionLost: data[12 + 24 * index]! / 256,
    }));
    return { type: 'RR', ssrc, blocks };
  }
  if (payloadType === 202 && data[8] === 1) return { type: 'SDES', cname: data.toString('utf8', 10, 10 + data[9]!) };
  if (payloadType === 203) return { type: 'BYE', ssrc };
  if (payloadType === 205 && count === 1) return { type: 'NACK', ssrc, sequenceNumbers: nacked(data) };
  if (payloadType === 205 && count === 3) return { type: 'TMMBR', ssrc };
  if (payloadType === 205 && count === 4) return { type: 'TMMBN', ssrc };
  if (payloadType === 206 && count === 1) return { type: 'PLI', ssrc };
  if (payloadType === 206 && count === 4) return { type: 'FIR', ssrc };
  if (payloadType === 206 && count === 15 && data.toString('latin1', 12, 16) === 'REMB') {
    const mantissa = ((data[17]! & 0x03) << 16) | data.readUInt16BE(18);
    return { type: 'REMB', ssrc, bitrateBps: mantissa * 2 ** (data[17]! >> 2) };
  }
  return null;
}

function nacked(data: Buffer): number[] {
  const numbers: number[] = [];
  for (let offset = 12; offset + 4 <= data.length; offset += 4) {
    const first = data.readUInt16BE(offset);
    const more = data.readUInt16BE(offset + 2);
    numbers.push(first);
    for (let bit = 0; bit < 16; bit++) if ((more >> bit) & 1) numbers.push((first + bit + 1) & 0xffff);
  }
  return numbers;
}
