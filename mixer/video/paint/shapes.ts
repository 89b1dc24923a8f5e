/** Plain shapes, by their distance function: how far a point is outside (above 0) or inside (below 0), in samples. */

import type { Rectangle } from '../layout/grid.ts';

export interface Shape {
  /** Nothing of the shape, smooth edge and all, is outside of it. */
  bounds: Rectangle;
  distance(x: number, y: number): number;
}

export interface Point {
  x: number;
  y: number;
}

/** Smooth edges reach so far out. */
const EDGE = 1;

export function disc(centre: Point, radius: number): Shape {
  return {
    bounds: around(centre, centre, radius),
    distance: (x, y) => Math.hypot(x - centre.x, y - centre.y) - radius,
  };
}

/** A line with round ends. */
export function stroke(from: Point, to: Point, thickness: number): Shape {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const square = dx * dx + dy * dy;
  return {
    bounds: around(from, to, thickness / 2),
    distance: (x, y) => {
      const along = square === 0 ? 0 : ((x - from.x) * dx + (y - from.y) * dy) / square;
      const at = Math.min(Math.max(along, 0), 1);
      return Math.hypot(x - from.x - at * dx, y - from.y - at * dy) - thickness / 2;
    },
  };
}

export function roundedRectangle(at: Rectangle, radius: number): Shape {
  const centre = { x: at.x + at.width / 2, y: at.y + at.height / 2 };
  const round = Math.min(radius, at.width / 2, at.height / 2);
  return {
    bounds: grown(at, EDGE),
    distance: (x, y) => {
      const outX = Math.abs(x - centre.x) - at.width / 2 + round;
      const outY = Math.abs(y - centre.y) - at.height / 2 + round;
      return Math.hypot(Math.max(outX, 0), Math.max(outY, 0)) + Math.min(Math.max(outX, outY), 0) - round;
    },
  };
}

/** The lower half of a ring, with round ends. */
export function lowerHalfRing(centre: Point, radius: number, thickness: number): Shape {
  return {
    bounds: around(centre, centre, radius + thickness / 2),
    distance: (x, y) => {
      const across = Math.abs(x - centre.x);
      const away =
        y >= centre.y ? Math.abs(Math.hypot(across, y - centre.y) - radius) : Math.hypot(across - radius, y - centre.y);
      return away - thickness / 2;
    },
  };
}

/** What is within an area but not in `shape`. */
export function outside(shape: Shape, bounds: Rectangle): Shape {
  return { bounds, distance: (x, y) => -shape.distance(x, y) };
}

/** What is in both. */
export function both(one: Shape, other: Shape): Shape {
  return { bounds: one.bounds, distance: (x, y) => Math.max(one.distance(x, y), other.distance(x, y)) };
}

function around(one: Point, other: Point, by: number): Rectangle {
  const x = Math.min(one.x, other.x);
  const y = Math.min(one.y, other.y);
  return grown({ x, y, width: Math.abs(one.x - other.x), height: Math.abs(one.y - other.y) }, by + EDGE);
}

function grown({ x, y, width, height }: Rectangle, by: number): Rectangle {
  return { x: x - by, y: y - by, width: width + 2 * by, height: height + 2 * by };
}
