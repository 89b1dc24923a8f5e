import type { Canvas } from '../engine/canvas.ts';
import type { Rect } from '../engine/planar-picture.ts';
import type { Sprite } from './sprite.ts';

/**
 * Blends a sprite over a canvas, its upper left corner at `x`, `y` (even numbers); only what is within `clip`, whose
 * numbers are even too.
 */
export function blend(canvas: Canvas, sprite: Sprite, x: number, y: number, clip: Rect): void {
  const left = Math.max(x, clip.x, 0);
  const top = Math.max(y, clip.y, 0);
  const right = Math.min(x + sprite.width, clip.x + clip.width, canvas.width);
  const bottom = Math.min(y + sprite.height, clip.y + clip.height, canvas.height);
  if (right <= left || bottom <= top) return;
  const [lumaPlane, uPlane, vPlane] = canvas.planes;
  const [lumaStride, uStride, vStride] = canvas.strides;
  const { width, luma, alpha, u, v, chromaAlpha } = sprite;
  for (let line = top; line < bottom; line++) {
    const from = (line - y) * width + left - x;
    blendLine(lumaPlane, line * lumaStride + left, luma, alpha, from, right - left);
  }
  for (let line = top / 2; line < bottom / 2; line++) {
    const from = ((line - y / 2) * width + left - x) / 2;
    const count = (right - left) / 2;
    blendLine(uPlane, line * uStride + left / 2, u, chromaAlpha, from, count);
    blendLine(vPlane, line * vStride + left / 2, v, chromaAlpha, from, count);
  }
}

function blendLine(
  to: Uint8Array,
  at: number,
  colour: Uint8Array,
  alpha: Uint8Array,
  from: number,
  count: number,
): void {
  for (let index = 0; index < count; index++) {
    const opaque = alpha[from + index] as number;
    if (opaque === 0) continue;
    // Divided by 255, rounded.
    const below = (to[at + index] as number) * (255 - opaque) + 128;
    to[at + index] = (colour[from + index] as number) + ((below + (below >> 8)) >> 8);
  }
}
