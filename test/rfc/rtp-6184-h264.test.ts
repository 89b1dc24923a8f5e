import { describe, expect, it } from 'vitest';
import { packetizeH264 } from '../../mixer/video/rtp/h264-packetizer.ts';
import { PayloadList } from '../../mixer/video/rtp/payload-list.ts';
import { VideoReceiver } from '../../mixer/video/rtp/video-receiver.ts';
import { byteStream, hex, octets, put, videoFormat } from '../video/rtp/packets.ts';

const SPS = octets('6742e01f da014016');
const PPS = octets('68ce3c80');
const IDR = octets('6588841234');
const SLICE = octets('419a0102');

function receiver(): VideoReceiver {
  const made = new VideoReceiver();
  made.configure([videoFormat('H264', false)]);
  return made;
}

/** Payloads of one access unit, after a key frame that is whole; what comes out, and whether it was whole. */
function received(...payloads: string[]): { unit: string | null; intact: boolean; malformed: number } {
  const to = receiver();
  put(to, { payload: keyFrame(), sequenceNumber: 9, timestamp: 0, marker: true }, 0);
  expect(hex(to.next(0)!.data)).toBe(hex(byteStream(SPS, PPS, IDR)));
  for (const [index, payload] of payloads.entries()) {
    const marker = index === payloads.length - 1;
    put(to, { payload: octets(payload), sequenceNumber: 10 + index, timestamp: 3000, marker }, 40);
  }
  const unit = to.next(40);
  return { unit: unit && hex(unit.data), intact: unit?.intact ?? false, malformed: to.counters.malformed };
}

/** STAP-A of SPS, PPS and IDR. */
function keyFrame(): Uint8Array {
  const list = new PayloadList();
  packetizeH264(byteStream(SPS, PPS, IDR), 1, 1200, list);
  return list.bytes.slice(0, list.length(0));
}

function payloadsOf(unit: Uint8Array, mode: 0 | 1, maxPayload: number): string[] {
  const list = new PayloadList();
  packetizeH264(unit, mode, maxPayload, list);
  return Array.from({ length: list.count }, (_, index) =>
    hex(list.bytes.subarray(list.offset(index), list.offset(index) + list.length(index))),
  );
}

describe('RFC 6184 §5.4, table 3: which payloads are taken', () => {
  // In the modes without interleaving; types 24 and 28 belong to mode 1, and are taken in any.
  const inside = '9a010203';
  const type = (header: string) => Number.parseInt(header, 16) & 31;
  it.each([
    ['0, reserved', '00', false],
    ...Array.from({ length: 23 }, (_, index): [string, string, boolean] => {
      return [`${index + 1}, NAL unit`, (0x41 + index).toString(16), true];
    }),
    ['25, STAP-B', '59', false],
    ['26, MTAP16', '5a', false],
    ['27, MTAP24', '5b', false],
    ['29, FU-B', '5d', false],
    ['30, reserved', '5e', false],
    ['31, reserved', '5f', false],
  ])('%s', (_, header, taken) => {
    const { unit, malformed, intact } = received(`${header}${inside}`, '41800102');
    expect(malformed).toBe(taken ? 0 : 1);
    expect(intact).toBe(taken);
    // Before an IDR slice stand the parameter sets.
    const before = type(header) === 5 ? hex(byteStream(SPS, PPS)) : '';
    expect(unit).toBe(`${before}${taken ? `00000001${header}${inside}` : ''}0000000141800102`);
  });
});

describe('RFC 6184 §5.6, single NAL unit packets', () => {
  it('are the NAL unit as it is, both ways', () => {
    expect(received('419a0102')).toEqual({ unit: '00000001419a0102', intact: true, malformed: 0 });
    expect(payloadsOf(byteStream(SLICE), 1, 1200)).toEqual(['419a0102']);
  });

  it('are refused with the forbidden bit (§1.3: errors), without spoiling the rest', () => {
    expect(received('c19a0102', '41800102')).toEqual({ unit: '0000000141800102', intact: false, malformed: 1 });
  });

  it('are all there is in mode 0', () => {
    expect(payloadsOf(byteStream(SPS, PPS, IDR), 0, 1200)).toEqual([SPS, PPS, IDR].map(hex));
    expect(payloadsOf(byteStream(SPS, new Uint8Array(100).fill(0x65)), 0, 99)).toEqual([]);
  });
});

describe('RFC 6184 §5.7.1, STAP-A', () => {
  it('is type 24 with the largest NRI, and 16 bits of size before each NAL unit (figure 7)', () => {
    expect(payloadsOf(byteStream(octets('0600'), SPS, PPS), 1, 1200)).toEqual([
      // The zero that ends the first is not part of it (H.264 annex B).
      `78 0001 06 0008 6742e01fda014016 0004 68ce3c80`.replaceAll(' ', ''),
    ]);
  });

  it('is split into its NAL units', () => {
    expect(received('58 0004 419a0102 0003 410304')).toEqual({
      unit: '00000001419a010200000001410304',
      intact: true,
      malformed: 0,
    });
  });

  it('ends where the next NAL unit would be too long', () => {
    expect(payloadsOf(byteStream(SPS, PPS, IDR), 1, 1 + 2 + 8 + 2 + 4)).toEqual([
      `7800086742e01fda014016000468ce3c80`,
      hex(IDR),
    ]);
  });

  it.each([
    ['nothing in it', '58'],
    ['half a size', '5800'],
    ['a size of nothing', '580000'],
    ['a size beyond the packet', '58 0005 419a0102'],
    ['a rest that is no size', '58 0004 419a0102 00'],
    ['an aggregation within', '58 0004 589a0102'],
    ['a fragment within', '58 0004 5c9a0102'],
    ['type 0 within', '58 0004 409a0102'],
    ['damage within', '58 0004 c19a0102'],
  ])('is refused with %s', (_, payload) => {
    expect(received(payload, '41800102')).toEqual({ unit: '0000000141800102', intact: false, malformed: 1 });
  });
});

describe('RFC 6184 §5.8, FU-A', () => {
  it('has NRI and type 28 in the indicator; start, end and the type in the header (figures 14 and 15)', () => {
    const nal = octets('65 f00102030405060708');
    expect(payloadsOf(byteStream(nal), 1, 5)).toEqual(['7c85f00102', '7c05030405', '7c45060708']);
  });

  it('never has start and end in one: a NAL unit that fits is not fragmented', () => {
    expect(payloadsOf(byteStream(octets('6501020304')), 1, 5)).toEqual(['6501020304']);
    expect(payloadsOf(byteStream(octets('650102030405')), 1, 5)).toEqual(['7c85010203', '7c450405']);
  });

  it('is put together again', () => {
    expect(received('5c81 9a01', '5c01 0203', '5c41 04')).toEqual({
      unit: '00000001419a01020304',
      intact: true,
      malformed: 0,
    });
  });

  it.each([
    ['only the header', '5c81'],
    ['only the indicator', '5c'],
    ['type 0 in the header', '5c809a'],
    ['an aggregation in the header', '5c989a'],
    ['FU-B', '5d81123400'],
  ])('is refused with %s', (_, payload) => {
    expect(received(payload, '41800102')).toEqual({ unit: '0000000141800102', intact: false, malformed: 1 });
  });

  it('is of no use without its beginning', () => {
    expect(received('5c01 0203', '5c41 04', '41800102')).toEqual({
      unit: '0000000141800102',
      intact: false,
      malformed: 0,
    });
  });

  it('is given up to where it breaks off, if it is a slice, and else not at all', () => {
    expect(received('5c81 9a01', '41800102')).toEqual({
      unit: '00000001419a010000000141800102',
      intact: false,
      malformed: 0,
    });
    expect(received('5c87 42e0', '41800102')).toEqual({ unit: '0000000141800102', intact: false, malformed: 0 });
    // Another type than it began with.
    expect(received('5c87 42e0', '5c41 04', '41800102')).toMatchObject({ unit: '0000000141800102', intact: false });
  });
});

describe('RFC 6184 §8.1, sprop-parameter-sets', () => {
  const signalling = (...sets: Uint8Array[]) => ({
    ...videoFormat('H264', false),
    parameterSets: sets.map((set) => Buffer.from(set).toString('base64')).join(','),
  });

  it('are those of the format that comes, of several', () => {
    const otherSps = octets('6742000a9653058988');
    const formats = [
      { ...signalling(otherSps, PPS), payloadType: 100 },
      signalling(SPS, PPS),
      { ...videoFormat('H264', false), payloadType: 101 },
    ];
    for (const order of [formats, formats.toReversed()]) {
      const to = new VideoReceiver();
      to.configure(order);
      put(to, { payload: IDR, sequenceNumber: 1, timestamp: 0, marker: true }, 0);
      expect(hex(to.next(0)!.data)).toBe(hex(byteStream(SPS, PPS, IDR)));
      put(to, { payload: IDR, sequenceNumber: 2, timestamp: 3000, marker: true, payloadType: 100 }, 0);
      expect(hex(to.next(0)!.data)).toContain(hex(otherSps));
    }
    // Of one without any nothing is known before they come in the stream.
    const to = new VideoReceiver();
    to.configure(formats);
    put(to, { payload: IDR, sequenceNumber: 1, timestamp: 0, marker: true, payloadType: 101 }, 0);
    expect([to.next(100), to.keyFrameNeeded]).toEqual([null, true]);
  });

  it('that are no base64 are passed over, though something could be made of them', () => {
    const to = new VideoReceiver();
    const [sps, pps] = [SPS, PPS].map((set) => Buffer.from(set).toString('base64'));
    to.configure([{ ...videoFormat('H264', false), parameterSets: `<${sps}>,${pps}` }]);
    put(to, { payload: IDR, sequenceNumber: 1, timestamp: 0, marker: true }, 0);
    expect(to.next(100)).toBeNull();
  });

  it('go before a key frame that has none', () => {
    const to = new VideoReceiver();
    to.configure([signalling(SPS, PPS)]);
    put(to, { payload: IDR, sequenceNumber: 1, timestamp: 0, marker: true }, 0);
    put(to, { payload: SLICE, sequenceNumber: 2, timestamp: 3000, marker: true }, 0);
    expect(hex(to.next(0)!.data)).toBe(hex(byteStream(SPS, PPS, IDR)));
    expect(hex(to.next(0)!.data)).toBe(hex(byteStream(SLICE)));
  });

  it('of the RFC itself (§8.2.1) are read', () => {
    const to = new VideoReceiver();
    to.configure([{ ...videoFormat('H264', false), parameterSets: 'Z0IACpZTBYmI,aMljiA==' }]);
    put(to, { payload: IDR, sequenceNumber: 1, timestamp: 0, marker: true }, 0);
    expect(hex(to.next(0)!.data)).toBe(hex(byteStream(octets('6742000a9653058988'), octets('68c96388'), IDR)));
  });

  it.each(['', ',', '%%%', 'Z0I', 'AAAA,/////w==', 'QQ=='.repeat(500)])('that are nonsense do no harm: %s', (text) => {
    const to = new VideoReceiver();
    to.configure([{ ...videoFormat('H264', false), parameterSets: text }]);
    put(to, { payload: keyFrame(), sequenceNumber: 1, timestamp: 0, marker: true }, 0);
    expect(hex(to.next(0)!.data)).toBe(hex(byteStream(SPS, PPS, IDR)));
  });

  it('and none at all: a key frame that cannot be decoded is not given out, but asked for again', () => {
    const to = receiver();
    put(to, { payload: IDR, sequenceNumber: 1, timestamp: 0, marker: true }, 0);
    // They could have been overtaken by it.
    expect(to.next(0)).toBe(null);
    expect(to.keyFrameNeeded).toBe(false);
    expect(to.next(40)).toBe(null);
    expect(to.keyFrameNeeded).toBe(true);
  });
});
