import type { VideoScene } from '../../video-protocol.ts';
import type { Canvas } from '../engine/canvas.ts';
import type { PictureScaler } from '../engine/picture-scaler.ts';
import type { Rect } from '../engine/planar-picture.ts';
import type { Tile } from '../layout/arrange.ts';
import { THEMES } from './colours.ts';
import { Overlay } from './overlay.ts';
import type { Texts } from './texts.ts';
import { type ShownPicture, TilePainter } from './tile-painter.ts';

export interface PainterOptions {
  /** Nobody else may paint on it. */
  canvas: Canvas;
  /** Both may be shared by all painters of a process. */
  scaler: Pick<PictureScaler, 'draw'>;
  texts: Texts;
}

export interface PaintInput {
  scene: VideoScene;
  /** In the order in which they are painted. Empty: the title alone. */
  tiles: readonly Tile[];
  /** The newest picture for a tile that has a leg; lent until `paint` returns. Another picture is another object. */
  picture(tile: Tile): ShownPicture | null;
}

interface Place {
  painter: TilePainter;
  /** Earlier ones that it lies on: painted, they have painted over it. */
  below: Place[];
  painted: boolean;
}

/**
 * Paints one composition on its canvas, which keeps what is painted: so of each picture only the tiles are painted whose
 * picture or look has changed. Texts come later than what they stand on, and are painted with the picture after.
 */
export class Painter {
  private readonly options: PainterOptions;
  private readonly overlay: Overlay;
  private tiles: readonly Tile[] | null = null;
  private places: Place[] = [];
  /** As painted last; null: looks are to be taken anew. */
  private scene: VideoScene | null = null;
  private theme: VideoScene['theme'] | null = null;

  constructor(options: PainterOptions) {
    this.options = options;
    this.overlay = new Overlay(options.canvas, options.texts);
  }

  /** True when something on the canvas has changed. */
  paint({ scene, tiles, picture }: PaintInput): boolean {
    const moved = this.rearrange(tiles);
    const written = this.overlay.update(scene, tiles.length === 0);
    const all = moved || written || this.theme !== scene.theme;
    const looks = this.updateLooks(scene);
    if (all) this.paintBackground(scene);
    this.theme = scene.theme;
    let painted = all;
    this.places.forEach((place, index) => {
      if (this.paintPlace(place, all || looks[index] === true, picture)) painted = true;
    });
    return painted;
  }

  /** Keeps those who stay where they are. True when places themselves are other ones than before. */
  private rearrange(tiles: readonly Tile[]): boolean {
    if (tiles === this.tiles) return false;
    const before = this.places;
    const moved = this.tiles === null || !sameRectangles(tiles, this.tiles);
    this.tiles = tiles;
    this.scene = null;
    const places: Place[] = [];
    for (const [index, tile] of tiles.entries()) {
      const below = places.filter((place) => overlap(place.painter.tile, tile));
      const old = moved ? undefined : before[index]?.painter;
      const stays = old !== undefined && old.tile.leg === tile.leg && old.tile.kind === tile.kind;
      const painter = stays ? old : new TilePainter(tile, this.options, below.length === 0);
      places.push({ painter, below, painted: false });
    }
    this.places = places;
    return moved;
  }

  /** For each place: whether it looks other than before. */
  private updateLooks(scene: VideoScene): boolean[] {
    if (scene === this.scene) return this.places.map(({ painter }) => painter.fetchTexts());
    this.scene = scene;
    const people = new Map(scene.participants.map((person) => [person.leg, person]));
    return this.places.map(({ painter }) => {
      const { leg } = painter.tile;
      return painter.update(scene, leg === null ? null : (people.get(leg) ?? null));
    });
  }

  private paintBackground(scene: VideoScene): void {
    const { canvas } = this.options;
    const whole = { x: 0, y: 0, width: canvas.width, height: canvas.height };
    canvas.fill(whole, THEMES[scene.theme].background);
    this.overlay.paint(whole);
  }

  private paintPlace(place: Place, must: boolean, pictureOf: PaintInput['picture']): boolean {
    const { painter, below } = place;
    const picture = painter.shown(painter.tile.leg === null ? null : pictureOf(painter.tile));
    place.painted = must || painter.painted !== picture || below.some(({ painted }) => painted);
    if (!place.painted) return false;
    painter.paint(picture);
    this.overlay.paint(painter.tile);
    return true;
  }
}

function sameRectangles(tiles: readonly Tile[], others: readonly Tile[]): boolean {
  if (tiles.length !== others.length) return false;
  return tiles.every(({ x, y, width, height }, index) => {
    const other = others[index];
    return other?.x === x && other.y === y && other.width === width && other.height === height;
  });
}

function overlap(one: Rect, other: Rect): boolean {
  return (
    one.x < other.x + other.width &&
    other.x < one.x + one.width &&
    one.y < other.y + other.height &&
    other.y < one.y + one.height
  );
}
