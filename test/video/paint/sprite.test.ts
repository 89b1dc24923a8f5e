import { describe, expect, it } from 'vitest';
import { Canvas } from '../../../mixer/video/engine/canvas.ts';
import { blend } from '../../../mixer/video/paint/blend.ts';
import { disc, roundedRectangle } from '../../../mixer/video/paint/shapes.ts';
import { type Sprite, SpriteDrawing } from '../../../mixer/video/paint/sprite.ts';
import { SeededRandom } from '../../sim/seeded-random.ts';

const WHITE = { y: 235, u: 128, v: 128 };
const RED = { y: 81, u: 90, v: 240 };
const GREY = { y: 100, u: 128, v: 128 };

function whole({ width, height }: { width: number; height: number }) {
  return { x: 0, y: 0, width, height };
}

function grey(width: number, height: number): Canvas {
  const canvas = Canvas.plain(width, height);
  canvas.fill(whole(canvas), GREY);
  return canvas;
}

function square(opacity: number, size = 8): Sprite {
  const drawing = new SpriteDrawing(size, size);
  drawing.shape(roundedRectangle(whole(drawing), 0), RED, opacity);
  return drawing.finish();
}

function pixel({ planes, strides }: Canvas, x: number, y: number): number[] {
  const chroma = (plane: 1 | 2) => planes[plane][(y >> 1) * strides[plane] + (x >> 1)]!;
  return [planes[0][y * strides[0] + x]!, chroma(1), chroma(2)];
}

describe('blending', () => {
  it('covers by opacity', () => {
    for (const [opacity, expected] of [
      [1, [81, 90, 240]],
      [0.5, [90.5, 109, 184]],
      [0, [100, 128, 128]],
    ] as const) {
      const canvas = grey(32, 16);
      blend(canvas, square(opacity), 4, 2, whole(canvas));
      pixel(canvas, 6, 4).forEach((value, index) => {
        expect(Math.abs(value - expected[index]!)).toBeLessThanOrEqual(1);
      });
      expect(pixel(canvas, 2, 4)).toEqual([100, 128, 128]);
      expect(pixel(canvas, 12, 4)).toEqual([100, 128, 128]);
      expect(pixel(canvas, 6, 10)).toEqual([100, 128, 128]);
    }
  });

  it('touches nothing outside of what it is clipped to, nor of the canvas', () => {
    const random = new SeededRandom(5);
    const even = (below: number) => 2 * Math.floor((random.fraction() * below) / 2);
    for (let round = 0; round < 60; round++) {
      const canvas = grey(32, 24);
      const clip = { x: even(40) - 4, y: even(30) - 4, width: even(24), height: even(24) };
      const at = { x: even(48) - 10, y: even(40) - 10 };
      blend(canvas, square(1), at.x, at.y, clip);
      for (let y = 0; y < 24; y++) {
        for (let x = 0; x < 32; x++) {
          const covered = x >= at.x && x < at.x + 8 && y >= at.y && y < at.y + 8;
          const shown = x >= clip.x && x < clip.x + clip.width && y >= clip.y && y < clip.y + clip.height;
          expect(pixel(canvas, x, y)).toEqual(covered && shown ? [81, 90, 240] : [100, 128, 128]);
        }
      }
    }
  });

  it('never turns white into black, whatever lies below', () => {
    for (let below = 0; below < 256; below++) {
      for (let opacity = 0; opacity <= 1; opacity += 1 / 64) {
        const canvas = Canvas.plain(4, 4);
        canvas.fill(whole(canvas), { y: below, u: below, v: below });
        const drawing = new SpriteDrawing(4, 4);
        drawing.shape(roundedRectangle(whole(drawing), 0), { y: 235, u: 240, v: 240 }, opacity);
        blend(canvas, drawing.finish(), 0, 0, whole(canvas));
        const [luma, u] = pixel(canvas, 1, 1) as [number, number];
        expect(luma).toBeGreaterThanOrEqual(Math.min(below, 235) - 1);
        expect(luma).toBeLessThanOrEqual(Math.max(below, 235) + 1);
        expect(u).toBeGreaterThanOrEqual(Math.min(below, 240) - 1);
      }
    }
  });

  it('does nothing on a canvas that is closed', () => {
    const canvas = grey(16, 16);
    canvas.close();
    blend(canvas, square(0.5), 0, 0, whole(canvas));
    expect(canvas.planes[0].length).toBe(0);
  });
});

describe('drawing', () => {
  it('covers a disc with its area, smoothly', () => {
    const drawing = new SpriteDrawing(40, 40);
    drawing.shape(disc({ x: 20, y: 20 }, 15), WHITE);
    const { alpha, luma } = drawing.finish();
    const sum = alpha.reduce((total, value) => total + value, 0) / 255;
    expect(Math.abs(sum - Math.PI * 225)).toBeLessThan(5);
    expect(alpha.some((value) => value > 20 && value < 230)).toBe(true);
    expect(luma[20 * 40 + 20]).toBe(235);
  });

  it('takes away by erasing, and keeps what another drawing leaves out', () => {
    const drawing = new SpriteDrawing(8, 8);
    drawing.shape(roundedRectangle(whole(drawing), 0), WHITE);
    drawing.erase(roundedRectangle({ x: 0, y: 0, width: 4, height: 8 }, 0));
    const below = new SpriteDrawing(8, 8);
    below.shape(roundedRectangle(whole(below), 0), RED);
    below.place(drawing, 0, 0);
    const { luma, alpha } = below.finish();
    expect([luma[0], luma[7]]).toEqual([81, 235]);
    expect(alpha.every((value) => value === 255)).toBe(true);
  });

  it('stamps a text where it belongs, and nothing beside itself', () => {
    const drawing = new SpriteDrawing(9, 5);
    expect([drawing.width, drawing.height]).toEqual([10, 6]);
    drawing.stamp({ width: 2, height: 2, alpha: Uint8Array.of(255, 0, 0, 255) }, 9, -1, WHITE);
    const { alpha } = drawing.finish();
    expect(Array.from(alpha).flatMap((value, index) => (value === 0 ? [] : [index]))).toEqual([]);
    drawing.stamp({ width: 2, height: 2, alpha: Uint8Array.of(255, 0, 0, 255) }, 8, 4, WHITE);
    expect(Array.from(drawing.finish().alpha).flatMap((value, index) => (value === 0 ? [] : [index]))).toEqual([
      48, 59,
    ]);
  });
});
