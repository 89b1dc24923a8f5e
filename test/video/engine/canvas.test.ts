import { describe, expect, it } from 'vitest';
import { Canvas } from '../../../mixer/video/engine/canvas.ts';
import { engine } from './some-engine.ts';

const RED = { y: 81, u: 90, v: 240 };

function pixel({ planes, strides }: Canvas, x: number, y: number): number[] {
  const colour = (y >> 1) * strides[1] + (x >> 1);
  return [planes[0][y * strides[0] + x]!, planes[1][colour]!, planes[2][colour]!];
}

describe.each([
  ['plain', (width: number, height: number) => Canvas.plain(width, height)],
  ['native', (width: number, height: number) => engine.canvas(width, height)],
])('a %s canvas', (_name, make) => {
  it('is black at first', () => {
    const canvas = make(34, 18);
    for (const [x, y] of [
      [0, 0],
      [33, 17],
    ] as const)
      expect(pixel(canvas, x, y)).toEqual([16, 128, 128]);
  });

  it('is filled where it is asked for and nowhere else', () => {
    const canvas = make(34, 18);
    canvas.fill({ x: 4, y: 2, width: 6, height: 8 }, RED);
    const red = (x: number, y: number) => x >= 4 && x < 10 && y >= 2 && y < 10;
    for (let y = 0; y < 18; y++) {
      for (let x = 0; x < 34; x++) expect(pixel(canvas, x, y)).toEqual(red(x, y) ? [81, 90, 240] : [16, 128, 128]);
    }
  });

  it('is not filled beyond its sides', () => {
    const canvas = make(34, 18);
    canvas.fill({ x: -10, y: -10, width: 14, height: 14 }, RED);
    canvas.fill({ x: 30, y: 14, width: 100, height: 100 }, RED);
    canvas.fill({ x: 200, y: 0, width: 4, height: 4 }, RED);
    canvas.fill({ x: 10, y: 10, width: -4, height: 4 }, RED);
    const red = (x: number, y: number) => (x < 4 && y < 4) || (x >= 30 && y >= 14);
    for (let y = 0; y < 18; y++) {
      for (let x = 0; x < 34; x++) expect(pixel(canvas, x, y)).toEqual(red(x, y) ? [81, 90, 240] : [16, 128, 128]);
    }
  });

  it('takes no odd or empty sides', () => {
    for (const [width, height] of [
      [33, 18],
      [34, 17],
      [0, 18],
      [34, -2],
      [2.5, 2],
    ] as const)
      expect(() => make(width, height)).toThrow(RangeError);
  });

  it('can be painted on once closed, which goes nowhere', () => {
    const canvas = make(34, 18);
    canvas.close();
    canvas.fill({ x: 0, y: 0, width: 34, height: 18 }, RED);
    expect(canvas.planes[0]).toHaveLength(0);
    canvas.close();
  });
});

it('is copied to one whose lines lie elsewhere', () => {
  const from = engine.canvas(34, 18);
  const to = Canvas.plain(34, 18);
  from.fill({ x: 4, y: 2, width: 6, height: 8 }, RED);
  from.copyTo(to);
  for (let y = 0; y < 18; y++) for (let x = 0; x < 34; x++) expect(pixel(to, x, y)).toEqual(pixel(from, x, y));
  expect(() => to.copyTo(Canvas.plain(34, 16))).toThrow(RangeError);
});
