import type { Canvas } from '../../../mixer/video/engine/canvas.ts';
import type { Yuv } from '../../../mixer/video/engine/planar-picture.ts';
import { blend } from '../../../mixer/video/paint/blend.ts';
import { yuv } from '../../../mixer/video/paint/colours.ts';
import { disc, lowerHalfRing, roundedRectangle, stroke } from '../../../mixer/video/paint/shapes.ts';
import { SpriteDrawing } from '../../../mixer/video/paint/sprite.ts';

const SKIN = [0xf2c9a5, 0xd9a27a, 0x9a6543, 0x6b4429, 0xe8b893, 0xb98155];
const HAIR = [0x2a1d16, 0x6b4a2b, 0xb98a4a, 0x111111, 0x8c8c88, 0x7a2f1c];
const CLOTHES = [0x37506e, 0x7d3b46, 0x3f6b52, 0x54506e, 0xa9743a, 0x2d3138, 0xc9c4ba];
const WALLS = [0xb9c4cc, 0xcdbfae, 0x9db09f, 0xa7a3bd, 0xd8cdb8, 0x8799a8, 0xc7a9a0];

/** Somebody before a wall, as a camera shows them; another one for each number. */
export function drawPerson(canvas: Canvas, number: number): void {
  const { width, height } = canvas;
  drawWall(canvas, pick(WALLS, number * 5 + 2), number);
  const drawing = new SpriteDrawing(width, height);
  const unit = height / 10;
  const middle = width / 2 + ((number % 5) - 2) * unit * 0.3;
  const eyes = unit * (4.1 + (number % 3) * 0.15);
  const skin = pick(SKIN, number);
  const hair = pick(HAIR, number * 7 + 1);
  const dark = yuv(0x2a211d);
  const at = (x: number, y: number) => ({ x: middle + x * unit, y: eyes + y * unit });
  if (number % 2 === 0) drawing.shape(stroke(at(0, -0.4), at(0, 1.9), unit * 3.9), hair);
  drawing.shape(stroke(at(-2, 6.4), at(2, 6.4), unit * 4.4), pick(CLOTHES, number * 3));
  drawing.shape(stroke(at(0, 2.2), at(0, 3.8), unit * 1.5), skin);
  drawing.shape(stroke(at(0, -0.2), at(0, 1), unit * 3.3), skin);
  drawing.shape(stroke(at(-1, -1.5), at(1, -1.5), unit * 1.2), hair);
  for (const side of [-0.7, 0.7]) {
    drawing.shape(disc(at(side, 0), unit * 0.17), dark);
    drawing.shape(stroke(at(side - 0.3, -0.5), at(side + 0.3, -0.55), unit * 0.12), hair);
    if (number % 4 === 3) {
      drawing.shape(lowerHalfRing(at(side, -0.05), unit * 0.45, unit * 0.09), dark);
      drawing.shape(stroke(at(side - 0.45, -0.05), at(side + 0.45, -0.05), unit * 0.09), dark);
    }
  }
  drawing.shape(lowerHalfRing(at(0, 1.15), unit * 0.5, unit * 0.14), yuv(0x8d3f3a));
  blend(canvas, drawing.finish(), 0, 0, { x: 0, y: 0, width, height });
}

/** A page with a heading, some lines and a chart. */
export function drawSlides(canvas: Canvas): void {
  const { width, height } = canvas;
  canvas.fill({ x: 0, y: 0, width, height }, yuv(0xf7f7f4));
  const drawing = new SpriteDrawing(width, height);
  const bar = (x: number, y: number, w: number, h: number, rgb: number) =>
    drawing.shape(
      roundedRectangle({ x: x * width, y: y * height, width: w * width, height: h * height }, height / 100),
      yuv(rgb),
    );
  bar(0, 0, 1, 0.025, 0x2f6fb5);
  bar(0.06, 0.12, 0.5, 0.07, 0x24292f);
  [0.38, 0.34, 0.4, 0.28, 0.36].forEach((length, index) => {
    drawing.shape(disc({ x: 0.07 * width, y: (0.315 + index * 0.12) * height }, height / 70), yuv(0x2f6fb5));
    bar(0.1, 0.3 + index * 0.12, length * 0.9, 0.03, 0x7a828c);
  });
  [0.2, 0.31, 0.27, 0.42, 0.5].forEach((tall, index) => {
    bar(0.55 + index * 0.08, 0.82 - tall, 0.055, tall, index === 4 ? 0xd9822b : 0x2f6fb5);
  });
  bar(0.53, 0.825, 0.42, 0.008, 0x24292f);
  blend(canvas, drawing.finish(), 0, 0, { x: 0, y: 0, width, height });
}

/** Lighter where the window is. */
function drawWall(canvas: Canvas, { y, u, v }: Yuv, number: number): void {
  const { width, height } = canvas;
  const fromLeft = number % 2 === 0;
  for (let x = 0; x < width; x += 4) {
    const light = 1 - (fromLeft ? x : width - x) / width;
    canvas.fill({ x, y: 0, width: 4, height }, { y: Math.round(y * (0.62 + 0.36 * light)), u, v });
  }
}

function pick(from: readonly number[], index: number): Yuv {
  return yuv(from[index % from.length]!);
}
