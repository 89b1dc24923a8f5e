/**
 * Where on a canvas everybody is shown. Geometry only: who is shown is decided by `stage.ts`.
 *
 * Tiles do not overlap, but for the small one of picture-in-picture, which comes after the large one and is painted over it.
 */

import type { LayoutName } from '../../video-protocol.ts';
import { even, fitted, fittedTile, grid, NARROWEST_TILE, type Rectangle, WIDEST_TILE } from './grid.ts';

export type TileKind = 'camera' | 'slides';

/** All numbers are even. */
export interface Tile extends Rectangle {
  /** Null: a fixed place whose participant is not there. */
  leg: string | null;
  kind: TileKind;
  /** Shown larger than others. */
  large: boolean;
}

export interface Size {
  width: number;
  height: number;
}

export type SettledLayout = Exclude<LayoutName, 'auto'>;

export interface Arrangement {
  layout: SettledLayout;
  /** Even numbers. */
  canvas: Size;
  /** Who has a large place; in `grid` and `side-by-side` nobody. */
  large: readonly string[];
  /** Who has a small place, or a place among equals; null: it stays empty. */
  places: readonly (string | null)[];
  /** `aspect`: width by height. */
  slides: { leg: string; aspect: number } | null;
}

export const MOST_IN_GRID = 49;
/** More would be too small to know somebody by. */
export const MOST_IN_STRIP = 8;
export const MOST_LARGE = 4;

/** A strip takes no more than this of the canvas. */
const STRIP_SHARE = 1 / 5;
const CORNER_SHARE = 1 / 4;
/** Of the canvas' shorter side. */
const GAP_SHARE = 1 / 90;

export function arrange(arrangement: Arrangement): Tile[] {
  const { layout, large, places, slides } = arrangement;
  const whole = { x: 0, y: 0, ...arrangement.canvas };
  const gap = Math.max(even(Math.min(whole.width, whole.height) * GAP_SHARE), 2);
  if (layout === 'picture-in-picture') return pictureInPicture(arrangement, whole, gap);
  if (slides !== null && layout === 'side-by-side') return slidesBeside(slides, places, inset(whole, gap), gap);
  if (slides !== null) return slidesAndStrip(slides, layout === 'single' ? [] : places, whole, gap);
  if (layout === 'single') return large.slice(0, 1).map((leg) => tileAt(fittedTile(whole), leg, true));
  if (layout === 'speaker') return speakerAndStrip(large, places, whole, gap);
  return equals(places, whole, gap);
}

function tileAt(at: Rectangle, leg: string | null, large: boolean): Tile {
  return { leg, kind: 'camera', ...at, large };
}

function inset(area: Rectangle, by: number): Rectangle {
  return { x: area.x + by, y: area.y + by, width: area.width - 2 * by, height: area.height - 2 * by };
}

/** One alone has the whole canvas, without a margin. */
function equals(places: readonly (string | null)[], whole: Rectangle, gap: number): Tile[] {
  const [first] = places;
  if (first !== undefined && places.length === 1) return [tileAt(fittedTile(whole), first, false)];
  return grid(inset(whole, gap), places.length, gap).map((at, index) => tileAt(at, places[index] ?? null, false));
}

function speakerAndStrip(
  large: readonly string[],
  places: readonly (string | null)[],
  whole: Rectangle,
  gap: number,
): Tile[] {
  if (large.length === 1 && places.length === 0) return large.map((leg) => tileAt(fittedTile(whole), leg, true));
  const inner = inset(whole, gap);
  const { main, small } = stripBelow(inner, places.length, gap);
  const larges = grid(main, large.length, gap);
  return [
    ...larges.map((at, index) => tileAt(at, large[index] ?? null, true)),
    ...small.map((at, index) => tileAt(at, places[index] ?? null, false)),
  ];
}

function slidesAndStrip(
  slides: { leg: string; aspect: number },
  places: readonly (string | null)[],
  whole: Rectangle,
  gap: number,
): Tile[] {
  const slidesAt = (at: Rectangle): Tile => ({ leg: slides.leg, kind: 'slides', ...at, large: true });
  if (places.length === 0) return [slidesAt(fitted(whole, slides.aspect))];
  const inner = inset(whole, gap);
  const ways = [stripBelow(inner, places.length, gap), stripBeside(inner, places.length, gap)].map(
    ({ main, small }) => ({
      main: fitted(main, slides.aspect),
      small,
    }),
  );
  const [below, beside] = ways as [Split, Split];
  const { main, small } = areaOf(beside.main) > areaOf(below.main) ? beside : below;
  return [slidesAt(main), ...small.map((at, index) => tileAt(at, places[index] ?? null, false))];
}

interface Split {
  main: Rectangle;
  small: Rectangle[];
}

function areaOf({ width, height }: Rectangle): number {
  return width * height;
}

function stripBelow(area: Rectangle, count: number, gap: number): Split {
  if (count === 0) return { main: area, small: [] };
  const height = area.height > area.width ? rowsHeight(area, count, gap) : stripHeight(area, count, gap);
  const strip = { ...area, y: area.y + area.height - height, height };
  return { main: { ...area, height: area.height - height - gap }, small: grid(strip, count, gap) };
}

function stripHeight(area: Rectangle, count: number, gap: number): number {
  const widest = (area.width - (count - 1) * gap) / count;
  return even(Math.min(area.height * STRIP_SHARE, widest / WIDEST_TILE));
}

/** Where the canvas is higher than wide: rows of two and more, below a speaker of the full width. */
function rowsHeight(area: Rectangle, count: number, gap: number): number {
  const rows = Math.ceil(count / 2);
  const highest = area.width / 2 / NARROWEST_TILE;
  return even(Math.min(area.height - gap - area.width / WIDEST_TILE, rows * (highest + gap) - gap));
}

function stripBeside(area: Rectangle, count: number, gap: number): Split {
  const highest = (area.height - (count - 1) * gap) / count;
  const width = even(Math.min(area.width * STRIP_SHARE, highest * WIDEST_TILE));
  const strip = { ...area, x: area.x + area.width - width, width };
  return { main: { ...area, width: area.width - width - gap }, small: grid(strip, count, gap) };
}

function slidesBeside(
  slides: { leg: string; aspect: number },
  places: readonly (string | null)[],
  area: Rectangle,
  gap: number,
): Tile[] {
  const halves = grid(area, places.length === 0 ? 1 : 2, gap);
  const [left, right] = halves as [Rectangle, Rectangle | undefined];
  const shown: Tile = { leg: slides.leg, kind: 'slides', ...fitted(left, slides.aspect), large: true };
  return right === undefined ? [shown] : [shown, tileAt(right, places[0] ?? null, false)];
}

/** The corner is the lower right one: names are at the left, and what is recorded is said above. */
function pictureInPicture(arrangement: Arrangement, whole: Rectangle, gap: number): Tile[] {
  const { large, places, slides } = arrangement;
  const tiles: Tile[] = [];
  if (slides !== null) {
    tiles.push({ leg: slides.leg, kind: 'slides', ...fitted(whole, slides.aspect), large: true });
  } else if (large[0] !== undefined) {
    tiles.push(tileAt(fittedTile(whole), large[0], true));
  }
  if (places.length === 0) return tiles;
  const width = even(whole.width * CORNER_SHARE);
  const height = even(width / WIDEST_TILE);
  const margin = 2 * gap;
  const corner = { x: whole.width - width - margin, y: whole.height - height - margin, width, height };
  return [...tiles, tileAt(corner, places[0] ?? null, false)];
}
