/**
 * All layouts, painted with the real engine. `TAKE_PICTURES=1` writes them to docs/video/, for the manual.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import type { Canvas } from '../../../mixer/video/engine/canvas.ts';
import type { Tile } from '../../../mixer/video/layout/arrange.ts';
import { yuv } from '../../../mixer/video/paint/colours.ts';
import { Painter } from '../../../mixer/video/paint/painter.ts';
import { Texts } from '../../../mixer/video/paint/texts.ts';
import type { LayoutName, SceneParticipant, VideoScene } from '../../../mixer/video-protocol.ts';
import { engine } from '../engine/some-engine.ts';
import { person, ShownRoom, sceneOf } from '../layout/scenes.ts';
import { drawPerson, drawSlides } from './drawn-sources.ts';

const FOLDER = process.env['TAKE_PICTURES'] === '1' ? new URL('../../../docs/video/', import.meta.url) : null;
const QUALITY = 85;
const MOST_OCTETS = 60_000;
const SIZE = { width: 640, height: 360 };
const COLOURS = [0x3060a0, 0x903040, 0x308050, 0x806020, 0x603090, 0x207080, 0x907030].map(yuv);

const NAMES = [
  ...['Anna Lindqvist', 'Béla Kovács', 'Chiara Russo', 'David Okafor', 'Eleni Papadaki', 'Farid Rahimi'],
  ...['Grace Mbeki', 'Hiro Tanaka', 'Ingrid Olsen', 'Jorge Ramírez', 'Katharina von Hohenstein', 'Li Wei'],
  ...['Mateusz Nowak', 'Nadia Benali', 'Olga Petrenko', 'Pedro Alves', 'Quinn Murphy', 'Rosa Blum', 'Sven Dahl'],
];

interface Shown {
  /** Of the file. */
  name: string;
  layout: LayoutName;
  count: number;
  scene?: Partial<VideoScene>;
  /** Numbers of those who have no video. */
  cards?: number[];
  slidesAspect?: number;
}

const SHOWN: Shown[] = [
  { name: 'two', layout: 'auto', count: 2, scene: { speaker: 'p1' } },
  { name: 'grid-3', layout: 'auto', count: 3, scene: { speaker: 'p0' } },
  { name: 'grid-4', layout: 'auto', count: 4, cards: [3], scene: { speaker: 'p2', title: 'Weekly planning' } },
  { name: 'grid-6', layout: 'auto', count: 6, scene: { speaker: 'p4', recording: 'recording' } },
  { name: 'grid-9', layout: 'auto', count: 9, cards: [6, 7], scene: { speaker: 'p1', theme: 'light' } },
  { name: 'grid-16', layout: 'grid', count: 16, cards: [13, 14, 15], scene: { speaker: 'p5' } },
  { name: 'grid-25', layout: 'grid', count: 25, cards: [22, 23, 24], scene: { speaker: 'p7' } },
  { name: 'grid-49', layout: 'grid', count: 49, cards: [45, 46, 47, 48], scene: { speaker: 'p30' } },
  { name: 'speaker-6', layout: 'speaker', count: 6, scene: { speaker: 'p2' } },
  { name: 'speaker-16', layout: 'auto', count: 16, scene: { speaker: 'p3', recording: 'recording' } },
  { name: 'spotlight', layout: 'auto', count: 7, scene: { speaker: 'p4', spotlight: ['p4', 'p1'] } },
  { name: 'picture-in-picture', layout: 'picture-in-picture', count: 3, scene: { speaker: 'p2' } },
  { name: 'slides', layout: 'auto', count: 6, cards: [5], scene: { speaker: 'p0', slides: 'p0' }, slidesAspect: 4 / 3 },
];

const scaler = engine.pictureScaler();
const texts = new Texts(engine.textRenderer(null));
const canvas = engine.canvas(SIZE.width, SIZE.height);
const sources: Canvas[] = [];

afterAll(() => {
  for (const source of [...sources, canvas]) source.close();
  scaler.close();
  texts.close();
});

function newSource(width = 640): Canvas {
  const source = engine.canvas(width, 360);
  sources.push(source);
  return source;
}

/** Who has spoken before is muted, some raise their hand. */
function roomOf({ layout, count, scene = {}, cards = [], slidesAspect }: Shown): ShownRoom {
  const participants: SceneParticipant[] = Array.from({ length: count }, (_, index) =>
    person(`p${index}`, {
      name: cards.includes(index) && index % 3 === 0 ? `+49 30 ${9018200 + index}` : NAMES[index % NAMES.length]!,
      talking: scene.speaker === `p${index}`,
      muted: index % 4 === 1 && scene.speaker !== `p${index}`,
      hand: index % 11 === 5,
    }),
  );
  const room = new ShownRoom(layout, sceneOf(participants, { canvas: SIZE, ...scene }));
  room.pictures = participants.map(({ leg }) => leg).filter((leg) => !cards.includes(Number(leg.slice(1))));
  room.slidesAspect = slidesAspect ?? null;
  return room;
}

/** With all texts. */
async function paint(room: ShownRoom, picture: (tile: Tile) => Canvas | null): Promise<readonly Tile[]> {
  const painter = new Painter({ canvas, scaler, texts });
  const tiles = room.tiles();
  do {
    painter.paint({ scene: room.scene, tiles, picture });
    await texts.written();
  } while (painter.paint({ scene: room.scene, tiles, picture }));
  return tiles;
}

function colourAt(x: number, y: number): number[] {
  const [luma, u, v] = canvas.planes;
  const [stride, strideU, strideV] = canvas.strides;
  return [luma[y * stride + x]!, u[(y >> 1) * strideU + (x >> 1)]!, v[(y >> 1) * strideV + (x >> 1)]!];
}

describe.each(SHOWN)('$name', (shown) => {
  it('has each picture in its place, and cards for all others', async () => {
    const room = roomOf(shown);
    const plain = COLOURS.map((colour) => {
      const source = newSource();
      source.fill({ x: 0, y: 0, width: 640, height: 360 }, colour);
      return source;
    });
    const colourOf = ({ leg, kind }: Tile) => (kind === 'slides' ? 0 : 1 + (Number(leg!.slice(1)) % 6));
    const seen = new Set(room.pictures);
    const has = ({ leg, kind }: Tile) => kind === 'slides' || seen.has(leg!);
    const tiles = await paint(room, (tile) => (has(tile) ? plain[colourOf(tile)]! : null));
    for (const tile of tiles) {
      // Above the middle, where no name reaches; on cards, within the disc but beside the letters.
      const seenAt = colourAt(tile.x + 2 * Math.floor(tile.width / 4), tile.y + 2 * Math.floor(tile.height / 7));
      const { y, u, v } = COLOURS[colourOf(tile)]!;
      const away = Math.max(...[y, u, v].map((value, index) => Math.abs(value - seenAt[index]!)));
      expect(away <= 2, `${tile.leg}: ${seenAt} for ${[y, u, v]}`).toBe(has(tile));
    }
    const cards = tiles.filter((tile) => !has(tile)).length;
    expect(cards).toBe(Math.min(shown.cards?.length ?? 0, tiles.length));
  });

  it.runIf(FOLDER)('is photographed', async () => {
    const room = roomOf(shown);
    const persons = room.scene.participants.map((_, index) => {
      const source = newSource();
      drawPerson(source, index);
      return source;
    });
    const slides = newSource(480);
    drawSlides(slides);
    const seen = new Set(room.pictures);
    await paint(room, ({ leg, kind }) => {
      if (kind === 'slides') return slides;
      return seen.has(leg!) ? persons[Number(leg!.slice(1))]! : null;
    });
    const jpeg = await engine.jpegOf(canvas, QUALITY);
    expect(jpeg.length).toBeLessThan(MOST_OCTETS);
    mkdirSync(FOLDER!, { recursive: true });
    writeFileSync(new URL(`${shown.name}.jpg`, FOLDER!), jpeg);
  });
});
