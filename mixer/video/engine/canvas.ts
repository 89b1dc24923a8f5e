import type { Frame } from 'node-av';
import type { NodeAv } from './node-av.ts';
import { BLACK, type PlanarPicture, type Rect, type Yuv } from './planar-picture.ts';

type Planes = [Uint8Array, Uint8Array, Uint8Array];

const NO_PLANES: Planes = [new Uint8Array(0), new Uint8Array(0), new Uint8Array(0)];

/**
 * What a room's picture is painted on, and encoded from. `Engine.canvas` makes one that an encoder takes without a copy;
 * `Canvas.plain` one in ordinary memory, to which everything but encoding applies.
 */
export class Canvas implements PlanarPicture {
  readonly width: number;
  readonly height: number;
  readonly strides: readonly [number, number, number];
  /** Empty once closed, so that what is painted afterwards goes nowhere. */
  planes: Planes;
  /** Of the library, where it is not plain. Only for the engine's own modules. */
  frame: Frame | null;

  /** In ordinary memory. @throws RangeError when a side is odd or not positive. */
  static plain(width: number, height: number): Canvas {
    checkSides(width, height);
    const colour = (width * height) / 4;
    const planes: Planes = [new Uint8Array(width * height), new Uint8Array(colour), new Uint8Array(colour)];
    return new Canvas(width, height, planes, [width, width / 2, width / 2], null);
  }

  /** In memory of the library, until `close`. @throws RangeError as `plain`; Error without memory. */
  static native(av: NodeAv, width: number, height: number): Canvas {
    checkSides(width, height);
    const frame = new av.Frame();
    frame.alloc();
    frame.format = av.AV_PIX_FMT_YUV420P;
    frame.width = width;
    frame.height = height;
    frame.colorRange = av.AVCOL_RANGE_MPEG;
    frame.colorSpace = av.AVCOL_SPC_SMPTE170M;
    const failed = frame.getBuffer(0) < 0;
    const planes = failed ? null : frame.data;
    if (planes === null || planes.length < 3) {
      frame.free();
      throw new Error(`No memory for a picture of ${width}x${height}`);
    }
    const [y = 0, u = 0, v = 0] = frame.linesize;
    return new Canvas(width, height, [planes[0]!, planes[1]!, planes[2]!], [y, u, v], frame);
  }

  private constructor(
    width: number,
    height: number,
    planes: Planes,
    strides: readonly [number, number, number],
    frame: Frame | null,
  ) {
    this.width = width;
    this.height = height;
    this.planes = planes;
    this.strides = strides;
    this.frame = frame;
    this.fill({ x: 0, y: 0, width, height }, BLACK);
  }

  /** Of a rectangle that reaches beyond the canvas, what is within. */
  fill(rect: Rect, { y, u, v }: Yuv): void {
    fillPlane(this.planes[0], this.strides[0], this.width, this.height, rect, y, 0);
    fillPlane(this.planes[1], this.strides[1], this.width / 2, this.height / 2, rect, u, 1);
    fillPlane(this.planes[2], this.strides[2], this.width / 2, this.height / 2, rect, v, 1);
  }

  /** Copies all of it onto another canvas of the same size. */
  copyTo(other: Canvas): void {
    if (other.width !== this.width || other.height !== this.height) throw new RangeError('canvases of different size');
    for (let plane = 0; plane < 3; plane++) {
      const from = this.planes[plane]!;
      const to = other.planes[plane]!;
      const [stride, otherStride] = [this.strides[plane]!, other.strides[plane]!];
      const [width, height] = plane === 0 ? [this.width, this.height] : [this.width / 2, this.height / 2];
      if (stride === otherStride) {
        to.set(from.subarray(0, Math.min(from.length, to.length)));
      } else {
        for (let y = 0; y < height; y++) to.set(from.subarray(y * stride, y * stride + width), y * otherStride);
      }
    }
  }

  /** Gives the library's memory back. An encoder that is at work on it keeps what it needs. */
  close(): void {
    this.planes = NO_PLANES;
    this.frame?.free();
    this.frame = null;
  }
}

function fillPlane(
  plane: Uint8Array,
  stride: number,
  width: number,
  height: number,
  rect: Rect,
  value: number,
  shift: 0 | 1,
): void {
  const left = Math.max(0, rect.x >> shift);
  const right = Math.min(width, (rect.x + rect.width) >> shift);
  const bottom = Math.min(height, (rect.y + rect.height) >> shift);
  if (right <= left) return;
  for (let y = Math.max(0, rect.y >> shift); y < bottom; y++) plane.fill(value, y * stride + left, y * stride + right);
}

function checkSides(width: number, height: number): void {
  const fine = (side: number) => Number.isInteger(side) && side > 0 && side % 2 === 0;
  if (!fine(width) || !fine(height)) throw new RangeError(`A canvas has even sides, not ${width}x${height}`);
}
