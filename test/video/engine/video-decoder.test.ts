import { describe, expect, it } from 'vitest';
import type { Picture } from '../../../mixer/video/engine/picture.ts';
import type { VideoDecoder } from '../../../mixer/video/engine/video-decoder.ts';
import type { VideoCodecName } from '../../../mixer/video-protocol.ts';
import { foreignStream } from './foreign-stream.ts';
import { encodeScene, SMALL } from './scenes.ts';
import { engine } from './some-engine.ts';

const release = (pictures: Picture[]) => {
  for (const picture of pictures) picture.release();
};

async function decodeAll(decoder: VideoDecoder, units: Uint8Array[], intact = true): Promise<number> {
  let shown = 0;
  for (const [index, unit] of units.entries()) {
    const pictures = await decoder.decode(unit, intact, index);
    shown += pictures.length;
    release(pictures);
  }
  return shown;
}

describe.each(['H264', 'VP8'] satisfies VideoCodecName[])('a decoder of %s', (codec) => {
  const scene = (frames: number, keyAt?: (frame: number) => boolean) =>
    encodeScene({ ...SMALL, codec }, frames, keyAt).then((encoded) => encoded.map(({ data }) => data));

  it('gives each picture at once', async () => {
    const decoder = engine.openDecoder({ codec });
    for (const [index, unit] of (await scene(10)).entries()) {
      const [picture, more] = await decoder.decode(unit, true, 7000 + index);
      expect(more).toBeUndefined();
      expect(picture).toMatchObject({ width: 320, height: 180, pixelAspect: 1, fullRange: false, damaged: false });
      expect(picture).toMatchObject({ keyFrame: index === 0, timestamp: 7000 + index });
      picture!.release();
    }
    expect(decoder.counters).toEqual({ decoded: 10, broken: 0, replaced: 0 });
    expect(decoder.keyFrameNeeded).toBe(false);
    decoder.close();
  });

  it('takes the units in their order, also when it has not done with the last one', async () => {
    const decoder = engine.openDecoder({ codec });
    const all = await Promise.all((await scene(10)).map((unit, index) => decoder.decode(unit, true, index)));
    expect(all.flat().map(({ timestamp }) => timestamp)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for (const pictures of all) release(pictures);
    decoder.close();
  });

  it('shows nothing before the first key frame, and asks for one', async () => {
    const units = await scene(12, (frame) => frame === 8);
    const decoder = engine.openDecoder({ codec });
    expect(decoder.keyFrameNeeded).toBe(true);
    expect(await decodeAll(decoder, units.slice(3, 8))).toBe(0);
    expect(decoder.keyFrameNeeded).toBe(true);
    expect(decoder.counters.broken).toBe(5);
    expect(await decodeAll(decoder, units.slice(8))).toBe(4);
    expect(decoder.keyFrameNeeded).toBe(false);
    decoder.close();
  });

  it('asks for a key frame when something is missing, until there is one', async () => {
    const units = await scene(12, (frame) => frame === 8);
    const decoder = engine.openDecoder({ codec });
    await decodeAll(decoder, units.slice(0, 4));
    const broken = await decoder.decode(units[4]!.subarray(0, units[4]!.length >> 1), false, 4);
    expect(decoder.keyFrameNeeded).toBe(true);
    release(broken);
    const after = await decoder.decode(units[5]!, true, 5);
    // What is left of H.264 is shown, as damaged; of VP8 nothing.
    expect(after.map(({ damaged }) => damaged)).toEqual(codec === 'H264' ? [true] : []);
    release(after);
    expect(decoder.keyFrameNeeded).toBe(true);
    const whole = await decoder.decode(units[8]!, true, 8);
    expect(whole.map(({ damaged }) => damaged)).toEqual([false]);
    release(whole);
    expect(decoder.keyFrameNeeded).toBe(false);
    decoder.close();
  });

  it('follows the sender to another size', async () => {
    const large = await encodeScene({ ...SMALL, codec, width: 640, height: 480 }, 2);
    const decoder = engine.openDecoder({ codec });
    await decodeAll(decoder, await scene(2));
    const [picture] = await decoder.decode(large[0]!.data, true, 0);
    expect(picture).toMatchObject({ width: 640, height: 480, damaged: false });
    picture!.release();
    decoder.close();
  });

  it('refuses pictures that are too large', async () => {
    const decoder = engine.openDecoder({ codec, maxPixels: 320 * 179 });
    expect(await decodeAll(decoder, await scene(2))).toBe(0);
    expect(decoder.keyFrameNeeded).toBe(true);
    decoder.close();
  });

  it('begins anew after a reset', async () => {
    const units = await scene(6, (frame) => frame === 4);
    const decoder = engine.openDecoder({ codec });
    await decodeAll(decoder, units.slice(0, 2));
    decoder.reset();
    expect(await decodeAll(decoder, units.slice(2))).toBe(2);
    decoder.close();
  });

  it('throws a decoder away that makes nothing of anything, and goes on', async () => {
    const decoder = engine.openDecoder({ codec });
    const rubbish = Array.from({ length: 60 }, (_, i) => Uint8Array.of(0, 0, 0, 1, 0x65, i, 255, 0, 3, i));
    expect(await decodeAll(decoder, rubbish)).toBe(0);
    expect(decoder.counters.replaced).toBeGreaterThan(0);
    expect(await decodeAll(decoder, await scene(5))).toBe(5);
    expect(decoder.keyFrameNeeded).toBe(false);
    decoder.close();
  });

  it('takes an empty unit for a broken one', async () => {
    const decoder = engine.openDecoder({ codec });
    expect(await decoder.decode(new Uint8Array(0), true, 0)).toEqual([]);
    expect(decoder.counters.broken).toBe(1);
    decoder.close();
  });

  it('can be closed while it is at work, and pictures that are held stay', async () => {
    const [key] = await encodeScene({ ...SMALL, codec, width: 1280, height: 720 }, 1);
    const decoder = engine.openDecoder({ codec });
    const [held] = await decoder.decode(key!.data, true, 0);
    const later = decoder.decode(key!.data, true, 1);
    decoder.close();
    expect(await later).toEqual([]);
    expect(await decoder.decode(key!.data, true, 2)).toEqual([]);
    expect(held!.planes[0][720 * held!.strides[0] - 1]).toBeDefined();
    held!.release();
  });
});

it('notices by itself that half of a picture of H.264 is missing', async () => {
  const [first, second] = (await encodeScene({ ...SMALL, bitrateBps: 2_000_000 }, 2)).map(({ data }) => data);
  const decoder = engine.openDecoder({ codec: 'H264' });
  await decodeAll(decoder, [first!]);
  const [concealed] = await decoder.decode(second!.subarray(0, second!.length >> 1), true, 0);
  expect(concealed!.damaged).toBe(true);
  concealed!.release();
  expect(decoder.keyFrameNeeded).toBe(true);
  expect(decoder.counters.broken).toBe(1);
  decoder.close();
});

it('empties a picture when its last holder releases it', async () => {
  const [first] = await encodeScene(SMALL, 1);
  const { data } = first!;
  const decoder = engine.openDecoder({ codec: 'H264' });
  const [picture] = await decoder.decode(data, true, 0);
  picture!.hold().release();
  expect(picture!.planes[0].length).toBeGreaterThan(0);
  picture!.release();
  expect(picture!.planes[0]).toHaveLength(0);
  // Once more than it was held: nobody else's picture suffers from it.
  picture!.release();
  const [next] = await decoder.decode(data, true, 1);
  picture!.release();
  expect(picture!.hold().planes[0]).toHaveLength(0);
  expect(next!.planes[0].length).toBeGreaterThan(0);
  next!.release();
  decoder.close();
});

it('says what pixels are like', async () => {
  const sent = { encoder: 'libx264', width: 352, height: 288, options: { tune: 'zerolatency' } } as const;
  const decoder = engine.openDecoder({ codec: 'H264' });
  const wide = await foreignStream({ ...sent, pixelAspect: { num: 12, den: 11 }, pixelFormat: 'yuvj420p' }, 1);
  const [picture] = await decoder.decode(wide[0]!, true, 0);
  expect(picture!.fullRange).toBe(true);
  expect(picture!.pixelAspect).toBeCloseTo(12 / 11, 5);
  picture!.release();
  const absurd = await foreignStream({ ...sent, pixelAspect: { num: 200, den: 1 } }, 1);
  const [other] = await decoder.decode(absurd[0]!, true, 0);
  expect(other!.pixelAspect).toBe(1);
  other!.release();
  decoder.close();
});

it('refuses pixels of other kinds', async () => {
  const stream = { encoder: 'libx264', width: 320, height: 180, pixelFormat: 'yuv422p' } as const;
  const units = await foreignStream({ ...stream, options: { tune: 'zerolatency' } }, 2);
  const decoder = engine.openDecoder({ codec: 'H264' });
  expect(await decodeAll(decoder, units)).toBe(0);
  expect(decoder.counters.broken).toBe(2);
  decoder.close();
});

it('takes odd sizes', async () => {
  const units = await foreignStream({ encoder: 'libvpx', width: 321, height: 179 }, 2);
  const decoder = engine.openDecoder({ codec: 'VP8' });
  const [picture] = await decoder.decode(units[0]!, true, 0);
  expect(picture).toMatchObject({ width: 321, height: 179 });
  expect(picture!.planes[1].length).toBeGreaterThanOrEqual(89 * picture!.strides[1] + 161);
  picture!.release();
  decoder.close();
});
