import type { SceneParticipant, VideoScene } from '../../video-protocol.ts';
import type { Canvas } from '../engine/canvas.ts';
import type { Picture } from '../engine/picture.ts';
import type { PictureScaler } from '../engine/picture-scaler.ts';
import type { Tile } from '../layout/arrange.ts';
import { blend } from './blend.ts';
import { OVERLAY, THEMES, type Theme } from './colours.ts';
import type { IconName } from './icons.ts';
import { initialsOf, shownName } from './names.ts';
import type { Sprite } from './sprite.ts';
import type { Texts } from './texts.ts';
import { type TileSizes, tileSizes } from './tile-sizes.ts';
import { barIconsWidth, barSprite, discSprite, type TileFrame, tileFrame } from './tile-sprites.ts';

/** Letters fill about this much of a disc's height. */
const INITIALS_SHARE = 0.52;
/** Less than this shows no name, only its first letters. */
const LEAST_NAME_WIDTH = 24;

/** Decoded, or drawn. */
export type ShownPicture = Picture | Canvas;

export interface TileSurroundings {
  canvas: Canvas;
  scaler: Pick<PictureScaler, 'draw'>;
  texts: Texts;
}

/** All of a scene that one tile shows, besides its picture. */
interface Look {
  /** False: a card would be nobody's. */
  somebody: boolean;
  name: string;
  named: boolean;
  talking: boolean;
  muted: boolean;
  hand: boolean;
  camera: boolean;
  theme: VideoScene['theme'];
  fill: VideoScene['fill'];
}

/** One tile of a composition: knows what it has painted, and so whether it has to again. */
export class TilePainter {
  readonly tile: Tile;
  /** Only to be compared. Undefined: nothing has been painted yet. */
  painted: ShownPicture | null | undefined = undefined;
  private readonly to: TileSurroundings;
  private readonly sizes: TileSizes;
  private readonly round: boolean;
  /** It reaches over the canvas. */
  private readonly whole: boolean;
  private look: Look | null = null;
  private theme: Theme = THEMES.dark;
  private bar: Sprite | null = null;
  private disc: Sprite | null = null;
  private frame: TileFrame | null = null;
  /** A text is still being drawn. */
  private waitsForName = false;
  private waitsForInitials = false;

  /** `round`: on the background, not on another tile. */
  constructor(tile: Tile, to: TileSurroundings, round: boolean) {
    this.tile = tile;
    this.to = to;
    this.sizes = tileSizes(tile);
    this.whole = tile.width >= to.canvas.width || tile.height >= to.canvas.height;
    this.round = round && !this.whole && tile.kind === 'camera';
  }

  /** True: it must be painted again, even if its picture is the same. */
  update(scene: VideoScene, person: SceneParticipant | null): boolean {
    const before = this.look;
    const look = this.lookOf(scene, person);
    if (before !== null && alike(look, before)) return this.fetchTexts();
    this.look = look;
    this.theme = THEMES[look.theme];
    if (look.talking !== before?.talking || look.theme !== before.theme) this.frame = this.frameOf(look);
    if (look.name !== before?.name) this.disc = null;
    if (before === null || !sameBar(look, before)) {
      this.bar = null;
      this.waitsForName = true;
    }
    this.fetchTexts();
    return true;
  }

  /** What is shown of `picture`: nothing of a camera that is turned off. */
  shown(picture: ShownPicture | null): ShownPicture | null {
    return this.look === null || (!this.look.camera && this.tile.kind === 'camera') ? null : picture;
  }

  paint(picture: ShownPicture | null): void {
    const { tile, look } = this;
    const { canvas, scaler } = this.to;
    this.painted = picture;
    const fill = tile.kind === 'slides' ? 'fit' : (look?.fill ?? 'crop');
    const drawn = picture !== null && scaler.draw(picture, canvas, tile, fill, this.theme.card) !== null;
    if (!drawn) this.paintCard();
    this.paintFrame();
    if (this.bar === null) return;
    const { margin } = this.sizes;
    blend(canvas, this.bar, tile.x + margin, tile.y + tile.height - margin - this.bar.height, tile);
  }

  /** True: there is something new to see. */
  fetchTexts(): boolean {
    let changed = false;
    if (this.waitsForName) changed = this.fetchName();
    if (this.waitsForInitials) changed = this.fetchInitials() || changed;
    return changed;
  }

  private fetchName(): boolean {
    const { look, sizes, tile } = this;
    if (look === null) return false;
    const icons = this.icons(look);
    const { icon, padding, margin, nameHeight } = sizes;
    const space = tile.width - 2 * margin - 4 * padding - barIconsWidth(icons.length, icon, padding, true);
    const named = look.named && nameHeight > 0 && space >= LEAST_NAME_WIDTH;
    const text = named ? this.to.texts.get(shownName(look.name), nameHeight, space, false) : null;
    this.waitsForName = named && text === null;
    const before = this.bar;
    // Marks do not wait for the name.
    if (!this.waitsForName || before === null) this.bar = barSprite(icons, text, sizes);
    return this.bar !== before;
  }

  private fetchInitials(): boolean {
    const { look } = this;
    const { disc } = this.sizes;
    if (look === null) return false;
    const initials = initialsOf(look.name);
    const height = Math.floor((disc * INITIALS_SHARE) / 2) * 2;
    const text = initials === '' ? null : this.to.texts.get(initials, height, Math.floor(disc * 0.84), true);
    this.waitsForInitials = initials !== '' && text === null;
    if (this.waitsForInitials) return false;
    this.disc = discSprite(look.name, text === null || text.width === 0 ? null : text, disc);
    return true;
  }

  private paintCard(): void {
    const { tile, theme, look, sizes } = this;
    const { canvas } = this.to;
    canvas.fill(tile, look?.somebody ? theme.card : theme.empty);
    if (!look?.somebody) return;
    if (this.disc === null) {
      this.waitsForInitials = true;
      this.fetchInitials();
    }
    if (this.disc === null) return;
    const x = tile.x + Math.floor((tile.width - sizes.disc) / 4) * 2;
    const y = tile.y + Math.floor((tile.height - sizes.disc) / 4) * 2;
    blend(canvas, this.disc, x, y, tile);
  }

  private paintFrame(): void {
    if (this.frame === null) return;
    const { canvas } = this.to;
    const { x, y, width, height } = this.tile;
    const { corners, border } = this.frame;
    if (border > 0) {
      canvas.fill({ x, y, width, height: border }, OVERLAY.talking);
      canvas.fill({ x, y: y + height - border, width, height: border }, OVERLAY.talking);
      canvas.fill({ x, y, width: border, height }, OVERLAY.talking);
      canvas.fill({ x: x + width - border, y, width: border, height }, OVERLAY.talking);
    }
    const [first] = corners;
    const right = x + width - first.width;
    const below = y + height - first.height;
    blend(canvas, corners[0], x, y, this.tile);
    blend(canvas, corners[1], right, y, this.tile);
    blend(canvas, corners[2], x, below, this.tile);
    blend(canvas, corners[3], right, below, this.tile);
  }

  /** Who fills the whole canvas needs no border to be told from others. */
  private frameOf(look: Look): TileFrame | null {
    const talking = look.talking && !this.whole;
    if (!this.round && !talking) return null;
    return tileFrame(this.sizes, talking, this.round ? this.theme.background : null);
  }

  private icons(look: Look): IconName[] {
    if (this.sizes.icon === 0) return [];
    const icons: IconName[] = [];
    if (look.hand) icons.push('hand');
    if (look.muted) icons.push('mic-off');
    if (!look.camera) icons.push('camera-off');
    return icons;
  }

  /** Slides have nothing of their participant, which would only cover them. */
  private lookOf({ theme, fill, names }: VideoScene, person: SceneParticipant | null): Look {
    if (person === null || this.tile.kind === 'slides') {
      const nobody = {
        somebody: false,
        name: '',
        named: false,
        talking: false,
        muted: false,
        hand: false,
        camera: true,
      };
      return { ...nobody, theme, fill };
    }
    const { name, talking, muted, hand, camera } = person;
    return { somebody: true, name, named: names, talking, muted, hand, camera, theme, fill };
  }
}

function alike(one: Look, other: Look): boolean {
  return sameBar(one, other) && one.talking === other.talking && one.theme === other.theme && one.fill === other.fill;
}

function sameBar(one: Look, other: Look): boolean {
  return (
    one.somebody === other.somebody &&
    one.name === other.name &&
    one.named === other.named &&
    one.muted === other.muted &&
    one.hand === other.hand &&
    one.camera === other.camera
  );
}
