import type { SeenCode } from '../../../video/coded-picture/read-codes.ts';
import type { Rect } from '../../../video/coded-picture/yuv-picture.ts';

/** What pictures are decoded to: as small as can still be read, as every one is looked at. */
export const LOOK_WIDTH = 640;
export const LOOK_HEIGHT = 360;

/** Places as shares of the picture's sides, 0 to 1. */
export function inShares(codes: readonly SeenCode[]): SeenCode[] {
  const share = ({ x, y, width, height }: Rect): Rect => ({
    x: x / LOOK_WIDTH,
    y: y / LOOK_HEIGHT,
    width: width / LOOK_WIDTH,
    height: height / LOOK_HEIGHT,
  });
  return codes.map((code) => ({ ...code, rect: share(code.rect), code: share(code.code) }));
}
