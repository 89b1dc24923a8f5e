import type { Frame } from 'node-av/lib';
import { afterAll, describe, expect, it } from 'vitest';
import { Canvas } from '../../../mixer/video/engine/canvas.ts';
import type { Picture } from '../../../mixer/video/engine/picture.ts';
import type { Rect } from '../../../mixer/video/engine/planar-picture.ts';
import { type ForeignStream, foreignStream } from './foreign-stream.ts';
import { engine } from './some-engine.ts';

const BLUE = { y: 41, u: 240, v: 110 };
const GREEN = { y: 145, u: 54, v: 34 };
/** On all of a canvas before something is drawn. */
const BEFORE = { y: 7, u: 9, v: 11 };

const scaler = engine.pictureScaler();
afterAll(() => scaler.close());

/** How many samples outside of `rect` are not as they were. */
function spoilt({ planes, strides, width, height }: Canvas, rect: Rect): number {
  let count = 0;
  for (const [index, value] of [BEFORE.y, BEFORE.u, BEFORE.v].entries()) {
    const shift = index === 0 ? 0 : 1;
    for (let y = 0; y < height >> shift; y++) {
      for (let x = 0; x < width >> shift; x++) {
        const [left, top] = [rect.x >> shift, rect.y >> shift];
        const within = x >= left && x < left + (rect.width >> shift) && y >= top && y < top + (rect.height >> shift);
        if (!within && planes[index]![y * strides[index]! + x] !== value) count++;
      }
    }
  }
  return count;
}

function pixel({ planes, strides }: Canvas, x: number, y: number): number[] {
  const colour = (y >> 1) * strides[1] + (x >> 1);
  return [planes[0][y * strides[0] + x]!, planes[1][colour]!, planes[2][colour]!];
}

function expectColour(canvas: Canvas, { x, y, width, height }: Rect, colour: typeof BLUE, within = 1): void {
  const wanted = [colour.y, colour.u, colour.v];
  for (const [px, py] of [
    [x, y],
    [x + width - 1, y],
    [x, y + height - 1],
    [x + width - 1, y + height - 1],
    [x + (width >> 1), y + (height >> 1)],
  ] as const) {
    for (const [index, value] of pixel(canvas, px, py).entries()) {
      expect(Math.abs(value - wanted[index]!), `plane ${index} at ${px},${py}`).toBeLessThanOrEqual(within);
    }
  }
}

async function firstPicture(stream: ForeignStream): Promise<Picture> {
  const decoder = engine.openDecoder({ codec: stream.encoder === 'libvpx' ? 'VP8' : 'H264' });
  const [unit] = await foreignStream(stream, 1);
  const [picture] = await decoder.decode(unit!, true, 0);
  decoder.close();
  return picture!;
}

const bluePicture = (width: number, height: number): Canvas => {
  const canvas = engine.canvas(width, height);
  canvas.fill({ x: 0, y: 0, width, height }, BLUE);
  return canvas;
};

describe.each([
  ['a smaller', 1280, 720],
  ['the same', 1280, 720],
  ['a plain', 1278, 718],
])('onto %s canvas', (kind, width, height) => {
  const canvas = kind === 'a plain' ? Canvas.plain(width, height) : engine.canvas(width, height);
  const source = kind === 'the same' ? bluePicture(width, height) : bluePicture(640, 360);

  it.each([
    { x: 0, y: 0, width: 426, height: 240 },
    { x: 426, y: 240, width: 426, height: 240 },
    { x: 852, y: 478, width: 426, height: 240 },
    { x: 320, y: 180, width: 320, height: 180 },
    { x: 2, y: 6, width: 180, height: 100 },
    { x: 10, y: 10, width: 34, height: 30 },
    { x: 638, y: 0, width: 640, height: 360 },
    { x: 0, y: 0, width: 1278, height: 718 },
    { x: 4, y: 2, width: 1270, height: 716 },
    { x: 6, y: 2, width: 22, height: 14 },
    { x: 1276, y: 716, width: 2, height: 2 },
    { x: 100, y: 100, width: 6, height: 4 },
    { x: 200, y: 100, width: 64, height: 36 },
  ])('draws to $width x $height at $x, $y, and not beside it', (rect) => {
    canvas.fill({ x: 0, y: 0, width, height }, BEFORE);
    expect(scaler.draw(source, canvas, rect, 'crop', GREEN)).toEqual(rect);
    // Filters from hundreds of pixels to one round each by itself.
    expectColour(canvas, rect, BLUE, rect.width < 16 ? 12 : 1);
    expect(spoilt(canvas, rect)).toBe(0);
  });
});

it('draws a picture of the same size as it is', () => {
  const source = engine.canvas(640, 360);
  for (let i = 0; i < 360 * source.strides[0]; i++) source.planes[0][i] = (i * 7 + (i >> 9)) & 255;
  const canvas = engine.canvas(1280, 720);
  scaler.draw(source, canvas, { x: 640, y: 360, width: 640, height: 360 }, 'fit', GREEN);
  for (const [x, y] of [
    [0, 0],
    [639, 0],
    [0, 359],
    [639, 359],
    [17, 200],
  ] as const) {
    expect(canvas.planes[0][(360 + y) * canvas.strides[0] + 640 + x]).toBe(source.planes[0][y * source.strides[0] + x]);
  }
});

describe('a picture of another shape', () => {
  const canvas = engine.canvas(640, 360);
  /** Green with a blue middle, 4:3. */
  const source = engine.canvas(640, 480);
  source.fill({ x: 0, y: 0, width: 640, height: 480 }, GREEN);
  source.fill({ x: 0, y: 60, width: 640, height: 360 }, BLUE);

  it('is cut with crop', () => {
    const rect = { x: 320, y: 180, width: 320, height: 180 };
    canvas.fill({ x: 0, y: 0, width: 640, height: 360 }, BEFORE);
    expect(scaler.draw(source, canvas, rect, 'crop', GREEN)).toEqual(rect);
    expectColour(canvas, rect, BLUE);
    expect(spoilt(canvas, rect)).toBe(0);
  });

  it('has bars beside it with fit', () => {
    const rect = { x: 320, y: 180, width: 320, height: 180 };
    canvas.fill({ x: 0, y: 0, width: 640, height: 360 }, BEFORE);
    const place = scaler.draw(source, canvas, rect, 'fit', BEFORE);
    expect(place).toEqual({ x: 360, y: 180, width: 240, height: 180 });
    expect(spoilt(canvas, place!)).toBe(0);
    expectColour(canvas, { x: 362, y: 204, width: 236, height: 132 }, BLUE);
    expectColour(canvas, { x: 362, y: 182, width: 236, height: 16 }, GREEN);
  });

  it('has bars above and below with fit', () => {
    const rect = { x: 0, y: 0, width: 200, height: 360 };
    expect(scaler.draw(source, canvas, rect, 'fit', GREEN)).toEqual({ x: 0, y: 104, width: 200, height: 150 });
    expectColour(canvas, { x: 0, y: 0, width: 200, height: 104 }, GREEN);
    expectColour(canvas, { x: 0, y: 254, width: 200, height: 106 }, GREEN);
  });
});

it('draws nothing that does not fit onto the canvas, or has odd numbers', () => {
  const canvas = engine.canvas(64, 64);
  canvas.fill({ x: 0, y: 0, width: 64, height: 64 }, BEFORE);
  const source = bluePicture(64, 64);
  for (const rect of [
    { x: 0, y: 0, width: 66, height: 64 },
    { x: -2, y: 0, width: 10, height: 10 },
    { x: 0, y: 60, width: 10, height: 10 },
    { x: 1, y: 0, width: 10, height: 10 },
    { x: 0, y: 0, width: 0, height: 10 },
    { x: 0, y: 0, width: 10, height: 9 },
    { x: Number.NaN, y: 0, width: 10, height: 10 },
  ])
    expect(scaler.draw(source, canvas, rect, 'crop', GREEN)).toBeNull();
  expect(spoilt(canvas, { x: 0, y: 0, width: 0, height: 0 })).toBe(0);
  source.close();
  expect(scaler.draw(source, canvas, { x: 0, y: 0, width: 64, height: 64 }, 'crop', GREEN)).toBeNull();
});

it('survives any pair of shapes', () => {
  const canvas = engine.canvas(1280, 720);
  for (const [width, height] of [
    [4096, 2],
    [2, 2160],
    [2, 2],
    [4096, 2304],
  ] as const) {
    const source = bluePicture(width, height);
    for (const [w, h] of [
      [2, 720],
      [1280, 2],
      [2, 2],
      [1280, 720],
    ] as const) {
      for (const fill of ['crop', 'fit'] as const) {
        const rect = { x: 0, y: 0, width: w, height: h };
        canvas.fill({ x: 0, y: 0, width: 1280, height: 720 }, BEFORE);
        const place = scaler.draw(source, canvas, rect, fill, BEFORE);
        if (place !== null) expectColour(canvas, place, BLUE, 8);
        expect(spoilt(canvas, rect)).toBe(0);
      }
    }
    source.close();
  }
});

it('can have any number of sizes', () => {
  const canvas = engine.canvas(640, 360);
  for (let i = 0; i < 400; i++) {
    const rect = { x: 0, y: 0, width: 640 - 2 * (i % 200), height: 360 - 2 * (i % 150) };
    const source = bluePicture(2 * (i + 8), 180);
    expect(scaler.draw(source, canvas, rect, 'crop', GREEN)).toEqual(rect);
    expectColour(canvas, rect, BLUE);
    source.close();
  }
});

it('brings values of the full range into ours', async () => {
  const paint = (frame: Frame) => {
    const [y, u, v] = frame.data!;
    y!.fill(255);
    u!.fill(128);
    v!.fill(128);
    for (let line = 0; line < 90; line++) y!.fill(0, line * frame.linesize[0]!, (line + 1) * frame.linesize[0]!);
  };
  const sent = { encoder: 'libx264', width: 320, height: 180, pixelFormat: 'yuvj420p', paint } as const;
  const picture = await firstPicture({ ...sent, options: { tune: 'zerolatency', qp: 1 } });
  expect(picture.fullRange).toBe(true);
  const canvas = engine.canvas(640, 360);
  for (const rect of [
    { x: 0, y: 0, width: 320, height: 180 },
    { x: 0, y: 0, width: 640, height: 360 },
  ]) {
    scaler.draw(picture, canvas, rect, 'crop', GREEN);
    expect(Math.abs(pixel(canvas, 20, 20)[0]! - 16)).toBeLessThanOrEqual(2);
    expect(Math.abs(pixel(canvas, 20, rect.height - 20)[0]! - 235)).toBeLessThanOrEqual(2);
  }
  picture.release();
  expect(scaler.draw(picture, canvas, { x: 0, y: 0, width: 64, height: 64 }, 'crop', GREEN)).toBeNull();
});

it('gives pixels that are not square their shape', async () => {
  const sent = { encoder: 'libx264', width: 352, height: 288, options: { tune: 'zerolatency' } } as const;
  const picture = await firstPicture({ ...sent, pixelAspect: { num: 16, den: 11 } });
  const canvas = engine.canvas(640, 360);
  // CIF of 16:9.
  const place = scaler.draw(picture, canvas, { x: 0, y: 0, width: 640, height: 360 }, 'fit', GREEN);
  expect(place).toEqual({ x: 0, y: 0, width: 640, height: 360 });
  picture.release();
});

it('draws pictures of odd sizes', async () => {
  const paint = (frame: Frame) => {
    for (const [index, value] of [BLUE.y, BLUE.u, BLUE.v].entries()) frame.data![index]!.fill(value);
  };
  const picture = await firstPicture({ encoder: 'libvpx', width: 321, height: 179, paint });
  const canvas = engine.canvas(640, 360);
  for (const rect of [
    { x: 2, y: 2, width: 426, height: 240 },
    { x: 2, y: 2, width: 320, height: 178 },
    { x: 2, y: 2, width: 100, height: 300 },
  ]) {
    canvas.fill({ x: 0, y: 0, width: 640, height: 360 }, BEFORE);
    scaler.draw(picture, canvas, rect, 'crop', GREEN);
    expectColour(canvas, rect, BLUE, 3);
    expect(spoilt(canvas, rect)).toBe(0);
  }
  picture.release();
});
