import { describe, expect, it } from 'vitest';
import { packetizeH264 } from '../../../mixer/video/rtp/h264-packetizer.ts';
import { PayloadList } from '../../../mixer/video/rtp/payload-list.ts';
import { VideoReceiver } from '../../../mixer/video/rtp/video-receiver.ts';
import { collectGarbage } from '../../bench/collect-garbage.ts';
import { byteStream, H264_TYPE, hex, octets, put, RTX_TYPE, VP8_TYPE, videoFormat } from './packets.ts';

const SPS = octets('6742e01fda014016');
const OTHER_SPS = octets('6742e028da014016');
const PPS = octets('68ce3c80');
const KEY_NALS = [SPS, PPS, octets('6588841234')];
/** In one packet: STAP-A. */
const KEY = aggregate(byteStream(...KEY_NALS));
const FRAME_TICKS = 3600;

function aggregate(unit: Uint8Array): Uint8Array {
  const list = new PayloadList();
  packetizeH264(unit, 1, 1200, list);
  if (list.count !== 1) throw new Error('more than one packet');
  return list.bytes.slice(0, list.length(0));
}

/** A slice that is the first of its picture, told from others by its number. */
function slice(number: number): Uint8Array {
  return Uint8Array.of(0x41, 0x9a, 1 + (number >> 8), number & 0xff);
}

class Stream {
  readonly receiver = new VideoReceiver();
  readonly lost = new Uint16Array(64);
  sequence: number;
  timestamp: number;
  ssrc = 1;
  nowMs = 1000;

  constructor({ nack = false, sequence = 100, timestamp = 0 } = {}) {
    this.receiver.configure([videoFormat('H264', nack), videoFormat('VP8', nack)]);
    this.sequence = sequence;
    this.timestamp = timestamp;
  }

  /** The next frame in one packet; then 40 ms pass. */
  frame(payload: Uint8Array, { lost = false } = {}): void {
    if (!lost) this.packet(payload, this.sequence, this.timestamp, true);
    this.sequence++;
    this.timestamp = (this.timestamp + FRAME_TICKS) >>> 0;
    this.nowMs += 40;
  }

  packet(
    payload: Uint8Array,
    sequenceNumber: number,
    timestamp: number,
    marker: boolean,
    payloadType = H264_TYPE,
  ): void {
    put(this.receiver, { payload, sequenceNumber, timestamp, marker, ssrc: this.ssrc, payloadType }, this.nowMs);
  }

  /** What is ready by now, in hexadecimal. */
  ready(): string[] {
    const units: string[] = [];
    for (let unit = this.receiver.next(this.nowMs); unit !== null; unit = this.receiver.next(this.nowMs)) {
      units.push(`${hex(unit.data)}${unit.intact ? '' : ' broken'}${unit.afterLoss ? ' after loss' : ''}`);
    }
    return units;
  }

  nacks(): number[] {
    return [...this.lost.subarray(0, this.receiver.nacks(this.nowMs, this.lost))];
  }
}

const KEY_UNIT = hex(byteStream(...KEY_NALS));
const unitOf = (number: number): string => `00000001${hex(slice(number))}`;

describe('order', () => {
  it('is that of sequence numbers, and both they and timestamps wrap', () => {
    const stream = new Stream({ sequence: 0xfffa, timestamp: 0xffffc000 });
    stream.frame(KEY);
    expect(stream.ready()).toEqual([KEY_UNIT]);
    for (let number = 0; number < 12; number++) {
      stream.frame(slice(number));
      expect(stream.ready()).toEqual([unitOf(number)]);
    }
    expect(stream.receiver.counters.lost).toBe(0);
  });

  it('is kept where packets overtake each other, even at the very start', () => {
    const stream = new Stream();
    stream.packet(slice(1), 102, FRAME_TICKS, true);
    stream.packet(KEY_NALS[2]!, 101, 0, true);
    stream.packet(aggregate(byteStream(SPS, PPS)), 100, 0, false);
    expect(stream.ready()).toEqual([KEY_UNIT, unitOf(1)]);
  });

  it('goes on through 200 000 packets', () => {
    const stream = new Stream();
    stream.frame(KEY);
    for (let number = 0; number < 200_000; number++) {
      stream.frame(slice(number & 0xfff));
      stream.receiver.next(stream.nowMs);
    }
    stream.receiver.next(stream.nowMs);
    expect(stream.receiver).toMatchObject({ units: 200_001, brokenUnits: 0, keyFrameNeeded: false });
  });
});

describe('the end of a frame', () => {
  it('is where the timestamp changes, if there is no marker', () => {
    const stream = new Stream();
    stream.packet(KEY, 1, 0, false);
    expect(stream.ready()).toEqual([]);
    stream.packet(slice(1), 2, 3600, false);
    expect(stream.ready()).toEqual([KEY_UNIT]);
  });

  it('is not believed of a sender that marks each packet', () => {
    const stream = new Stream();
    const second = octets('4141aa');
    stream.frame(KEY);
    for (let number = 0; number < 5; number++) {
      stream.packet(slice(number), 101 + 2 * number, 3600 * (number + 1), true);
      stream.packet(second, 102 + 2 * number, 3600 * (number + 1), true);
      stream.ready();
    }
    stream.packet(slice(9), 111, 3600 * 6, true);
    expect(stream.ready()).toEqual([`${unitOf(4)}00000001${hex(second)}`]);
  });

  it('is where it is with packets that carry nothing, be they within or after it', () => {
    const stream = new Stream();
    stream.packet(KEY, 100, 0, true);
    stream.packet(new Uint8Array(0), 101, 0, false);
    stream.packet(slice(1), 102, 3600, false);
    stream.packet(new Uint8Array(0), 103, 3600, false);
    stream.packet(octets('4141aa'), 104, 3600, true);
    stream.packet(new Uint8Array(0), 105, 3600, true);
    stream.packet(slice(2), 106, 7200, true);
    expect(stream.ready()).toEqual([KEY_UNIT, `${unitOf(1)}000000014141aa`, unitOf(2)]);
  });
});

describe('a loss', () => {
  it('is waited for 40 ms without NACK, and then said; a key frame ends it', () => {
    const stream = new Stream();
    stream.frame(KEY);
    stream.frame(slice(1), { lost: true });
    stream.frame(slice(2));
    stream.nowMs -= 5;
    expect(stream.ready()).toEqual([KEY_UNIT]);
    expect(stream.receiver.keyFrameNeeded).toBe(false);
    stream.nowMs += 5;
    expect(stream.ready()).toEqual([`${unitOf(2)} after loss`]);
    expect(stream.receiver.keyFrameNeeded).toBe(true);
    stream.frame(slice(3));
    expect(stream.ready()).toEqual([`${unitOf(3)} after loss`]);
    stream.frame(KEY);
    stream.frame(slice(4));
    expect(stream.ready()).toEqual([KEY_UNIT, unitOf(4)]);
    expect(stream.receiver.keyFrameNeeded).toBe(false);
    expect(stream.nacks()).toEqual([]);
  });

  it('is asked for with NACK: at once when more came after it, again after a round trip, and it may come as RTX', () => {
    const stream = new Stream({ nack: true });
    stream.receiver.roundTripMs = 50;
    stream.frame(KEY);
    stream.packet(slice(3), 103, 3600, false);
    expect(stream.nacks()).toEqual([101]);
    expect(stream.nacks()).toEqual([]);
    stream.nowMs += 10;
    expect(stream.nacks()).toEqual([102]);
    stream.nowMs += 50;
    expect(stream.nacks()).toEqual([101]);
    stream.nowMs += 30;
    const rtx = Uint8Array.of(0, 101, ...slice(1));
    put(
      stream.receiver,
      { payload: rtx, sequenceNumber: 7, timestamp: 3600, ssrc: 99, payloadType: RTX_TYPE },
      stream.nowMs,
    );
    stream.packet(slice(2), 102, 3600, false);
    stream.packet(slice(4), 104, 3600, true);
    expect(stream.ready()).toEqual([KEY_UNIT, [1, 2, 3, 4].map(unitOf).join('')]);
    expect(stream.receiver).toMatchObject({ nacked: 3, recovered: 2, ssrc: 1 });
  });

  it('is not asked for ten times when nobody answers, and then only waited for 40 ms', () => {
    const stream = new Stream({ nack: true });
    stream.frame(KEY);
    let nacks = 0;
    for (let number = 0; number < 60; number++) {
      stream.frame(slice(number), { lost: number % 2 === 0 });
      stream.ready();
      nacks += stream.nacks().length;
    }
    expect(nacks).toBeGreaterThan(20);
    stream.frame(slice(60), { lost: true });
    stream.frame(slice(61));
    stream.nowMs += 5;
    expect(stream.ready()).toEqual([`${unitOf(61)} after loss`]);
  });

  it('of hundreds is not asked for, nor waited for: a key frame is there sooner', () => {
    const stream = new Stream({ nack: true });
    stream.frame(KEY);
    stream.sequence += 500;
    stream.frame(slice(1));
    expect(stream.nacks()).toEqual([]);
    expect(stream.ready()).toEqual([KEY_UNIT, `${unitOf(1)} after loss`]);
    expect(stream.receiver).toMatchObject({ keyFrameNeeded: true, counters: { lost: 500 } });
  });

  it('is passed over at once by a key frame that is whole', () => {
    const stream = new Stream({ nack: true });
    stream.receiver.roundTripMs = 20;
    stream.frame(KEY);
    stream.frame(slice(1), { lost: true });
    stream.frame(slice(2));
    stream.frame(KEY);
    expect(stream.ready()).toEqual([KEY_UNIT, KEY_UNIT]);
    expect(stream.receiver.counters.lost).toBe(1);
  });

  it('of parameter sets before a key frame makes it a broken one', () => {
    const stream = new Stream();
    stream.frame(KEY);
    expect(stream.ready()).toHaveLength(1);
    stream.sequence++;
    stream.frame(KEY_NALS[2]!);
    stream.nowMs += 50;
    expect(stream.ready()).toEqual([`${KEY_UNIT} broken after loss`]);
    expect(stream.receiver.keyFrameNeeded).toBe(true);
  });

  it('before the first key frame: nothing comes out, and one is asked for', () => {
    const stream = new Stream();
    stream.frame(slice(1));
    expect(stream.ready()).toEqual([]);
    expect(stream.receiver).toMatchObject({ keyFrameNeeded: true, droppedUnits: 1 });
  });

  it('of what follows is nothing that the decoder wants, once it has asked for a key frame', () => {
    const stream = new Stream();
    stream.frame(KEY);
    stream.ready();
    stream.receiver.requireKeyFrame();
    stream.frame(slice(1));
    expect(stream.ready()).toEqual([]);
    expect(stream.receiver.keyFrameNeeded).toBe(true);
    stream.frame(KEY);
    expect(stream.ready()).toEqual([KEY_UNIT]);
  });
});

describe('parameter sets', () => {
  it('that come in a frame of their own go with the next unit', () => {
    const stream = new Stream();
    stream.frame(aggregate(byteStream(SPS, PPS)));
    stream.frame(KEY_NALS[2]!);
    stream.frame(slice(1));
    expect(stream.ready()).toEqual([KEY_UNIT, unitOf(1)]);
    stream.frame(OTHER_SPS);
    stream.frame(KEY_NALS[2]!);
    expect(stream.ready()).toEqual([hex(byteStream(OTHER_SPS, PPS, KEY_NALS[2]!))]);
  });

  it('in the stream replace those of signalling', () => {
    const stream = new Stream();
    const base64 = (set: Uint8Array) => Buffer.from(set).toString('base64');
    const parameterSets = `${base64(OTHER_SPS)},${base64(PPS)}`;
    stream.receiver.configure([{ ...videoFormat('H264', false), parameterSets }]);
    stream.frame(SPS);
    stream.frame(KEY_NALS[2]!);
    expect(stream.ready()).toEqual([KEY_UNIT]);
  });

  it('with a recovery point make a picture that is no IDR one to begin with', () => {
    const stream = new Stream();
    stream.packet(aggregate(byteStream(SPS, PPS, octets('0601010206018480'))), 100, 0, false);
    stream.packet(slice(1), 101, 0, true);
    expect(stream.receiver.next(stream.nowMs)).toMatchObject({ keyFrame: true, intact: true });
  });
});

describe('another stream', () => {
  it('begins with two packets of another SSRC in sequence, of which none is lost; a stray one changes nothing', () => {
    const stream = new Stream();
    stream.frame(KEY);
    stream.ready();
    stream.ssrc = 2;
    stream.packet(octets('419affff'), 5000, 9, true);
    stream.ssrc = 1;
    stream.frame(slice(1));
    expect(stream.ready()).toEqual([unitOf(1)]);
    stream.ssrc = 2;
    stream.sequence = 40_000;
    stream.frame(KEY);
    expect(stream.ready()).toEqual([]);
    stream.frame(slice(2));
    expect(stream.ready()).toEqual([KEY_UNIT, unitOf(2)]);
    expect(stream.receiver).toMatchObject({ ssrc: 2, counters: { resets: 1, lost: 0 } });
  });

  it('begins where the sequence numbers jump', () => {
    const stream = new Stream();
    stream.frame(KEY);
    stream.ready();
    stream.sequence = 30_000;
    stream.frame(KEY);
    stream.frame(slice(1));
    expect(stream.ready()).toEqual([KEY_UNIT, unitOf(1)]);
  });

  it('may have the other codec', () => {
    const stream = new Stream();
    stream.frame(KEY);
    stream.packet(octets('10b102001122'), 101, 3600, true, VP8_TYPE);
    stream.packet(octets('101002009d012a8002680100'), 102, 7200, true, VP8_TYPE);
    expect(stream.ready()).toEqual([KEY_UNIT, '1002009d012a8002680100']);
  });

  it('is forgotten with reset, and payload types that were not negotiated are passed over', () => {
    const stream = new Stream();
    stream.frame(KEY);
    stream.receiver.reset();
    expect(stream.receiver.ssrc).toBe(null);
    stream.packet(KEY, 7, 0, true, 50);
    expect(stream.receiver.counters.received).toBe(1);
    expect([H264_TYPE, RTX_TYPE, 50].map((type) => stream.receiver.kindOf(type))).toEqual(['media', null, null]);
  });
});

describe('memory', () => {
  it('is bounded when a frame never ends, and the stream comes back with a key frame', () => {
    const stream = new Stream({ nack: true });
    stream.frame(KEY);
    const long = new Uint8Array(60_000).fill(0x41);
    for (let number = 0; number < 2000; number++) {
      stream.packet(long, 101 + number, 3600, false);
      stream.ready();
    }
    collectGarbage();
    expect(process.memoryUsage().arrayBuffers).toBeLessThan(64 * 2 ** 20);
    expect(stream.receiver.keyFrameNeeded).toBe(true);
    stream.sequence = 2101;
    stream.timestamp = 9999;
    stream.frame(KEY);
    stream.frame(slice(1));
    expect(stream.ready()).toEqual([KEY_UNIT, unitOf(1)]);
  });

  it('is bounded when nobody takes what comes', () => {
    const stream = new Stream();
    for (let number = 0; number < 10_000; number++) stream.frame(slice(number & 0xfff));
    expect(stream.receiver.counters.resets).toBe(4);
  });

  it('takes a frame of 2 MB, and none that is longer', () => {
    const stream = new Stream();
    stream.frame(KEY);
    stream.ready();
    const lengths: (number | undefined)[] = [];
    for (const octetsInAll of [2_000_000, 2_200_000]) {
      const list = new PayloadList();
      const nal = new Uint8Array(octetsInAll).fill(0x41);
      nal[1] = 0x9a;
      packetizeH264(byteStream(nal), 1, 1400, list);
      for (let index = 0; index < list.count; index++) {
        const at = list.offset(index);
        const payload = list.bytes.slice(at, at + list.length(index));
        stream.packet(payload, stream.sequence++, stream.timestamp, index === list.count - 1);
      }
      stream.timestamp += 3600;
      lengths.push(stream.receiver.next(stream.nowMs)?.data.length);
    }
    expect(lengths).toEqual([2_000_004, undefined]);
    expect(stream.receiver.keyFrameNeeded).toBe(true);
  });
});
