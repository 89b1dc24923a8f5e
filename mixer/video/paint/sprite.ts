/**
 * Small pictures with transparency that lie over others: names, marks, cards. They are drawn once, slowly and smoothly, and
 * then blended over a canvas each time that what lies below has changed, quickly.
 */

import type { Rect, Yuv } from '../engine/planar-picture.ts';
import type { TextBitmap } from '../engine/text-renderer.ts';
import { even } from '../layout/grid.ts';
import type { Shape } from './shapes.ts';

/** Premultiplied; `width` and `height` are even, chroma has half of each. */
export interface Sprite {
  width: number;
  height: number;
  luma: Uint8Array;
  alpha: Uint8Array;
  u: Uint8Array;
  v: Uint8Array;
  chromaAlpha: Uint8Array;
}

/** A sprite being drawn: each call draws over what is there. */
export class SpriteDrawing {
  readonly width: number;
  readonly height: number;
  /** Premultiplied, 0–255. */
  private readonly luma: Float32Array;
  private readonly u: Float32Array;
  private readonly v: Float32Array;
  /** 0–1. */
  private readonly alpha: Float32Array;

  /** Transparent; sizes are rounded up to even ones. */
  constructor(width: number, height: number) {
    this.width = Math.max(even(width + 1), 2);
    this.height = Math.max(even(height + 1), 2);
    const samples = this.width * this.height;
    this.luma = new Float32Array(samples);
    this.u = new Float32Array(samples);
    this.v = new Float32Array(samples);
    this.alpha = new Float32Array(samples);
  }

  /** `opacity`: 0–1. */
  shape(shape: Shape, colour: Yuv, opacity = 1): void {
    this.eachWithin(shape.bounds, (x, y, index) => {
      const covered = Math.min(Math.max(0.5 - shape.distance(x + 0.5, y + 0.5), 0), 1);
      if (covered > 0) this.over(index, colour, covered * opacity);
    });
  }

  /** Takes away what is there. */
  erase(shape: Shape): void {
    this.eachWithin(shape.bounds, (x, y, index) => {
      const kept = Math.min(Math.max(0.5 + shape.distance(x + 0.5, y + 0.5), 0), 1);
      for (const plane of [this.luma, this.u, this.v, this.alpha]) plane[index]! *= kept;
    });
  }

  /** Its upper left corner at `x`, `y`; what is outside is left out. */
  stamp({ width, height, alpha }: TextBitmap, x: number, y: number, colour: Yuv): void {
    const left = Math.round(x);
    const top = Math.round(y);
    this.eachWithin({ x: left, y: top, width, height }, (column, line, index) => {
      const covered = alpha[(line - top) * width + column - left] as number;
      if (covered > 0) this.over(index, colour, covered / 255);
    });
  }

  /** Another drawing, its upper left corner at `x`, `y`; what is outside is left out. */
  place(other: SpriteDrawing, x: number, y: number): void {
    const left = Math.round(x);
    const top = Math.round(y);
    this.eachWithin({ x: left, y: top, width: other.width, height: other.height }, (column, line, index) => {
      const from = (line - top) * other.width + column - left;
      const kept = 1 - other.alpha[from]!;
      this.luma[index] = this.luma[index]! * kept + other.luma[from]!;
      this.u[index] = this.u[index]! * kept + other.u[from]!;
      this.v[index] = this.v[index]! * kept + other.v[from]!;
      this.alpha[index] = this.alpha[index]! * kept + other.alpha[from]!;
    });
  }

  finish(): Sprite {
    const { width, height } = this;
    return {
      width,
      height,
      luma: rounded(this.luma, 1),
      alpha: rounded(this.alpha, 255),
      u: this.halved(this.u, 1),
      v: this.halved(this.v, 1),
      chromaAlpha: this.halved(this.alpha, 255),
    };
  }

  /** Of half the width and height: the mean of each four. */
  private halved(plane: Float32Array, scale: number): Uint8Array {
    const { width, height } = this;
    const halved = new Uint8Array((width * height) / 4);
    let index = 0;
    for (let line = 0; line < height; line += 2) {
      for (let at = line * width; at < (line + 1) * width; at += 2) {
        const sum = plane[at]! + plane[at + 1]! + plane[at + width]! + plane[at + width + 1]!;
        halved[index++] = Math.round((sum * scale) / 4);
      }
    }
    return halved;
  }

  private eachWithin(bounds: Rect, draw: (x: number, y: number, index: number) => void): void {
    const right = Math.min(Math.ceil(bounds.x + bounds.width), this.width);
    const bottom = Math.min(Math.ceil(bounds.y + bounds.height), this.height);
    for (let y = Math.max(Math.floor(bounds.y), 0); y < bottom; y++) {
      for (let x = Math.max(Math.floor(bounds.x), 0); x < right; x++) draw(x, y, y * this.width + x);
    }
  }

  private over(index: number, { y, u, v }: Yuv, alpha: number): void {
    const kept = 1 - alpha;
    this.luma[index] = this.luma[index]! * kept + y * alpha;
    this.u[index] = this.u[index]! * kept + u * alpha;
    this.v[index] = this.v[index]! * kept + v * alpha;
    this.alpha[index] = this.alpha[index]! * kept + alpha;
  }
}

function rounded(plane: Float32Array, scale: number): Uint8Array {
  const result = new Uint8Array(plane.length);
  for (let index = 0; index < plane.length; index++) result[index] = Math.round(plane[index]! * scale);
  return result;
}
