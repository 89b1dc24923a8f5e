import { Canvas } from '../../../mixer/video/engine/canvas.ts';
import type { PlanarPicture, Rect, Yuv } from '../../../mixer/video/engine/planar-picture.ts';
import type { TextBitmap } from '../../../mixer/video/engine/text-renderer.ts';

/** Writes each letter as a full block, half as wide as high. */
export class PretendedTexts {
  readonly drawn: string[] = [];
  mostAtATime = 0;
  fails = false;
  hangs = false;
  closed = false;
  private atWork = 0;

  async render(text: string, heightPx: number, maxWidthPx: number): Promise<TextBitmap> {
    this.drawn.push(text);
    this.atWork++;
    this.mostAtATime = Math.max(this.mostAtATime, this.atWork);
    await (this.hangs ? new Promise(() => {}) : Promise.resolve());
    this.atWork--;
    if (this.fails) throw new Error('no font');
    const width = Math.min(maxWidthPx, (text.length * heightPx) / 2);
    return { width, height: heightPx, alpha: new Uint8Array(width * heightPx).fill(255) };
  }

  close(): void {
    this.closed = true;
  }
}

/** Fills the place with the picture's first pixel; `fit` leaves bars at both sides. */
export class PretendedScaler {
  readonly drawn: Rect[] = [];

  draw({ planes }: PlanarPicture, canvas: Canvas, rect: Rect, fill: 'crop' | 'fit', background: Yuv): Rect | null {
    const [y, u, v] = planes;
    if (y.length === 0) return null;
    this.drawn.push({ x: rect.x, y: rect.y, width: rect.width, height: rect.height });
    canvas.fill(rect, background);
    const bar = fill === 'fit' ? 2 * Math.floor(rect.width / 16) : 0;
    const place = { ...rect, x: rect.x + bar, width: rect.width - 2 * bar };
    canvas.fill(place, { y: y[0]!, u: u[0]!, v: v[0]! });
    return place;
  }
}

/** A picture of one colour. */
export function plainPicture(colour: Yuv): Canvas {
  const picture = Canvas.plain(16, 10);
  picture.fill({ x: 0, y: 0, width: 16, height: 10 }, colour);
  return picture;
}

export function pixelOf({ planes, strides }: Canvas, x: number, y: number): Yuv {
  const chroma = (plane: 1 | 2) => planes[plane][(y >> 1) * strides[plane] + (x >> 1)]!;
  return { y: planes[0][y * strides[0] + x]!, u: chroma(1), v: chroma(2) };
}
