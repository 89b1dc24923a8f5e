import { describe, expect, it } from 'vitest';
import { RtpPacket } from '../../../mixer/rtp/rtp-packet.ts';
import { PayloadList } from '../../../mixer/video/rtp/payload-list.ts';
import { SentFrames } from '../../../mixer/video/rtp/sent-frames.ts';
import { ViewerPackets } from '../../../mixer/video/rtp/viewer-packets.ts';
import { SeededRandom } from '../../sim/seeded-random.ts';
import { hex, videoFormat } from './packets.ts';

const RATE = 1_000_000;
const packet = new RtpPacket();
const out = new Uint8Array(1500);

/** A frame of packets of these lengths, filled with their running number. */
function frame(...lengths: number[]): PayloadList {
  const list = new PayloadList();
  for (const [index, length] of lengths.entries()) {
    const at = list.add(length);
    list.bytes.fill(index + 1, at, at + length);
  }
  return list;
}

function viewer(rtx: boolean, random = 0.999): ViewerPackets {
  const made = new ViewerPackets({ ssrc: 11, rtxSsrc: 12, random: () => random });
  made.configure(videoFormat('H264', true, rtx));
  return made;
}

interface Written {
  sequenceNumber: number;
  timestamp: number;
  marker: boolean;
  ssrc: number;
  payload: string;
}

function parsed(length: number): Written {
  expect(packet.parse(out, length)).toBe(true);
  const { sequenceNumber, timestamp, marker, ssrc, payloadOffset } = packet;
  return { sequenceNumber, timestamp, marker, ssrc, payload: hex(out.subarray(payloadOffset, length)) };
}

describe('what a viewer is sent', () => {
  it('has its own sequence numbers and timestamps, which wrap, and the marker at the end of a frame', () => {
    const sent = new SentFrames();
    const to = viewer(false);
    to.watch(sent, sent.add(frame(2, 1), 1000, true));
    sent.add(frame(3), 1040, false);
    expect(to.waitingOctets).toBe(6);
    expect(to.waitedMs(1060)).toBe(60);
    const written: Written[] = [];
    while (to.nextLength > 0) written.push(parsed(to.writeNext(out)));
    const first = Math.floor(0.999 * 65536);
    const offset = Math.floor(0.999 * 2 ** 32);
    expect(written).toEqual([
      { sequenceNumber: first, timestamp: (offset + 90_000) >>> 0, marker: false, ssrc: 11, payload: '0101' },
      { sequenceNumber: first + 1, timestamp: (offset + 90_000) >>> 0, marker: true, ssrc: 11, payload: '02' },
      { sequenceNumber: first + 2, timestamp: (offset + 93_600) >>> 0, marker: true, ssrc: 11, payload: '010101' },
    ]);
    expect(to).toMatchObject({ framesSent: 2, keyFramesSent: 1, waitingOctets: 0, atMs: 1040, payloadLength: 3 });
    for (let number = 0; number < 100; number++) sent.add(frame(1), 1080 + number, false);
    const numbers = Array.from({ length: 100 }, () => parsed(to.writeNext(out)).sequenceNumber);
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, index) => (first + 3 + index) & 0xffff));
  });

  it('goes on in numbers and time with another encoder; a frame that was cut leaves a gap', () => {
    const one = new SentFrames();
    const other = new SentFrames();
    const to = viewer(false, 0);
    to.watch(one, one.add(frame(1, 1), 0, true));
    expect(parsed(to.writeNext(out)).sequenceNumber).toBe(0);
    other.add(frame(1), 20, false);
    to.watch(other, other.add(frame(1), 40, true));
    expect(parsed(to.writeNext(out))).toMatchObject({ sequenceNumber: 2, timestamp: 3600 });
    to.watch(one, one.add(frame(1), 80, true));
    expect(parsed(to.writeNext(out))).toMatchObject({ sequenceNumber: 3, timestamp: 7200 });
  });

  it('leaves out what is before a key frame when the line has fallen behind', () => {
    const sent = new SentFrames();
    const to = viewer(false, 0);
    to.watch(sent, sent.add(frame(1), 0, true));
    to.writeNext(out);
    expect(to.skipToKeyFrame()).toBe(false);
    for (let number = 1; number < 10; number++) sent.add(frame(9), 40 * number, number === 7);
    expect(to.skipToKeyFrame()).toBe(true);
    expect(parsed(to.writeNext(out))).toMatchObject({ sequenceNumber: 1, timestamp: 7 * 3600 });
    expect(to.skipToKeyFrame()).toBe(false);
  });

  it('has a gap where packets were gone before they were sent', () => {
    const sent = new SentFrames();
    const to = viewer(false, 0);
    to.watch(sent, sent.add(frame(1), 0, true));
    to.writeNext(out);
    for (let number = 1; number < 6000; number++) sent.add(frame(1000), 10 * number, false);
    expect(parsed(to.writeNext(out)).sequenceNumber).toBe(sent.first & 0xffff);
    expect(to.writeAgain(1, out, 0, RATE, null)).toBe(0);
  });
});

describe('what is sent again', () => {
  function sentTen(rtx: boolean): ViewerPackets {
    const sent = new SentFrames();
    const to = viewer(rtx, 0);
    to.watch(sent, sent.add(frame(100, 200), 0, true));
    for (let number = 1; number < 10; number++) sent.add(frame(300), 40 * number, false);
    for (let number = 0; number < 10; number++) to.writeNext(out);
    return to;
  }

  it('is the packet as it was, or RTX with numbers of its own (RFC 4588 §4)', () => {
    const plain = sentTen(false);
    expect(parsed(plain.writeAgain(1, out, 500, RATE, 40))).toMatchObject({
      ...{ sequenceNumber: 1, timestamp: 0, marker: true, ssrc: 11, payload: '02'.repeat(200) },
    });
    const rtx = sentTen(true);
    expect(parsed(rtx.writeAgain(5, out, 500, RATE, 40))).toMatchObject({
      ...{ sequenceNumber: 0, timestamp: 4 * 3600, ssrc: 12, payload: `0005${'01'.repeat(300)}` },
    });
    expect(parsed(rtx.writeAgain(1, out, 500, RATE, 40))).toMatchObject({ sequenceNumber: 1, marker: true });
    expect(rtx.retransmitted).toBe(2);
  });

  it('is nothing that was not sent yet, never was, or is not there any more', () => {
    const to = sentTen(false);
    for (const number of [10, 11, 65535, 32768]) expect(to.writeAgain(number, out, 500, RATE, 40)).toBe(0);
    to.stop();
    expect(to.writeAgain(1, out, 500, RATE, 40)).toBe(0);
  });

  it('is nothing that was sent again within a round trip', () => {
    const to = sentTen(false);
    expect(to.writeAgain(1, out, 500, RATE, 40)).toBeGreaterThan(0);
    expect(to.writeAgain(1, out, 530, RATE, 40)).toBe(0);
    expect(to.writeAgain(1, out, 540, RATE, 40)).toBeGreaterThan(0);
  });

  it('takes half the bitrate at most, whatever is asked for', () => {
    const to = sentTen(true);
    let octets = 0;
    for (let nowMs = 1000; nowMs < 11_000; nowMs += 5) {
      for (let number = 0; number < 10; number++) octets += to.writeAgain(number, out, nowMs, 100_000, 0);
    }
    expect((octets * 8) / 10).toBeLessThan(60_000);
    expect((octets * 8) / 10).toBeGreaterThan(40_000);
  });
});

describe('sent frames', () => {
  it('are there for a second at least, in memory that does not grow without end', () => {
    const random = new SeededRandom(7);
    const sent = new SentFrames();
    const checks = new Map<number, string>();
    for (let nowMs = 0; nowMs < 60_000; nowMs += 40) {
      const key = nowMs % 5000 === 0;
      const lengths = Array.from({ length: key ? 100 : 1 + random.below(8) }, () => 1 + random.below(1180));
      const list = frame(...lengths);
      const first = sent.add(list, nowMs, key);
      for (const [index, length] of lengths.entries()) {
        const octet = (first + index) & 0xff;
        checks.set(first + index, hex(new Uint8Array(length).fill(index + 1)));
        expect(octet).toBeLessThan(256);
      }
      let index = sent.end - 1;
      for (; index >= 0 && sent.has(index); index--) {
        const end = sent.copy(index, out, 0);
        if (hex(out.subarray(0, end)) !== checks.get(index)) throw new Error(`packet ${index} at ${nowMs} is another`);
        if (nowMs % 1000 !== 0 && index < sent.end - 5) break;
      }
      expect(nowMs - sent.atMs(sent.first)).toBeGreaterThanOrEqual(Math.min(nowMs, 1000));
      expect(sent.keyFrameIndex < 0 || sent.inKeyFrame(sent.keyFrameIndex)).toBe(true);
    }
    expect(sent.end - sent.first).toBeLessThanOrEqual(4096);
  });

  it('counts what is to be sent', () => {
    const sent = new SentFrames();
    sent.add(frame(5, 6), 0, true);
    const second = sent.add(frame(7), 40, false);
    expect([sent.octetsFrom(0), sent.octetsFrom(1), sent.octetsFrom(second), sent.octetsFrom(3)]).toEqual([
      18, 13, 7, 0,
    ]);
  });

  it('takes no frame that no encoder would make', () => {
    const sent = new SentFrames();
    expect(() => sent.add(frame(...new Array<number>(3000).fill(1)), 0, true)).toThrow(RangeError);
    expect(sent.end).toBe(0);
  });

  it('gives up older packets where a second of them would be too much', () => {
    const sent = new SentFrames();
    for (let nowMs = 0; nowMs < 1000; nowMs++) sent.add(frame(...new Array<number>(30).fill(1180)), nowMs, nowMs === 0);
    expect(sent.end - sent.first).toBeLessThanOrEqual(4096);
    expect(sent.end - sent.first).toBeGreaterThan(4000);
    expect(sent.keyFrameIndex).toBe(-1);
  });
});
