import type { VideoScene } from '../video-protocol.ts';
import type { Canvas } from './engine/canvas.ts';
import type { Engine } from './engine/engine.ts';
import type { Picture } from './engine/picture.ts';
import type { PictureScaler } from './engine/picture-scaler.ts';
import type { Tile } from './layout/arrange.ts';
import { Painter } from './paint/painter.ts';
import type { Texts } from './paint/texts.ts';
import type { Tier } from './picture-tiers.ts';
import type { RoomView } from './room-view.ts';
import type { EncoderFormat, SharedEncoder } from './shared-encoder.ts';
import type { VideoCounts } from './video-counts.ts';

/** A picture in which nothing moves is sent this often all the same, so that what is lost is mended. */
const STILL_EVERY_MS = 200;

export interface CompositionOptions {
  engine: Engine;
  /** Of the process. */
  scaler: PictureScaler;
  texts: Texts;
  counts: VideoCounts;
  view: RoomView;
  tier: Tier;
  scene(): VideoScene;
  /** What is to be seen of a stream now. */
  picture(tile: Tile, nowMs: number): Picture | null;
}

/** One picture of a room as some see it: its canvas, and the encoders that send it. */
export class Composition {
  readonly encoders = new Map<string, SharedEncoder>();
  readonly tier: Tier;
  readonly view: RoomView;
  readonly canvas: Canvas;
  private readonly options: CompositionOptions;
  private readonly painter: Painter;
  private encoding = false;
  private changed = true;
  private encodedMs = Number.NEGATIVE_INFINITY;
  private closed = false;

  constructor(options: CompositionOptions) {
    const { engine, tier, scaler, texts } = options;
    this.options = options;
    this.tier = tier;
    this.view = options.view;
    this.canvas = engine.canvas(tier.width, tier.height);
    this.painter = new Painter({ canvas: this.canvas, scaler, texts });
  }

  /** Where whom is seen now. */
  get tiles(): readonly Tile[] {
    return this.view.tiles(this.tier);
  }

  /** Paints what has changed; true when something has. */
  paint(nowMs: number): boolean {
    const { counts, scene: sceneNow, picture } = this.options;
    const scene = sceneNow();
    // Who waits sees the room's name.
    const shown = this.view.view.waiting ? { ...scene, title: scene.title ?? scene.roomName } : scene;
    const changed = this.painter.paint({ scene: shown, tiles: this.tiles, picture: (tile) => picture(tile, nowMs) });
    if (changed) counts.composed++;
    return changed;
  }

  /** Paints and has it encoded, unless nothing moves, or the encoders are still busy with the picture before. */
  frame(nowMs: number): void {
    if (this.closed) return;
    if (this.encoding) {
      this.options.counts.framesSkipped++;
      return;
    }
    if (this.paint(nowMs)) this.changed = true;
    const encoders = [...this.encoders.values()];
    const still = !this.changed && nowMs - this.encodedMs < STILL_EVERY_MS;
    if (still && !encoders.some((encoder) => encoder.keyFrameDue(nowMs))) return;
    this.changed = false;
    this.encodedMs = nowMs;
    this.encoding = true;
    void Promise.all(encoders.map((encoder) => encoder.encode(this.canvas, nowMs))).finally(() => {
      this.encoding = false;
      if (this.closed) this.free();
    });
  }

  encoder(format: EncoderFormat, make: () => SharedEncoder): SharedEncoder {
    let encoder = this.encoders.get(format.key);
    if (encoder === undefined) {
      encoder = make();
      this.encoders.set(format.key, encoder);
    }
    return encoder;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const encoder of this.encoders.values()) encoder.close();
    this.encoders.clear();
    // What is being encoded still reads the canvas.
    if (!this.encoding) this.free();
  }

  private free(): void {
    this.canvas.close();
  }
}
