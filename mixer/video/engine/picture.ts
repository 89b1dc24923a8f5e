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
  private readonly pool: FramePool;
  private frame: Frame | null;
  private current: Planes;
  private holders = 1;

  /** @param frame of the pool, decoded, 4:2:0 of 8 bit. */
  constructor(pool: FramePool, frame: Frame, damaged: boolean) {
    const { width, height } = frame;
    const [y = 0, u = 0, v = 0] = frame.linesize;
    const [planeY = EMPTY, planeU = EMPTY, planeV = EMPTY] = frame.data ?? [];
    const aspect = frame.sampleAspectRatio;
    const ratio = aspect.num / aspect.den;
    this.width = width;
    this.height = height;
    this.strides = [y, u, v];
    this.current = [planeY, planeU, planeV];
    this.fullRange = frame.format === pool.av.AV_PIX_FMT_YUVJ420P || frame.colorRange === pool.av.AVCOL_RANGE_JPEG;
    this.pixelAspect = ratio >= 1 / MOST_PIXEL_ASPECT && ratio <= MOST_PIXEL_ASPECT ? ratio : 1;
    this.keyFrame = frame.keyFrame === 1;
    this.damaged = damaged;
    this.timestamp = Number(frame.pts);
    this.pool = pool;
    this.frame = frame;
  }

  get planes(): Planes {
    return this.current;
  }

  hold(): this {
    if (this.holders > 0) this.holders++;
    return this;
  }

  release(): void {
    if (this.holders === 0 || --this.holders > 0) return;
    this.current = NO_PLANES;
    this.pool.giveBack(this.frame!);
    this.frame = null;
  }
}

/** Frames of a decoder, used again and again: each costs the library and the garbage collector something. */
export class FramePool {
  readonly av: NodeAv;
  private readonly spare: Frame[] = [];
  private closed = false;

  constructor(av: NodeAv) {
    this.av = av;
  }

  take(): Frame {
    const spare = this.spare.pop();
    if (spare !== undefined) return spare;
    const frame = new this.av.Frame();
    frame.alloc();
    return frame;
  }

  giveBack(frame: Frame): void {
    if (this.closed || this.spare.length >= MOST_SPARE) return frame.free();
    frame.unref();
    this.spare.push(frame);
  }

  /** Those that are out are freed when they come back. */
  close(): void {
    this.closed = true;
    for (const frame of this.spare) frame.free();
    this.spare.length = 0;
  }
}
