import { describe, expect, it } from 'vitest';
import { ENCODER_SPEEDS, type EncodedFrame } from '../../../mixer/video/engine/video-encoder.ts';
import type { VideoCodecName } from '../../../mixer/video-protocol.ts';
import { encodeScene, nalUnits, paintScene, psnr, SMALL } from './scenes.ts';
import { engine } from './some-engine.ts';

const CODECS = ['H264', 'VP8'] satisfies VideoCodecName[];
const keyFrames = (frames: EncodedFrame[]) => frames.filter(({ keyFrame }) => keyFrame).map(({ pts }) => pts);
const types = (data: Uint8Array) => nalUnits(data).map((unit) => unit[0]! & 31);

function bpsOf(frames: EncodedFrame[], from: number, to: number): number {
  const octets = frames.filter(({ pts }) => pts >= from && pts < to).reduce((sum, { data }) => sum + data.length, 0);
  return (octets * 8 * SMALL.fps) / (to - from);
}

describe.each(CODECS)('an encoder of %s', (codec) => {
  it('makes a key frame first, and then only when asked', async () => {
    const frames = await encodeScene({ ...SMALL, codec }, 60, (frame) => frame === 20 || frame === 21);
    expect(frames).toHaveLength(60);
    expect(keyFrames(frames)).toEqual([0, 20, 21]);
  });

  it('makes key frames of half a second of its rate at most', async () => {
    for (const bitrateBps of [150_000, 1_000_000]) {
      const settings = { ...SMALL, codec, width: 640, height: 360, bitrateBps };
      for (const frame of await encodeScene(settings, 30, (index) => index % 10 === 0)) {
        expect(frame.data.length * 8, `frame ${frame.pts}`).toBeLessThanOrEqual(bitrateBps * 0.55);
      }
    }
  });

  it.each(ENCODER_SPEEDS)('looks good when it is to be %s', async (speed) => {
    const options = { ...SMALL, codec, width: 640, height: 360, bitrateBps: 800_000, speed };
    const encoder = await engine.openEncoder(options);
    const decoder = engine.openDecoder({ codec });
    const canvas = engine.canvas(640, 360);
    let worst = 100;
    for (let i = 0; i < 40; i++) {
      paintScene(canvas, i);
      const frame = await encoder.encode(canvas, i, false);
      const [picture] = await decoder.decode(frame!.data, true, i);
      if (i > 10) worst = Math.min(worst, psnr(picture!, canvas));
      picture!.release();
    }
    expect(worst).toBeGreaterThan(38);
    encoder.close();
    decoder.close();
    canvas.close();
  });

  it('follows another rate within a second', async () => {
    const options = { ...SMALL, codec, width: 640, height: 360, bitrateBps: 1_500_000 };
    const encoder = await engine.openEncoder(options);
    const canvas = engine.canvas(640, 360);
    const frames: EncodedFrame[] = [];
    for (let i = 0; i < 100; i++) {
      // More than can be encoded well at either rate.
      paintScene(canvas, i * 7);
      for (let at = 0; at < 360 * canvas.strides[0]; at += 3) canvas.planes[0][at]! ^= (at * i) & 31;
      if (i === 50) encoder.setBitrate(500_000);
      const frame = await encoder.encode(canvas, i, false);
      if (frame !== null) frames.push(frame);
    }
    expect(bpsOf(frames, 25, 50)).toBeGreaterThan(1_000_000);
    expect(bpsOf(frames, 75, 100)).toBeLessThan(650_000);
    expect(encoder.bitrateBps).toBe(500_000);
    expect(keyFrames(frames)).toEqual(codec === 'H264' ? [0] : [0, 50]);
    encoder.close();
    canvas.close();
  });

  it('keeps to its rate at a number of frames a second that is not whole', async () => {
    for (const fps of [1.5, 25 / 9]) {
      const encoder = await engine.openEncoder({ ...SMALL, codec, fps, bitrateBps: 60_000 });
      const canvas = engine.canvas(SMALL.width, SMALL.height);
      let octets = 0;
      for (let i = 0; i < 60; i++) {
        paintScene(canvas, i * 7);
        const frame = await encoder.encode(canvas, i, false);
        if (i >= 20) octets += frame?.data.length ?? 0;
      }
      const bps = (octets * 8 * fps) / 40;
      expect(bps, `at ${fps}`).toBeLessThan(60_000 * 1.08);
      expect(bps, `at ${fps}`).toBeGreaterThan(60_000 * 0.5);
      encoder.close();
      canvas.close();
    }
  });

  it('takes frames before the last one is done, and other encoders may have the same canvas', async () => {
    const encoders = await Promise.all([0, 1, 2].map(() => engine.openEncoder({ ...SMALL, codec })));
    const canvas = engine.canvas(SMALL.width, SMALL.height);
    paintScene(canvas, 0);
    const frames = await Promise.all(
      encoders.flatMap((encoder, index) => [0, 1, 2, 3].map((pts) => encoder.encode(canvas, pts, pts === index))),
    );
    const keys = (index: number) => keyFrames(frames.slice(index * 4, index * 4 + 4).map((frame) => frame!));
    expect([keys(0), keys(1), keys(2)]).toEqual([[0], [0, 1], [0, 2]]);
    for (const encoder of encoders) encoder.close();
    canvas.close();
  });

  it('goes on when times stand still or go back', async () => {
    const encoder = await engine.openEncoder({ ...SMALL, codec });
    const canvas = engine.canvas(SMALL.width, SMALL.height);
    for (const pts of [0, 0, 5, 3, 100_000, 100_001]) expect((await encoder.encode(canvas, pts, false))?.pts).toBe(pts);
    expect(encoder.failures).toBe(0);
    encoder.close();
    canvas.close();
  });

  it('can be closed while it is at work', async () => {
    const encoder = await engine.openEncoder({ ...SMALL, codec });
    const canvas = engine.canvas(SMALL.width, SMALL.height);
    const last = encoder.encode(canvas, 0, false);
    encoder.close();
    canvas.close();
    await last;
    expect(await encoder.encode(canvas, 1, false)).toBeNull();
  });

  it('says when it is to encode what no library can', async () => {
    await expect(engine.openEncoder({ ...SMALL, codec, width: 0 })).rejects.toThrow(/open lib/);
  });
});

describe('H.264', () => {
  it('begins key frames with what a decoder has to know', async () => {
    const frames = await encodeScene(SMALL, 12, (frame) => frame === 6);
    expect(types(frames[0]!.data).filter((type) => type !== 6)).toEqual([7, 8, 5]);
    expect(types(frames[6]!.data).filter((type) => type !== 6)).toEqual([7, 8, 5]);
    expect(types(frames[7]!.data)).toEqual([1]);
  });

  it.each([
    ['constrained-baseline', 'fastest', 66, 0xc0],
    ['constrained-baseline', 'good', 66, 0xc0],
    ['main', 'fast', 77, 0x40],
    ['high', 'fast', 100, 0x00],
    ['high', 'good', 100, 0x00],
  ] as const)('is of %s, %s', async (profile, speed, idc, constraints) => {
    const h264 = { profile, level: 31, maxNalBytes: null };
    const [key] = await encodeScene({ ...SMALL, speed, h264 }, 2);
    const sps = nalUnits(key!.data).find((unit) => (unit[0]! & 31) === 7)!;
    expect([sps[1], sps[2]! & 0xc0 & ~(profile === 'constrained-baseline' ? 0 : 0x80), sps[3]]).toEqual([
      idc,
      constraints,
      31,
    ]);
  });

  it('says level 1b as it is said', async () => {
    const h264 = { profile: 'constrained-baseline', level: 9, maxNalBytes: null } as const;
    const [key] = await encodeScene({ ...SMALL, width: 176, height: 144, fps: 15, bitrateBps: 100_000, h264 }, 2);
    const sps = nalUnits(key!.data).find((unit) => (unit[0]! & 31) === 7)!;
    // RFC 6184 section 8.1: level 11 with constraint_set3_flag.
    expect([sps[2]! & 0x10, sps[3]]).toEqual([0x10, 11]);
  });

  it('keeps to the size of NAL units for packetization-mode 0', async () => {
    const h264 = { profile: 'constrained-baseline', level: 31, maxNalBytes: 1200 } as const;
    for (const speed of ENCODER_SPEEDS) {
      const frames = await encodeScene(
        { ...SMALL, width: 1280, height: 720, bitrateBps: 3_000_000, speed, h264 },
        12,
        (frame) => frame === 6,
      );
      const sizes = frames.flatMap(({ data }) => nalUnits(data).map(({ length }) => length));
      expect(Math.max(...sizes)).toBeLessThanOrEqual(1200);
      expect(sizes.length).toBeGreaterThan(24);
    }
  });

  it('has one slice a picture otherwise', async () => {
    const frames = await encodeScene({ ...SMALL, width: 1280, height: 720, bitrateBps: 3_000_000 }, 4);
    for (const { data } of frames) expect(types(data).filter((type) => type === 1 || type === 5)).toHaveLength(1);
  });
});

it('falls back to software where there is no such hardware', async () => {
  for (const kind of ['nvenc', 'vaapi'] as const) {
    const reason = await engine.useEncoder(kind);
    // On a machine that has it, it is used, and encodes as any other.
    if (reason !== null) expect(reason).toMatch(/\w/);
    const frames = await encodeScene(SMALL, 3);
    expect(frames.map(({ keyFrame }) => keyFrame)).toEqual([true, false, false]);
  }
  expect(await engine.useEncoder('software')).toBeNull();
});
