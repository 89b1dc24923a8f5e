import type { SoftwareScaleContext } from 'node-av/lib';
import { Canvas } from './canvas.ts';
import type { NodeAv } from './node-av.ts';
import type { Picture } from './picture.ts';
import type { PlanarPicture, Rect, Yuv } from './planar-picture.ts';

type Source = Picture | Canvas;

/** For a room of 49, of which some come in sizes of their own, in three sizes of canvas. */
const MOST_KEPT = 128;
/**
 * The library writes whole groups of pixels, up to 32, also beyond the width that it was asked for, which would spoil the
 * tile beside it. Colour has half the width. So only widths that are multiples of this go straight to their place.
 */
const WHOLE_GROUP = 64;
/** Smaller than this it has no filters for. */
const LEAST_SIDE = 2;

/**
 * Draws pictures of any size into rectangles of canvases. Sharpness: the average of what falls into a pixel when it gets
 * smaller, linear between pixels when larger.
 */
export class PictureScaler {
  private readonly av: NodeAv;
  /** By source and target; the one used last stands last. */
  private readonly contexts = new Map<string, SoftwareScaleContext>();
  private scratch: Canvas | null = null;

  constructor(av: NodeAv) {
    this.av = av;
  }

  /**
   * 'fit' keeps all of the picture and fills bars with `background`; 'crop' cuts what is too wide or high. Rectangles have
   * even numbers and lie within the canvas, else nothing is drawn.
   * @returns where the picture itself is now, for 'crop' the whole rectangle; null when it could not be drawn.
   */
  draw(picture: Source, canvas: Canvas, rect: Rect, fill: 'crop' | 'fit', background: Yuv): Rect | null {
    if (!liesWithin(rect, canvas) || picture.planes[0].length === 0) return null;
    const whole = { x: 0, y: 0, width: picture.width, height: picture.height };
    if (fill === 'crop') return this.scale(picture, cropped(picture, rect), canvas, rect) ? rect : null;
    const place = fitted(picture, rect);
    fillAround(canvas, rect, place, background);
    return this.scale(picture, whole, canvas, place) ? place : null;
  }

  /** Frees what is kept. It can be used again. */
  close(): void {
    for (const context of this.contexts.values()) context.freeContext();
    this.contexts.clear();
    this.scratch?.close();
    this.scratch = null;
  }

  private scale(picture: Source, from: Rect, canvas: Canvas, to: Rect): boolean {
    const sameSize = from.width === to.width && from.height === to.height;
    if (sameSize && !isFullRange(picture)) return this.copy(picture, from, canvas, to);
    const context = this.context(from.width, from.height, to.width, to.height, isFullRange(picture));
    if (context === null) return false;
    if (to.width % WHOLE_GROUP === 0) return run(context, picture, from, canvas, to);
    const scratch = this.scratchFor(to);
    const at = { x: 0, y: 0, width: to.width, height: to.height };
    return run(context, picture, from, scratch, at) && this.copy(scratch, at, canvas, to);
  }

  /** Of the same size. With lines of the same length the library copies whole lines, and so what is beside them. */
  private copy(picture: Source, from: Rect, canvas: Canvas, to: Rect): boolean {
    const [y, u, v] = picture.strides;
    const [toY, toU, toV] = canvas.strides;
    const whole = to.x === 0 && to.width === canvas.width && from.width === picture.width;
    const exact = y !== toY && u !== toU && v !== toV;
    const context = whole || exact ? this.context(from.width, from.height, to.width, to.height, false) : null;
    if (context !== null) return run(context, picture, from, canvas, to);
    copyLines(picture, from, canvas, to);
    return true;
  }

  private scratchFor({ width, height }: Rect): Canvas {
    const { scratch } = this;
    if (scratch !== null && scratch.width >= width + WHOLE_GROUP && scratch.height >= height) return scratch;
    scratch?.close();
    const widest = Math.max(scratch?.width ?? 0, width + WHOLE_GROUP);
    this.scratch = Canvas.native(this.av, widest, Math.max(scratch?.height ?? 0, height));
    return this.scratch;
  }

  private context(
    width: number,
    height: number,
    toWidth: number,
    toHeight: number,
    fullRange: boolean,
  ): SoftwareScaleContext | null {
    const { contexts } = this;
    const key = `${width}x${height}${fullRange ? 'f' : ''}>${toWidth}x${toHeight}`;
    const kept = contexts.get(key);
    if (kept !== undefined) {
      contexts.delete(key);
      contexts.set(key, kept);
      return kept;
    }
    const made = this.newContext(width, height, toWidth, toHeight, fullRange);
    if (made === null) return null;
    contexts.set(key, made);
    if (contexts.size > MOST_KEPT) {
      const [oldest] = contexts.keys();
      contexts.get(oldest!)!.freeContext();
      contexts.delete(oldest!);
    }
    return made;
  }

  private newContext(
    width: number,
    height: number,
    toWidth: number,
    toHeight: number,
    fullRange: boolean,
  ): SoftwareScaleContext | null {
    const { av } = this;
    const context = new av.SoftwareScaleContext();
    const format = fullRange ? av.AV_PIX_FMT_YUVJ420P : av.AV_PIX_FMT_YUV420P;
    const smaller = toWidth * toHeight < width * height;
    const flags = smaller ? av.SWS_AREA : av.SWS_BILINEAR;
    try {
      context.getContext(width, height, format, toWidth, toHeight, av.AV_PIX_FMT_YUV420P, flags);
      return context;
    } catch {
      // Shapes that it has no filter for, as 4096x2 into 2x1000.
      return null;
    }
  }
}

function isFullRange(picture: Source): boolean {
  return 'fullRange' in picture && picture.fullRange;
}

function liesWithin({ x, y, width, height }: Rect, canvas: Canvas): boolean {
  const even = (x | y | width | height) % 2 === 0;
  const within = x >= 0 && y >= 0 && x + width <= canvas.width && y + height <= canvas.height;
  return even && within && width >= LEAST_SIDE && height >= LEAST_SIDE && canvas.planes[0].length > 0;
}

/** As wide as it is to be seen: pixels of some senders are not square. */
function seenWidth(picture: Source): number {
  return picture.width * ('pixelAspect' in picture ? picture.pixelAspect : 1);
}

/** The middle of a picture that has the shape of `rect`. */
function cropped(picture: Source, rect: Rect): Rect {
  const { width, height } = picture;
  const aspect = seenWidth(picture) / height;
  const wanted = rect.width / rect.height;
  const w = aspect > wanted ? Math.max(LEAST_SIDE, Math.round((width * wanted) / aspect)) : width;
  const h = aspect < wanted ? Math.max(LEAST_SIDE, Math.round((height * aspect) / wanted)) : height;
  // Almost the same shape is the same: a copy is cheap, and half a line is not seen.
  const x = evenBelow(width - w) / 2;
  const y = evenBelow(height - h) / 2;
  return { x: evenBelow(x), y: evenBelow(y), width: Math.min(w, width), height: Math.min(h, height) };
}

/** The middle of `rect` that has the shape of the picture. */
function fitted(picture: Source, rect: Rect): Rect {
  const aspect = seenWidth(picture) / picture.height;
  const wide = rect.width / rect.height > aspect;
  const width = wide ? Math.min(rect.width, Math.max(LEAST_SIDE, evenNear(rect.height * aspect))) : rect.width;
  const height = wide ? rect.height : Math.min(rect.height, Math.max(LEAST_SIDE, evenNear(rect.width / aspect)));
  const x = rect.x + evenBelow((rect.width - width) / 2);
  const y = rect.y + evenBelow((rect.height - height) / 2);
  return { x, y, width, height };
}

function fillAround(canvas: Canvas, rect: Rect, place: Rect, colour: Yuv): void {
  const { x, y, width, height } = rect;
  const left = place.x - x;
  const above = place.y - y;
  const right = width - left - place.width;
  const below = height - above - place.height;
  if (above > 0) canvas.fill({ x, y, width, height: above }, colour);
  if (below > 0) canvas.fill({ x, y: y + height - below, width, height: below }, colour);
  if (left > 0) canvas.fill({ x, y, width: left, height }, colour);
  if (right > 0) canvas.fill({ x: x + width - right, y, width: right, height }, colour);
}

function run(context: SoftwareScaleContext, picture: Source, from: Rect, canvas: Canvas, to: Rect): boolean {
  const target = planesFrom(canvas, to);
  return (
    context.scaleSync(planesFrom(picture, from), [...picture.strides], 0, from.height, target, [...canvas.strides]) > 0
  );
}

function planesFrom({ planes, strides }: PlanarPicture, { x, y }: Rect): Buffer[] {
  return planes.map((plane, index) => {
    const shift = index === 0 ? 0 : 1;
    const start = (y >> shift) * strides[index]! + (x >> shift);
    return Buffer.from(plane.buffer, plane.byteOffset + start, plane.length - start);
  });
}

function copyLines(from: PlanarPicture, source: Rect, to: PlanarPicture, target: Rect): void {
  for (let index = 0; index < 3; index++) {
    const shift = index === 0 ? 0 : 1;
    const [stride, targetStride] = [from.strides[index]!, to.strides[index]!];
    const [plane, targetPlane] = [from.planes[index]!, to.planes[index]!];
    const length = target.width >> shift;
    let at = (source.y >> shift) * stride + (source.x >> shift);
    let targetAt = (target.y >> shift) * targetStride + (target.x >> shift);
    for (let lines = target.height >> shift; lines > 0; lines--) {
      targetPlane.set(plane.subarray(at, at + length), targetAt);
      at += stride;
      targetAt += targetStride;
    }
  }
}

function evenBelow(value: number): number {
  return 2 * Math.floor(value / 2);
}

function evenNear(value: number): number {
  return 2 * Math.round(value / 2);
}
