import type { Composition } from './composition.ts';
import type { Engine } from './engine/engine.ts';
import type { Texts } from './paint/texts.ts';
import type { Tier } from './picture-tiers.ts';
import type { RoomView } from './room-view.ts';

/** Pictures are kept up to date for so long after somebody looked at one. */
const KEPT_MS = 10_000;
const MIN_WIDTH = 64;
const QUALITY = 80;

export interface SnapshotOptions {
  engine: Engine;
  texts: Texts;
  /** As the room is seen now. */
  view(): RoomView;
  compose(tier: Tier): Composition;
}

/** What a room looks like, for those who look at it from time to time. */
export class Snapshot {
  private readonly options: SnapshotOptions;
  private composition: Composition | null = null;
  /** Of each composition, how many pictures are being made of it; it stays as long, though others want another size. */
  private readonly takers = new Map<Composition, number>();
  private untilMs = 0;

  constructor(options: SnapshotOptions) {
    this.options = options;
  }

  /** The composition whose streams are to be decoded; null when nobody has looked for a while. */
  inUse(nowMs: number): Composition | null {
    if (this.composition !== null && nowMs > this.untilMs) this.close();
    return this.composition;
  }

  /** JPEG, base64. */
  async take(width: number, canvas: { width: number; height: number }, nowMs: number): Promise<string> {
    this.untilMs = nowMs + KEPT_MS;
    const composition = this.sized(Math.min(canvas.width, Math.max(MIN_WIDTH, width)), canvas);
    this.takers.set(composition, (this.takers.get(composition) ?? 0) + 1);
    try {
      composition.paint(nowMs);
      // Names of somebody new are written meanwhile, and are there at the second time.
      await this.options.texts.written();
      composition.paint(nowMs);
      const jpeg = await this.options.engine.jpegOf(composition.canvas, QUALITY);
      return Buffer.from(jpeg).toString('base64');
    } finally {
      this.taken(composition);
    }
  }

  /** What is being made is still finished. */
  close(): void {
    const { composition } = this;
    this.composition = null;
    if (composition !== null && !this.takers.has(composition)) composition.close();
  }

  private taken(composition: Composition): void {
    const others = this.takers.get(composition)! - 1;
    if (others > 0) return void this.takers.set(composition, others);
    this.takers.delete(composition);
    if (composition !== this.composition) composition.close();
  }

  private sized(width: number, canvas: { width: number; height: number }): Composition {
    const evenWidth = 2 * Math.round(width / 2);
    const height = 2 * Math.round((evenWidth * canvas.height) / canvas.width / 2);
    const { composition } = this;
    const sameSize = composition?.tier.width === evenWidth && composition.tier.height === height;
    if (composition !== null && sameSize && composition.view === this.options.view()) return composition;
    this.close();
    this.composition = this.options.compose({ width: evenWidth, height, everyNth: 1, fps: 1, minBps: 0, maxBps: 0 });
    return this.composition;
  }
}
