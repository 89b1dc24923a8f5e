/**
 * Who is seen in which place of one composition: a layout, and possibly somebody who does not see themselves. The sizes of
 * one composition may share a stage: places are the same in each.
 *
 * First come those whom a moderator has put in front, then the speakers of late, then pictures, then cards; of these, who
 * spoke last. Where there are too few places, the one who spoke longest ago gives way. Nobody else moves.
 */

import type { LayoutName, VideoScene } from '../../video-protocol.ts';
import { type Arrangement, arrange, MOST_IN_GRID, MOST_IN_STRIP, MOST_LARGE, type Size, type Tile } from './arrange.ts';
import type { Cast } from './cast.ts';
import { Seats } from './seats.ts';

/** So many who spoke last are seen before all others, with a picture or without. */
const SPEAKERS_OF_LATE = 4;
/** `auto` shows so many alike. */
const MOST_ALIKE = 9;

/** Who is where, for a canvas of any size. */
type Seating = Omit<Arrangement, 'canvas'>;

export class Stage {
  private readonly layout: LayoutName;
  private readonly leftOut: string | null;
  private readonly seats = new Seats();
  private seating: Seating = { layout: 'grid', large: [], places: [], slides: null };
  private readonly arranged = new Map<string, Tile[]>();
  /** What `seating` was made of. */
  private madeOf: readonly unknown[] = [];

  /** `leftOut`: who does not see themselves; null: nobody. */
  constructor(layout: LayoutName, leftOut: string | null) {
    this.layout = layout;
    this.leftOut = leftOut;
  }

  /**
   * After each `cast.update`; does nothing when nothing has changed.
   * `slidesAspect`: width by height of the pictures of `scene.slides`; null: they have no place here.
   */
  update(scene: VideoScene, cast: Cast, slidesAspect: number | null): void {
    const madeOf = [scene.spotlight, scene.places, scene.slides, cast.version, slidesAspect];
    if (madeOf.every((value, index) => value === this.madeOf[index])) return;
    this.madeOf = madeOf;
    const ranked = this.rank(scene, cast);
    const slides = scene.slides === null || slidesAspect === null ? null : { leg: scene.slides, aspect: slidesAspect };
    const spotlit = ranked.filter((leg) => scene.spotlight.includes(leg)).length;
    const layout = this.settle(ranked.length, scene, spotlit);
    this.seating = { layout, slides, ...this.choose(layout, ranked, spotlit, scene, cast, slides !== null) };
    this.arranged.clear();
  }

  /** The same array for the same size until `update`. */
  tiles(canvas: Size): Tile[] {
    const { width, height } = canvas;
    const size = `${width}x${height}`;
    let tiles = this.arranged.get(size);
    if (tiles === undefined) {
      tiles = arrange({ ...this.seating, canvas: { width, height } });
      this.arranged.set(size, tiles);
    }
    return tiles;
  }

  private settle(count: number, scene: VideoScene, spotlit: number): Seating['layout'] {
    if (this.layout !== 'auto') return this.layout;
    if (scene.places.length > 0) return 'grid';
    if (count <= 1) return 'single';
    if (count === 2) return 'side-by-side';
    return count <= MOST_ALIKE && spotlit === 0 ? 'grid' : 'speaker';
  }

  private rank(scene: VideoScene, cast: Cast): string[] {
    const cameras: string[] = [];
    const cards: string[] = [];
    const here = new Set(cast.present);
    for (const leg of [...cast.spoke, ...cast.present]) (cast.withPicture.has(leg) ? cameras : cards).push(leg);
    const spotlight = scene.spotlight.filter((leg) => here.has(leg));
    const ranked = new Set([...spotlight, ...cast.spoke.slice(0, SPEAKERS_OF_LATE), ...cameras, ...cards]);
    if (this.leftOut !== null) ranked.delete(this.leftOut);
    return [...ranked];
  }

  private choose(
    layout: Seating['layout'],
    ranked: string[],
    spotlit: number,
    scene: VideoScene,
    cast: Cast,
    slides: boolean,
  ): Pick<Seating, 'large' | 'places'> {
    const strip = (people: string[]): string[] => this.seat(people.slice(0, MOST_IN_STRIP), cast);
    switch (layout) {
      case 'single':
        return { large: ranked.slice(0, 1), places: [] };
      case 'picture-in-picture':
        return slides
          ? { large: [], places: ranked.slice(0, 1) }
          : { large: ranked.slice(0, 1), places: ranked.slice(1, 2) };
      case 'side-by-side':
        if (slides) return { large: [], places: ranked.slice(0, 1) };
        return { large: [], places: this.fixed(scene.places.slice(0, 2), ranked, 2, cast) };
      case 'speaker': {
        if (slides) return { large: [], places: strip(ranked) };
        const large = ranked.slice(0, Math.min(Math.max(spotlit, 1), MOST_LARGE));
        return { large, places: strip(ranked.slice(large.length)) };
      }
      case 'grid':
        if (slides) return { large: [], places: strip(ranked) };
        return { large: [], places: this.inGrid(ranked, spotlit, scene, cast) };
    }
  }

  /** Those in front come first, but keep their place for afterwards. */
  private inGrid(ranked: string[], spotlit: number, scene: VideoScene, cast: Cast): (string | null)[] {
    if (scene.places.length > 0) return this.fixed(scene.places, ranked, MOST_IN_GRID, cast);
    const seated = this.seat(ranked.slice(0, MOST_IN_GRID), cast);
    const front = ranked.slice(0, spotlit);
    return [...front, ...seated.filter((leg) => !front.includes(leg))].slice(0, MOST_IN_GRID);
  }

  /** `places`: see the scene. Places beyond them, and those for whoever comes, are taken in order. */
  private fixed(places: (string | null)[], ranked: string[], most: number, cast: Cast): (string | null)[] {
    const own = new Set(places.slice(0, most).filter((leg) => leg !== null));
    const others = ranked.filter((leg) => !own.has(leg));
    const free = this.seat(others.slice(0, Math.max(most - own.size, 0)), cast);
    const row: (string | null)[] = [];
    for (const leg of places.slice(0, most)) {
      if (leg === null) row.push(free.shift() ?? null);
      else if (own.delete(leg)) row.push(ranked.includes(leg) ? leg : null);
    }
    return [...row, ...free].slice(0, most);
  }

  /** Those who come anew are placed as they came to the room, pictures first. */
  private seat(people: string[], cast: Cast): string[] {
    const wanted = new Set(people);
    const inOrder = cast.present.filter((leg) => wanted.has(leg));
    return this.seats.seat(inOrder, cast.withPicture);
  }
}
