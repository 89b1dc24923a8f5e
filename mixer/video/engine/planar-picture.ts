/**
 * Pixels as all of video has them here: 8 bit planar YUV 4:2:0, limited range (16–235, 16–240), BT.601.
 * Planes are Y, U, V; those of U and V have half the width and height, rounded up.
 */
export interface PlanarPicture {
  readonly width: number;
  readonly height: number;
  readonly planes: readonly [Uint8Array, Uint8Array, Uint8Array];
  /** Octets from one line to the next, of each plane. */
  readonly strides: readonly [number, number, number];
}

/** A colour in the values of `PlanarPicture`. */
export interface Yuv {
  y: number;
  u: number;
  v: number;
}

/** In pixels; all four even, so that it covers whole samples of colour. */
export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

export const BLACK: Yuv = { y: 16, u: 128, v: 128 };
