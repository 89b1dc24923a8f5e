import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Canvas } from '../../../mixer/video/engine/canvas.ts';
import type { Yuv } from '../../../mixer/video/engine/planar-picture.ts';
import { arrange, type Tile } from '../../../mixer/video/layout/arrange.ts';
import { OVERLAY, personColour, THEMES } from '../../../mixer/video/paint/colours.ts';
import { Painter } from '../../../mixer/video/paint/painter.ts';
import { Texts } from '../../../mixer/video/paint/texts.ts';
import type { VideoScene } from '../../../mixer/video-protocol.ts';
import { people, person, sceneOf } from '../layout/scenes.ts';
import { PretendedScaler, PretendedTexts, pixelOf, plainPicture } from './pretended.ts';

const SIZE = { width: 640, height: 360 };
const BLUE = { y: 90, u: 180, v: 100 };
const GREEN = { y: 140, u: 60, v: 90 };

/** Paints one scene after the other onto the same canvas. */
class Easel {
  readonly canvas = Canvas.plain(SIZE.width, SIZE.height);
  readonly scaler = new PretendedScaler();
  readonly renderer = new PretendedTexts();
  readonly texts = new Texts(this.renderer);
  readonly pictures = new Map<string, Canvas>();
  readonly painter = new Painter({ canvas: this.canvas, scaler: this.scaler, texts: this.texts });
  tiles: readonly Tile[];
  scene: VideoScene;

  constructor(scene: VideoScene, tiles = gridOf(scene.participants.map(({ leg }) => leg))) {
    this.scene = scene;
    this.tiles = tiles;
  }

  /** Whether something has changed. */
  paint(): boolean {
    this.scaler.drawn.length = 0;
    return this.painter.paint({
      scene: this.scene,
      tiles: this.tiles,
      picture: ({ leg, kind }) => this.pictures.get(kind === 'slides' ? `slides of ${leg}` : leg!) ?? null,
    });
  }

  /** With all texts. */
  async paintAll(): Promise<void> {
    for (let round = 0; round < 4; round++) {
      this.paint();
      await this.texts.written();
    }
    this.paint();
  }

  change(changed: Partial<VideoScene>): void {
    this.scene = { ...this.scene, ...changed };
  }

  middle(index: number): Yuv {
    const { x, y, width, height } = this.tiles[index]!;
    return pixelOf(this.canvas, x + width / 2, y + height / 2);
  }

  fingerprint(): string {
    return fingerprint(this.canvas);
  }

  /** As it would be, had nothing been painted before. */
  afresh(): string {
    const other = Canvas.plain(SIZE.width, SIZE.height);
    const painter = new Painter({ canvas: other, scaler: new PretendedScaler(), texts: this.texts });
    const picture = ({ leg, kind }: Tile) => this.pictures.get(kind === 'slides' ? `slides of ${leg}` : leg!) ?? null;
    painter.paint({ scene: this.scene, tiles: this.tiles, picture });
    return fingerprint(other);
  }
}

function fingerprint({ planes }: Canvas): string {
  const hash = createHash('sha256');
  for (const plane of planes) hash.update(plane);
  return hash.digest('hex');
}

function gridOf(legs: (string | null)[]): Tile[] {
  return arrange({ layout: 'grid', canvas: SIZE, large: [], places: legs, slides: null });
}

describe('what is painted again', () => {
  it('is nothing when nothing has changed', async () => {
    const easel = new Easel(sceneOf(people(4), { title: 'Plans', recording: 'recording' }));
    easel.pictures.set('p0', plainPicture(BLUE));
    await easel.paintAll();
    const before = easel.fingerprint();
    expect(easel.paint()).toBe(false);
    easel.change({ participants: easel.scene.participants.map((one) => ({ ...one })) });
    expect(easel.paint()).toBe(false);
    easel.tiles = easel.tiles.map((tile) => ({ ...tile }));
    expect(easel.paint()).toBe(false);
    expect(easel.fingerprint()).toEqual(before);
    expect(easel.renderer.drawn.length).toBe(new Set(easel.renderer.drawn).size);
  });

  it('is the tile of a new picture', async () => {
    const easel = new Easel(sceneOf(people(4)));
    for (const leg of people(4)) easel.pictures.set(leg, plainPicture(BLUE));
    await easel.paintAll();
    easel.pictures.set('p2', plainPicture(GREEN));
    expect(easel.paint()).toBe(true);
    const { x, y, width, height } = easel.tiles[2]!;
    expect(easel.scaler.drawn).toEqual([{ x, y, width, height }]);
    expect(easel.middle(2)).toEqual(GREEN);
    expect(easel.fingerprint()).toEqual(easel.afresh());
  });

  it('is the tile of who talks, is muted or raises a hand', async () => {
    const easel = new Easel(sceneOf(people(4)));
    for (const leg of people(4)) easel.pictures.set(leg, plainPicture(BLUE));
    await easel.paintAll();
    for (const changed of [{ talking: true }, { muted: true }, { hand: true }, { name: 'Q' }, { talking: false }]) {
      const [first, ...others] = easel.scene.participants;
      easel.change({ participants: [{ ...first!, ...changed }, ...others] });
      expect(easel.paint(), JSON.stringify(changed)).toBe(true);
      expect(easel.scaler.drawn.length).toBe(1);
      await easel.paintAll();
      expect(easel.fingerprint()).toEqual(easel.afresh());
    }
  });

  it('is the one in the corner, too, when the large one below it has a new picture', async () => {
    const tiles = arrange({ layout: 'picture-in-picture', canvas: SIZE, large: ['p0'], places: ['p1'], slides: null });
    const easel = new Easel(sceneOf(people(2)), tiles);
    easel.pictures.set('p0', plainPicture(BLUE)).set('p1', plainPicture(GREEN));
    await easel.paintAll();
    easel.pictures.set('p0', plainPicture({ ...BLUE, y: 60 }));
    easel.paint();
    expect(easel.scaler.drawn.length).toBe(2);
    expect(easel.middle(1)).toEqual(GREEN);
    expect(easel.fingerprint()).toEqual(easel.afresh());
    easel.pictures.set('p1', plainPicture({ ...GREEN, y: 200 }));
    easel.paint();
    expect(easel.scaler.drawn.length).toBe(1);
    expect(easel.fingerprint()).toEqual(easel.afresh());
  });

  it('leaves nothing behind, whatever changes', async () => {
    const easel = new Easel(sceneOf(people(9)));
    for (const leg of people(5)) easel.pictures.set(leg, plainPicture(BLUE));
    const changes: (() => void)[] = [
      () => easel.change({ title: 'A title' }),
      () => easel.change({ recording: 'recording' }),
      () => easel.pictures.delete('p1'),
      () => easel.change({ theme: 'light' }),
      () => easel.change({ recording: 'paused' }),
      () => easel.change({ fill: 'fit' }),
      () => (easel.tiles = gridOf(people(6))),
      () => (easel.tiles = gridOf(['p5', 'p4', 'p3', null, 'p1', 'p0'])),
      () => easel.change({ names: false }),
      () => easel.change({ title: null, recording: 'off' }),
      () => easel.change({ participants: people(3).map((leg) => person(leg)) }),
      () => (easel.tiles = gridOf([])),
    ];
    for (const change of changes) {
      change();
      await easel.paintAll();
      expect(easel.fingerprint(), String(change)).toEqual(easel.afresh());
      expect(easel.paint()).toBe(false);
    }
  });
});

describe('a tile', () => {
  it('without a picture is a card with the colour of the name', async () => {
    const easel = new Easel(sceneOf([person('a', { name: 'Anna Lindqvist' }), 'b']));
    await easel.paintAll();
    expect(easel.renderer.drawn).toContain('AL');
    const { x, y, width, height } = easel.tiles[0]!;
    // Above the letters, and beside the disc.
    expect(pixelOf(easel.canvas, x + width / 2, y + Math.round(height * 0.29))).toEqual(personColour('Anna Lindqvist'));
    expect(pixelOf(easel.canvas, x + 20, y + height / 2)).toEqual(THEMES.dark.card);
  });

  it('of a camera that is turned off shows no picture', async () => {
    const easel = new Easel(sceneOf([person('a'), 'b']));
    easel.pictures.set('a', plainPicture(BLUE));
    await easel.paintAll();
    expect(pixelOf(easel.canvas, easel.tiles[0]!.x + 20, 180)).toEqual(BLUE);
    easel.change({ participants: [person('a', { camera: false }), person('b')] });
    await easel.paintAll();
    expect(pixelOf(easel.canvas, easel.tiles[0]!.x + 20, 180)).toEqual(THEMES.dark.card);
  });

  it('whose picture cannot be drawn shows the card', async () => {
    const easel = new Easel(sceneOf(['a', 'b']));
    const gone = Canvas.plain(16, 16);
    gone.close();
    easel.pictures.set('a', gone);
    await easel.paintAll();
    expect(pixelOf(easel.canvas, easel.tiles[0]!.x + 20, 180)).toEqual(THEMES.dark.card);
    expect(easel.paint()).toBe(false);
  });

  it('has a border around who talks, and round corners', async () => {
    const easel = new Easel(sceneOf([person('a', { talking: true }), 'b']));
    easel.pictures.set('a', plainPicture(BLUE)).set('b', plainPicture(BLUE));
    await easel.paintAll();
    const [left, right] = easel.tiles as [Tile, Tile];
    expect(pixelOf(easel.canvas, left.x, left.y + left.height / 2)).toEqual(OVERLAY.talking);
    expect(pixelOf(easel.canvas, left.x + left.width / 2, left.y + left.height - 1)).toEqual(OVERLAY.talking);
    expect(pixelOf(easel.canvas, right.x, right.y + right.height / 2)).toEqual(BLUE);
    for (const { x, y, width, height } of [left, right]) {
      expect(pixelOf(easel.canvas, x, y).y).toBeLessThan(60);
      expect(pixelOf(easel.canvas, x + width - 1, y + height - 1).y).toBeLessThan(60);
    }
  });

  it('over the whole canvas has neither', async () => {
    const easel = new Easel(sceneOf([person('a', { talking: true })]));
    easel.pictures.set('a', plainPicture(BLUE));
    await easel.paintAll();
    for (const [x, y] of [
      [0, 0],
      [639, 0],
      [0, 180],
    ] as const) {
      expect(pixelOf(easel.canvas, x, y)).toEqual(BLUE);
    }
  });

  it('has its name at the lower left, unless it is too small or names are off', async () => {
    const named = new Easel(sceneOf([person('a', { name: 'Anna' }), 'b']));
    named.pictures.set('a', plainPicture(BLUE));
    await named.paintAll();
    const { x, y, height } = named.tiles[0]!;
    const brightest = (easel: Easel, top: number) => {
      let most = 0;
      for (let line = top; line < top + 30; line++) {
        for (let column = x; column < x + 60; column++) most = Math.max(most, pixelOf(easel.canvas, column, line).y);
      }
      return most;
    };
    expect(brightest(named, y + height - 30)).toBeGreaterThan(200);
    named.change({ names: false });
    await named.paintAll();
    expect(brightest(named, y + height - 30)).toBeLessThan(100);

    const small = new Easel(sceneOf(people(49)));
    await small.paintAll();
    expect(small.renderer.drawn).not.toContain('p1');
  });

  it('of slides shows them whole, and nothing over them', async () => {
    const slides = { leg: 'a', aspect: 16 / 9 };
    const tiles = arrange({ layout: 'single', canvas: SIZE, large: [], places: [], slides });
    const easel = new Easel(sceneOf([person('a', { talking: true, muted: true, camera: false })]), tiles);
    easel.pictures.set('slides of a', plainPicture(BLUE));
    await easel.paintAll();
    expect(pixelOf(easel.canvas, 2, 180)).toEqual(THEMES.dark.card);
    for (let y = 0; y < SIZE.height; y++) expect(pixelOf(easel.canvas, 90, y)).toEqual(BLUE);
    expect(easel.renderer.drawn).toEqual([]);
  });

  it('where nobody is is empty', async () => {
    const easel = new Easel(sceneOf(['a']), gridOf(['a', null, 'gone']));
    await easel.paintAll();
    expect(easel.middle(1)).toEqual(THEMES.dark.empty);
    expect(easel.middle(2)).toEqual(THEMES.dark.empty);
  });
});

describe('over the whole', () => {
  it('stands the title in the middle where nobody is', async () => {
    const easel = new Easel(sceneOf([], { title: 'Soon', theme: 'light' }), []);
    await easel.paintAll();
    expect(pixelOf(easel.canvas, 320, 180)).toEqual(THEMES.light.title);
    expect(pixelOf(easel.canvas, 10, 10)).toEqual(THEMES.light.background);
    easel.change({ title: null });
    await easel.paintAll();
    expect(pixelOf(easel.canvas, 320, 180)).toEqual(THEMES.light.background);
  });

  it('is a red dot while it is recorded, and none while it rests', async () => {
    const easel = new Easel(sceneOf(['a']));
    easel.pictures.set('a', plainPicture(BLUE));
    const red = () => {
      let count = 0;
      for (let y = 0; y < 40; y += 2) {
        for (let x = 500; x < 640; x += 2) if (pixelOf(easel.canvas, x, y).v > 200) count++;
      }
      return count;
    };
    await easel.paintAll();
    expect(red()).toBe(0);
    easel.change({ recording: 'recording' });
    await easel.paintAll();
    expect(red()).toBeGreaterThan(5);
    easel.change({ recording: 'paused' });
    await easel.paintAll();
    expect(red()).toBe(0);
  });
});

it('survives any name', async () => {
  const names = ['', '\u0000', '%{pts}:x=0\\', "';[in]", '😀'.repeat(500), 'ﷺ'.repeat(300), '\uD800', 'a'.repeat(1e5)];
  const easel = new Easel(sceneOf(names.map((name, index) => person(`p${index}`, { name, hand: true, muted: true }))));
  await easel.paintAll();
  expect(easel.paint()).toBe(false);
});
