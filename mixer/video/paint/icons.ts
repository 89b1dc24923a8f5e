/** Marks, drawn as plain shapes, so that they are sharp in each size. */

import type { Yuv } from '../engine/planar-picture.ts';
import { both, disc, lowerHalfRing, type Point, roundedRectangle, type Shape, stroke } from './shapes.ts';
import { SpriteDrawing } from './sprite.ts';

export type IconName = 'mic-off' | 'camera-off' | 'hand' | 'person' | 'recording' | 'paused';

/** In a square of side 1. */
interface Square {
  at(x: number, y: number): Point;
  length(of: number): number;
}

type Icon = (square: Square, draw: (shape: Shape) => void, erase: (shape: Shape) => void) => void;

/** A drawing of its own: what a mark leaves out shows what it is placed on. */
export function drawIcon(name: IconName, side: number, colour: Yuv): SpriteDrawing {
  const drawing = new SpriteDrawing(side, side);
  const square: Square = {
    at: (x, y) => ({ x: x * side, y: y * side }),
    length: (of) => of * side,
  };
  ICONS[name](
    square,
    (shape) => drawing.shape(shape, colour),
    (shape) => drawing.erase(shape),
  );
  return drawing;
}

function rounded(
  { at, length }: Square,
  left: number,
  top: number,
  right: number,
  bottom: number,
  radius: number,
): Shape {
  const { x, y } = at(left, top);
  return roundedRectangle({ x, y, width: length(right - left), height: length(bottom - top) }, length(radius));
}

/** Struck through, with a gap beside the stroke. */
function struck({ at, length }: Square, draw: (shape: Shape) => void, erase: (shape: Shape) => void): void {
  erase(stroke(at(0.17, 0.13), at(0.89, 0.85), length(0.1)));
  draw(stroke(at(0.12, 0.18), at(0.84, 0.9), length(0.09)));
}

const ICONS: Record<IconName, Icon> = {
  'mic-off': (square, draw, erase) => {
    const { at, length } = square;
    draw(stroke(at(0.5, 0.24), at(0.5, 0.46), length(0.3)));
    draw(lowerHalfRing(at(0.5, 0.45), length(0.29), length(0.08)));
    draw(stroke(at(0.5, 0.76), at(0.5, 0.92), length(0.08)));
    draw(stroke(at(0.34, 0.93), at(0.66, 0.93), length(0.08)));
    struck(square, draw, erase);
  },
  'camera-off': (square, draw, erase) => {
    const { at, length } = square;
    draw(rounded(square, 0.06, 0.26, 0.66, 0.76, 0.1));
    draw(stroke(at(0.74, 0.5), at(0.9, 0.36), length(0.1)));
    draw(stroke(at(0.74, 0.52), at(0.9, 0.66), length(0.1)));
    draw(stroke(at(0.9, 0.36), at(0.9, 0.66), length(0.1)));
    struck(square, draw, erase);
  },
  hand: ({ at, length }, draw) => {
    const finger = length(0.125);
    draw(stroke(at(0.3, 0.55), at(0.27, 0.24), finger));
    draw(stroke(at(0.44, 0.5), at(0.43, 0.12), finger));
    draw(stroke(at(0.58, 0.5), at(0.6, 0.14), finger));
    draw(stroke(at(0.71, 0.55), at(0.75, 0.26), finger));
    draw(stroke(at(0.32, 0.78), at(0.13, 0.56), finger));
    draw(stroke(at(0.42, 0.66), at(0.6, 0.66), length(0.38)));
    draw(stroke(at(0.48, 0.76), at(0.55, 0.76), length(0.36)));
  },
  person: (square, draw) => {
    const { at, length } = square;
    draw(disc(at(0.5, 0.32), length(0.19)));
    draw(both(rounded(square, 0.16, 0.58, 0.84, 1.2, 0.3), rounded(square, 0, 0, 1, 0.92, 0.06)));
  },
  recording: ({ at, length }, draw) => draw(disc(at(0.5, 0.5), length(0.36))),
  paused: ({ at, length }, draw) => {
    draw(stroke(at(0.33, 0.24), at(0.33, 0.76), length(0.2)));
    draw(stroke(at(0.67, 0.24), at(0.67, 0.76), length(0.2)));
  },
};
