import type { VideoScene } from '../../video-protocol.ts';
import type { Canvas } from '../engine/canvas.ts';
import type { Rect } from '../engine/planar-picture.ts';
import { even } from '../layout/grid.ts';
import { blend } from './blend.ts';
import { THEMES } from './colours.ts';
import type { IconName } from './icons.ts';
import { shownName } from './names.ts';
import { type Sprite, SpriteDrawing } from './sprite.ts';
import type { Texts } from './texts.ts';
import { barSprite } from './tile-sprites.ts';

const TITLE_SHARE = 0.6;
/** Said in the same letters in most languages. */
const RECORDING_TEXT = 'REC';

interface Piece {
  sprite: Sprite;
  x: number;
  y: number;
}

type Seen = Pick<VideoScene, 'title' | 'recording' | 'theme'> & { waiting: boolean };

/** What is written over the whole: the title, and that it is recorded. */
export class Overlay {
  private readonly canvas: Canvas;
  private readonly texts: Texts;
  private seen: Seen | null = null;
  private complete = false;
  private pieces: Piece[] = [];

  constructor(canvas: Canvas, texts: Texts) {
    this.canvas = canvas;
    this.texts = texts;
  }

  /** `waiting`: nobody is to be seen, so the title stands in the middle. True: it looks other than before. */
  update({ title, recording, theme }: VideoScene, waiting: boolean): boolean {
    const { seen } = this;
    const same =
      seen?.title === title && seen.recording === recording && seen.theme === theme && seen.waiting === waiting;
    if (same && this.complete) return false;
    this.seen = { title, recording, theme, waiting };
    const before = this.pieces;
    this.complete = true;
    const pieces = [this.title(this.seen), this.recording(recording)].filter((piece) => piece !== null);
    // Still waiting for the same text: nothing new to see.
    if (same && pieces.length === before.length) return false;
    this.pieces = pieces;
    return true;
  }

  paint(clip: Rect): void {
    for (const { sprite, x, y } of this.pieces) blend(this.canvas, sprite, x, y, clip);
  }

  private title({ title, theme, waiting }: Seen): Piece | null {
    const { width, height } = this.canvas;
    const text = shownName(title ?? '');
    if (text === '') return null;
    const line = waiting ? lineHeight(height / 11, 20, 96) : this.line;
    const bitmap = this.texts.get(text, line, even(width * (waiting ? 0.9 : TITLE_SHARE)), true);
    if (bitmap === null) this.complete = false;
    if (bitmap === null || bitmap.width === 0) return null;
    if (!waiting) return this.at(barSprite([], bitmap, { icon: 0, padding: this.padding }), 'left');
    const drawing = new SpriteDrawing(bitmap.width, bitmap.height);
    drawing.stamp(bitmap, 0, 0, THEMES[theme].title);
    const sprite = drawing.finish();
    return { sprite, x: even((width - sprite.width) / 2), y: even((height - sprite.height) / 2) };
  }

  private recording(recording: VideoScene['recording']): Piece | null {
    if (recording === 'off') return null;
    const icon: IconName = recording === 'paused' ? 'paused' : 'recording';
    const bitmap = this.texts.get(RECORDING_TEXT, this.line, even(this.canvas.width / 4), true);
    if (bitmap === null) {
      this.complete = false;
      return null;
    }
    return this.at(barSprite([icon], bitmap, { icon: this.line, padding: this.padding }), 'right');
  }

  private at(sprite: Sprite | null, side: 'left' | 'right'): Piece | null {
    if (sprite === null) return null;
    const margin = lineHeight(this.canvas.height / 40, 4, 24);
    return { sprite, x: side === 'left' ? margin : this.canvas.width - margin - sprite.width, y: margin };
  }

  private get line(): number {
    return lineHeight(this.canvas.height / 26, 12, 40);
  }

  private get padding(): number {
    return lineHeight(this.line * 0.35, 2, 12);
  }
}

function lineHeight(height: number, least: number, most: number): number {
  return even(Math.min(Math.max(height, least), most));
}
