import { describe, expect, it } from 'vitest';
import { type Arrangement, arrange, type Size, type Tile } from '../../../mixer/video/layout/arrange.ts';
import { people } from './scenes.ts';

const CANVASES: Size[] = [
  { width: 640, height: 360 },
  { width: 960, height: 540 },
  { width: 1280, height: 720 },
  { width: 1920, height: 1080 },
  { width: 640, height: 480 },
  { width: 720, height: 1280 },
  { width: 352, height: 288 },
  { width: 320, height: 180 },
];
const COUNTS = Array.from({ length: 49 }, (_, index) => index + 1);

function arranged(changed: Partial<Arrangement>): Tile[] {
  return arrange({
    layout: 'grid',
    canvas: { width: 1280, height: 720 },
    large: [],
    places: [],
    slides: null,
    ...changed,
  });
}

function overlap(one: Tile, other: Tile): boolean {
  const across = one.x < other.x + other.width && other.x < one.x + one.width;
  return across && one.y < other.y + other.height && other.y < one.y + one.height;
}

function area(tiles: readonly Tile[]): number {
  return tiles.reduce((sum, { width, height }) => sum + width * height, 0);
}

function expectSound(tiles: readonly Tile[], { width, height }: Size): void {
  for (const tile of tiles) {
    expect([tile.x % 2, tile.y % 2, tile.width % 2, tile.height % 2]).toEqual([0, 0, 0, 0]);
    expect(Math.min(tile.x, tile.y)).toBeGreaterThanOrEqual(0);
    expect(tile.x + tile.width).toBeLessThanOrEqual(width);
    expect(tile.y + tile.height).toBeLessThanOrEqual(height);
    expect(Math.min(tile.width, tile.height)).toBeGreaterThan(0);
  }
}

function expectApart(tiles: readonly Tile[]): void {
  tiles.forEach((tile, index) => {
    for (const other of tiles.slice(index + 1)) expect(overlap(tile, other), JSON.stringify([tile, other])).toBe(false);
  });
}

/** The shape of a camera's tile, as far as even numbers allow. */
function expectShape({ width, height }: Tile): void {
  expect((width - 2) / height).toBeLessThanOrEqual(16 / 9);
  expect((width + 2) / (height - 2)).toBeGreaterThanOrEqual(4 / 3);
}

describe.each(CANVASES)('grid on $width x $height', (canvas) => {
  it('shows 1 to 49, all alike, beside each other', () => {
    for (const count of COUNTS) {
      const places = people(count);
      const tiles = arranged({ canvas, places });
      expect(tiles.map(({ leg }) => leg)).toEqual(places);
      expectSound(tiles, canvas);
      expectApart(tiles);
      expect(new Set(tiles.map(({ width, height }) => `${width}x${height}`)).size).toBe(1);
      for (const tile of tiles) expectShape(tile);
    }
  });

  it('has as many columns as show most of all pictures', () => {
    const gap = 2 * Math.floor(Math.min(canvas.width, canvas.height) / 180);
    for (const count of COUNTS) {
      const [{ width, height }] = arranged({ canvas, places: people(count) }) as [Tile];
      for (let columns = 1; columns <= count; columns++) {
        const cellWidth = canvas.width / columns - gap - 4;
        const cellHeight = canvas.height / Math.ceil(count / columns) - gap - 4;
        const other = Math.min(cellWidth, (cellHeight * 16) / 9) * Math.min(cellHeight, (cellWidth * 3) / 4);
        expect(width * height).toBeGreaterThanOrEqual(other * 0.97);
      }
    }
  });

  it('has its last row in the middle', () => {
    for (const count of COUNTS) {
      const tiles = arranged({ canvas, places: people(count) });
      const bottom = Math.max(...tiles.map(({ y }) => y));
      const last = tiles.filter(({ y }) => y === bottom);
      const left = last[0]!.x;
      const right = canvas.width - last.at(-1)!.x - last.at(-1)!.width;
      expect(Math.abs(left - right)).toBeLessThanOrEqual(4);
    }
  });
});

describe('speaker and strip', () => {
  it.each(CANVASES)('fits on $width x $height', (canvas) => {
    for (let strip = 0; strip <= 8; strip++) {
      for (let large = 1; large <= 4; large++) {
        const legs = people(large + strip);
        const tiles = arranged({ layout: 'speaker', canvas, large: legs.slice(0, large), places: legs.slice(large) });
        expect(tiles.map(({ leg }) => leg)).toEqual(legs);
        expect(tiles.filter((tile) => tile.large).length).toBe(large);
        expectSound(tiles, canvas);
        expectApart(tiles);
        for (const tile of tiles) expectShape(tile);
        if (large === 1 && strip > 0) expect(area(tiles.slice(0, 1))).toBeGreaterThan(2.5 * area(tiles.slice(1, 2)));
      }
    }
  });

  it('gives most of the picture to who speaks', () => {
    const tiles = arranged({ layout: 'speaker', large: ['a'], places: people(5) });
    expect(area(tiles.slice(0, 1)) / (1280 * 720)).toBeGreaterThan(0.55);
  });

  it('gives all of it to one alone', () => {
    for (const layout of ['speaker', 'single'] as const) {
      const [tile, ...others] = arranged({ layout, large: ['a'] });
      expect(tile).toMatchObject({ leg: 'a', x: 0, y: 0, width: 1280, height: 720, large: true });
      expect(others).toEqual([]);
    }
    expect(arranged({ places: ['a'] })[0]).toMatchObject({ x: 0, y: 0, width: 1280, height: 720 });
  });
});

describe('two', () => {
  it('stand side by side in the same size', () => {
    const [left, right] = arranged({ layout: 'side-by-side', places: ['a', 'b'] }) as [Tile, Tile];
    expect([left.width, left.height, left.y]).toEqual([right.width, right.height, right.y]);
    expect(left.x + left.width).toBeLessThan(right.x);
    expect(area([left, right]) / (1280 * 720)).toBeGreaterThan(0.6);
  });

  it('stand in a corner of one another', () => {
    for (const canvas of CANVASES) {
      const tiles = arranged({ layout: 'picture-in-picture', canvas, large: ['a'], places: ['b'] });
      const [large, small] = tiles as [Tile, Tile];
      expectSound(tiles, canvas);
      expect(large.large).toBe(true);
      expect(small.large).toBe(false);
      expect(area([small]) * 5).toBeLessThan(area([large]));
    }
  });
});

describe('slides', () => {
  it.each([16 / 9, 4 / 3, 3 / 2, 9 / 16, 21 / 9])('keep their shape of %f', (aspect) => {
    const slides = { leg: 's', aspect };
    for (const canvas of CANVASES) {
      for (const layout of ['grid', 'speaker', 'side-by-side', 'single'] as const) {
        for (const count of [0, 1, 3, 8]) {
          const tiles = arranged({
            layout,
            canvas,
            slides,
            places: people(layout === 'side-by-side' ? Math.min(count, 1) : count),
          });
          const [first] = tiles as [Tile];
          expect(first).toMatchObject({ leg: 's', kind: 'slides', large: true });
          expect(Math.abs(first.width - first.height * aspect)).toBeLessThanOrEqual(2 + 2 * aspect);
          expectSound(tiles, canvas);
          expectApart(tiles);
          if (layout === 'single') expect(tiles.length).toBe(1);
          if (layout === 'grid') expect(tiles.length).toBe(1 + count);
        }
      }
    }
  });

  it('have others below or beside them, whichever leaves them larger', () => {
    const wide = arranged({ slides: { leg: 's', aspect: 21 / 9 }, places: people(4) });
    const high = arranged({ slides: { leg: 's', aspect: 4 / 3 }, places: people(4) });
    expect(wide[1]!.y).toBeGreaterThanOrEqual(wide[0]!.y + wide[0]!.height);
    expect(high[1]!.x).toBeGreaterThanOrEqual(high[0]!.x + high[0]!.width);
  });

  it('lie below who speaks with picture-in-picture', () => {
    const tiles = arranged({ layout: 'picture-in-picture', slides: { leg: 's', aspect: 16 / 9 }, places: ['a'] });
    expect(tiles.map(({ kind }) => kind)).toEqual(['slides', 'camera']);
    expect(tiles[0]).toMatchObject({ x: 0, y: 0, width: 1280, height: 720 });
  });
});
