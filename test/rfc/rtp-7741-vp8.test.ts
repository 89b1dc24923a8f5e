import { describe, expect, it } from 'vitest';
import { PayloadList } from '../../mixer/video/rtp/payload-list.ts';
import { VideoReceiver } from '../../mixer/video/rtp/video-receiver.ts';
import { packetizeVp8 } from '../../mixer/video/rtp/vp8-packetizer.ts';
import { hex, octets, put, VP8_TYPE, videoFormat } from '../video/rtp/packets.ts';

/** Frame tag of a key frame, start code, 640 × 360. */
const KEY = '1002009d012a8002680100';
const INTER = 'b10200112233';

function receiver(): VideoReceiver {
  const made = new VideoReceiver();
  made.configure([videoFormat('VP8', false)]);
  return made;
}

/** One unit of these payloads, after a key frame. */
function received(...payloads: string[]): { unit: string | null; malformed: number } {
  const to = receiver();
  const type = { payloadType: VP8_TYPE };
  put(to, { ...type, payload: octets(`10${KEY}`), sequenceNumber: 9, timestamp: 0, marker: true }, 0);
  expect(to.next(0)).toMatchObject({ keyFrame: true, intact: true });
  for (const [index, payload] of payloads.entries()) {
    const marker = index === payloads.length - 1;
    put(to, { ...type, payload: octets(payload), sequenceNumber: 10 + index, timestamp: 3000, marker }, 40);
  }
  const unit = to.next(40);
  return { unit: unit && hex(unit.data), malformed: to.counters.malformed };
}

describe('RFC 7741 §4.2, payload descriptor', () => {
  it.each([
    ['one octet', `10`],
    ['extended, with nothing', `90 00`],
    ['PictureID of 7 bits', `90 80 11`],
    ['PictureID of 15 bits', `90 80 9234`],
    ['TL0PICIDX', `90 40 07`],
    ['TID and Y', `90 20 60`],
    ['KEYIDX', `90 10 1f`],
    ['TID and KEYIDX, which share an octet', `90 30 7f`],
    ['all, short', `90 f0 11 07 7f`],
    ['all, long', `90 f0 9234 07 7f`],
    ['not used for reference', `b0 80 11`],
    ['reserved bits', '50'],
  ])('%s', (_, descriptor) => {
    expect(received(`${descriptor}${INTER}`)).toEqual({ unit: INTER, malformed: 0 });
  });

  it.each([
    ['no extension', '90'],
    ['no PictureID', '9080'],
    ['half a PictureID', '908092'],
    ['no TL0PICIDX', '9040'],
    ['nothing after it', '90f092340760'],
    ['no payload', '10'],
  ])('is refused with %s', (_, payload) => {
    expect(received(payload, `00${INTER}`)).toEqual({ unit: null, malformed: 1 });
  });

  it('takes a frame of several partitions in several packets', () => {
    expect(received(`10 b1020011`, `00 2233`, `11 44`, `01 55`, `12 66`)).toMatchObject({ unit: 'b10200112233445566' });
  });

  it('takes no frame without its beginning: S with partition 0', () => {
    expect(received(`00${INTER}`)).toEqual({ unit: null, malformed: 0 });
    expect(received(`11${INTER}`)).toEqual({ unit: null, malformed: 0 });
  });
});

describe('RFC 7741 §4.3, payload header', () => {
  it('tells a key frame by its first bit, and believes it only with the start code (RFC 6386 §9.1)', () => {
    const to = receiver();
    const type = { payloadType: VP8_TYPE, marker: true };
    put(to, { ...type, payload: octets(`10${INTER}`), sequenceNumber: 1, timestamp: 0 }, 0);
    expect(to.next(0)).toBe(null);
    expect(to.keyFrameNeeded).toBe(true);
    put(to, { ...type, payload: octets(`10${KEY.replace('9d012a', '9d012b')}`), sequenceNumber: 2, timestamp: 1 }, 0);
    expect(to.next(0)).toBe(null);
    put(to, { ...type, payload: octets(`10${KEY}`), sequenceNumber: 3, timestamp: 2 }, 0);
    expect(to.next(0)).toMatchObject({ codec: 'VP8', keyFrame: true, intact: true, afterLoss: false });
    expect(to.keyFrameNeeded).toBe(false);
  });
});

describe('RFC 7741 §4, what is sent', () => {
  function payloads(frame: string, pictureId: number | null, maxPayload: number): string[] {
    const list = new PayloadList();
    packetizeVp8(octets(frame), pictureId, maxPayload, list);
    return Array.from({ length: list.count }, (_, index) =>
      hex(list.bytes.subarray(list.offset(index), list.offset(index) + list.length(index))),
    );
  }

  it('has S in the first packet only, and a PictureID of 15 bits that wraps', () => {
    expect(payloads(INTER, 0x1234, 7)).toEqual(['90809234b10200', '80809234112233']);
    expect(payloads(INTER, 0x8001, 1200)).toEqual([`90808001${INTER}`]);
    expect(payloads(INTER, null, 4)).toEqual(['10b10200', '00112233']);
  });

  it('makes nothing of nothing', () => {
    expect(payloads('', 1, 1200)).toEqual([]);
  });
});
