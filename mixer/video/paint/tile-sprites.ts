/** What is drawn over tiles, each piece once for as long as it looks the same. */

import type { Yuv } from '../engine/planar-picture.ts';
import type { TextBitmap } from '../engine/text-renderer.ts';
import { even } from '../layout/grid.ts';
import { OVERLAY, personColour } from './colours.ts';
import { drawIcon, type IconName } from './icons.ts';
import { both, disc, outside, roundedRectangle } from './shapes.ts';
import { type Sprite, SpriteDrawing } from './sprite.ts';
import type { TileSizes } from './tile-sizes.ts';

const ICON_COLOURS: Record<IconName, Yuv> = {
  'mic-off': OVERLAY.muted,
  'camera-off': OVERLAY.text,
  hand: OVERLAY.hand,
  person: OVERLAY.text,
  recording: OVERLAY.recording,
  paused: OVERLAY.hand,
};

/** A translucent bar with marks and a text; null: there is nothing to say. */
export function barSprite(
  icons: readonly IconName[],
  text: TextBitmap | null,
  { icon, padding }: Pick<TileSizes, 'icon' | 'padding'>,
): Sprite | null {
  const textWidth = text?.width ?? 0;
  if (icons.length === 0 && textWidth === 0) return null;
  const line = Math.max(icon, text?.height ?? 0);
  const side = textWidth === 0 ? padding : 2 * padding;
  const width = 2 * side + barIconsWidth(icons.length, icon, padding, textWidth > 0) + textWidth;
  const drawing = new SpriteDrawing(width, line + padding);
  const whole = { x: 0, y: 0, width: drawing.width, height: drawing.height };
  drawing.shape(roundedRectangle(whole, drawing.height * 0.28), OVERLAY.bar, OVERLAY.barOpacity);
  let x = side;
  for (const name of icons) {
    drawing.place(drawIcon(name, icon, ICON_COLOURS[name]), x, (drawing.height - icon) / 2);
    x += icon + padding;
  }
  if (text !== null)
    drawing.stamp(text, drawing.width - side - textWidth, (drawing.height - text.height) / 2, OVERLAY.text);
  return drawing.finish();
}

/** Width of the marks within a bar, with the space behind each that something follows. */
export function barIconsWidth(count: number, icon: number, padding: number, textFollows: boolean): number {
  return count === 0 ? 0 : count * (icon + padding) - (textFollows ? 0 : padding);
}

/** A disc in the colour of a name, with initials; or with a figure when there are none. */
export function discSprite(name: string, initials: TextBitmap | null, diameter: number): Sprite {
  const drawing = new SpriteDrawing(diameter, diameter);
  const middle = { x: drawing.width / 2, y: drawing.height / 2 };
  const round = disc(middle, diameter / 2 - 0.5);
  drawing.shape(round, personColour(name));
  if (initials === null) {
    const side = diameter * 0.62;
    drawing.place(drawIcon('person', side, OVERLAY.text), middle.x - side / 2, middle.y - side / 2);
  } else {
    const { width, height } = initials;
    drawing.stamp(initials, middle.x - width / 2, middle.y - height / 2, OVERLAY.text);
  }
  return drawing.finish();
}

/** The border of a tile: its corners, upper left, upper right, lower left, lower right, and what the lines have. */
export interface TileFrame {
  corners: readonly [Sprite, Sprite, Sprite, Sprite];
  /** Thickness of the lines; 0: no border, only round corners. */
  border: number;
}

/** `talking`: with the border of who talks. `background`: what is seen beside the round corners; null: they are not round. */
export function tileFrame({ radius, border }: TileSizes, talking: boolean, background: Yuv | null): TileFrame {
  const thickness = talking ? border : 0;
  const side = even(Math.max(background === null ? 0 : radius, thickness) + 1);
  const corner = (right: boolean, below: boolean): Sprite => {
    const drawing = new SpriteDrawing(side, side);
    const whole = { x: 0, y: 0, width: drawing.width, height: drawing.height };
    const big = 4 * side;
    const tile = { x: right ? side - big : 0, y: below ? side - big : 0, width: big, height: big };
    const outer = roundedRectangle(tile, background === null ? 0 : radius);
    if (thickness > 0) {
      const { x, y, width, height } = tile;
      const within = {
        x: x + thickness,
        y: y + thickness,
        width: width - 2 * thickness,
        height: height - 2 * thickness,
      };
      const inner = outside(roundedRectangle(within, Math.max(radius - thickness, 0)), whole);
      drawing.shape(background === null ? inner : both(inner, outer), OVERLAY.talking);
    }
    if (background !== null) drawing.shape(outside(outer, whole), background);
    return drawing.finish();
  };
  return {
    corners: [corner(false, false), corner(true, false), corner(false, true), corner(true, true)],
    border: thickness,
  };
}
