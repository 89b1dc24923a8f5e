import type { Frame } from 'node-av/lib';
import type { NodeAv } from './node-av.ts';
import type { PlanarPicture } from './planar-picture.ts';

type Planes = readonly [Uint8Array, Uint8Array, Uint8Array];

const EMPTY = new Uint8Array(0);
const NO_PLANES: Planes = [EMPTY, EMPTY, EMPTY];
/** Of an idle stream nothing much should be kept. */
const MOST_SPARE = 4;
/** What senders really have; anything else is a mistake or malice. */
const MOST_PIXEL_ASPECT = 4;

/**
 * A decoded picture in memory of the library, which goes back once all who hold it have released it; the decoder hands it
 * out held once. After that, `planes` are empty: whoever kept them would read memory that is no longer theirs.
 */
export class Picture implements PlanarPicture {
  readonly width: number;
  readonly height: number;
  readonly strides: readonly [number, number, number];
  /** Values go from 0 to 255, other than in `PlanarPicture`; `PictureScaler` puts it right. */
  readonly fullRange: boolean;
  /** Width of a pixel by its height; 1 unless the sender says otherwise. */
  readonly pixelAspect: number;
  readonly keyFrame: boolean;
  /** Something of it was lost and is made up, or is made of something that was. */
  readonly damaged: boolean;
  /** As given to `VideoDecoder.decode`, of the access unit that it came in. */
  readonly timestamp: number;
  private readonly pool: PicturePool;
  private memory: PictureMemory | null;
  private holders = 1;

  /** @param decoded 4:2:0 of 8 bit; of which nothing is needed any more then. @param memory of its size, with its pixels. */
  constructor(pool: PicturePool, decoded: Frame, memory: PictureMemory, pixelAspect: number, damaged: boolean) {
    const { av } = pool;
    this.width = decoded.width;
    this.height = decoded.height;
    this.strides = memory.strides;
    this.fullRange = decoded.format === av.AV_PIX_FMT_YUVJ420P || decoded.colorRange === av.AVCOL_RANGE_JPEG;
    this.pixelAspect = pixelAspect;
    this.keyFrame = decoded.keyFrame === 1;
    this.damaged = damaged;
    this.timestamp = Number(decoded.pts);
    this.pool = pool;
    this.memory = memory;
  }

  get planes(): Planes {
    return this.memory?.planes ?? NO_PLANES;
  }

  hold(): this {
    if (this.holders > 0) this.holders++;
    return this;
  }

  release(): void {
    if (this.holders === 0 || --this.holders > 0) return;
    this.pool.giveBack(this.memory!);
    this.memory = null;
  }
}

/** See `Picture.pixelAspect`; it changes at key frames only, and costs more to ask than all the rest. */
export function pixelAspectOf({ sampleAspectRatio: { num, den } }: Frame): number {
  const ratio = num / den;
  return ratio >= 1 / MOST_PIXEL_ASPECT && ratio <= MOST_PIXEL_ASPECT ? ratio : 1;
}

/** Where the pixels of a picture are; the views of it are made once. */
interface PictureMemory {
  readonly frame: Frame;
  readonly planes: Planes;
  readonly strides: readonly [number, number, number];
}

/**
 * Memory for a decoder's pictures, used again and again. Each view of native memory counts as that much garbage to be
 * collected: made for each picture, they had the collector at work several times a second. A copy costs far less.
 */
export class PicturePool {
  readonly av: NodeAv;
  private readonly spare: PictureMemory[] = [];
  private closed = false;

  constructor(av: NodeAv) {
    this.av = av;
  }

  /** A copy of a decoded frame's pixels; null without memory. */
  copy(decoded: Frame): PictureMemory | null {
    const memory = this.take(decoded);
    if (memory === null || memory.frame.copy(decoded) >= 0) return memory;
    this.giveBack(memory);
    return null;
  }

  giveBack(memory: PictureMemory): void {
    if (this.closed || this.spare.length >= MOST_SPARE) return memory.frame.free();
    this.spare.push(memory);
  }

  /** What is out is freed when it comes back. */
  close(): void {
    this.closed = true;
    for (const { frame } of this.spare) frame.free();
    this.spare.length = 0;
  }

  private take({ width, height, format }: Frame): PictureMemory | null {
    for (let memory = this.spare.pop(); memory !== undefined; memory = this.spare.pop()) {
      const { frame } = memory;
      if (frame.width === width && frame.height === height && frame.format === format) return memory;
      frame.free();
    }
    const frame = new this.av.Frame();
    frame.alloc();
    Object.assign(frame, { format, width, height });
    const planes = frame.getBuffer(0) < 0 ? null : frame.data;
    if (planes === null || planes.length < 3) {
      frame.free();
      return null;
    }
    const [y = 0, u = 0, v = 0] = frame.linesize;
    return { frame, planes: [planes[0]!, planes[1]!, planes[2]!], strides: [y, u, v] };
  }
}
