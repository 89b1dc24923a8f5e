import { describe, expect, it } from 'vitest';
import { recordedScene } from '../../mixer/video/recorded-scene.ts';
import type { View } from '../../mixer/video/room-view.ts';
import { RoomViews, streamKey } from '../../mixer/video/room-views.ts';
import type { VideoStream } from '../../mixer/video/video-stream.ts';
import type { StreamKey } from '../../mixer/video-protocol.ts';
import { participant, scene } from './simulated-video-mixer.ts';

const CANVAS = { width: 1280, height: 720 };

interface Shown {
  size?: { width: number; height: number } | null;
  mayBeSent?: boolean;
}

/** As much of a stream as decides who is seen where. */
function stream(key: StreamKey, { size = { width: 640, height: 360 }, mayBeSent = true }: Shown = {}): VideoStream {
  return { key, mayBeSent, incoming: { isSeen: size !== null, size } } as unknown as VideoStream;
}

const main = (leg: string, shown?: Shown) => stream({ leg, stream: 'main' }, shown);
const slides = (leg: string, shown?: Shown) => stream({ leg, stream: 'slides' }, shown);

function views(of: ReturnType<typeof scene>, streams: VideoStream[]): RoomViews {
  return new RoomViews(of, new Map(streams.map((one) => [streamKey(one.key), one])));
}

function tiles(room: RoomViews, view: View) {
  room.update(true, 0);
  return room.of(view).tiles(CANVAS);
}

const kinds = (room: RoomViews, of: VideoStream) =>
  tiles(room, room.seenBy(of)!).map(({ leg, kind }) => `${leg} ${kind}`);

describe('what somebody sees of slides', () => {
  const showing = scene(['a', 'b', 'c'], { slides: 'a', layout: 'grid' });

  it('stands beside the others, large, who takes one stream', () => {
    const room = views(showing, [main('a'), main('b'), slides('a', { size: { width: 1920, height: 1080 } })]);
    expect(kinds(room, main('b'))).toEqual(['a slides', 'a camera', 'b camera', 'c camera']);
    const [large] = tiles(room, room.seenBy(main('b'))!);
    expect(large).toMatchObject({ large: true });
    expect(large!.width).toBeGreaterThan(CANVAS.width / 2);
  });

  it('is a stream of its own, and in the other one there are people alone, for who takes two', () => {
    const room = views(showing, [main('a'), main('b'), slides('b', { size: null }), slides('a')]);
    expect(tiles(room, room.seenBy(slides('b'))!)).toEqual([
      { leg: 'a', kind: 'slides', x: 0, y: 0, ...CANVAS, large: true },
    ]);
    expect(kinds(room, main('b'))).toEqual(['a camera', 'b camera', 'c camera']);
  });

  it('is what they show themselves, beside the others, and not sent back as slides', () => {
    const own = slides('a');
    const room = views(showing, [main('a'), own]);
    expect(room.seenBy(own)).toBeNull();
    expect(kinds(room, main('a'))[0]).toBe('a slides');
  });

  it('is nothing as long as none have come, or nobody shows any', () => {
    const waiting = views(showing, [main('a'), main('b'), slides('a', { size: null })]);
    expect(kinds(waiting, main('b'))).toEqual(['a camera', 'b camera', 'c camera']);
    expect(waiting.slides?.key).toEqual({ leg: 'a', stream: 'slides' });
    const none = views(scene(['a', 'b']), [main('a'), slides('b')]);
    expect(none.seenBy(slides('b'))).toBeNull();
    expect(none.slides).toBeNull();
    expect(none.seenBy(main('a'))).toEqual(none.own);
  });
});

it('shows nobody to who waits', () => {
  const room = views(scene(['a']), [main('a'), main('x')]);
  expect(room.seenBy(main('x'))).toMatchObject({ waiting: true });
  expect(tiles(room, room.seenBy(main('x'))!)).toEqual([]);
});

it('has no stream for a card, nor for a camera that a moderator has turned off', () => {
  const room = views(scene(['a', participant('b', { camera: false }), 'c']), [main('a'), main('b')]);
  const seen = tiles(room, room.own).map((tile) => [tile.leg, room.streamIn(tile)?.key.leg ?? null]);
  expect(Object.fromEntries(seen)).toEqual({ a: 'a', b: null, c: null });
});

it('records what most see, with one view as long as all may be recorded', () => {
  const room = views(scene(['a', 'b']), [main('a')]);
  expect(room.forRecording).toEqual(room.seenBy(main('a')));
  const hidden = scene(['a', participant('b', { recorded: false })]);
  room.sceneChanged(hidden);
  expect(tiles(room, room.forRecording).map(({ leg }) => leg)).toEqual(
    recordedScene(hidden).participants.map(({ leg }) => leg),
  );
});

it('forgets views that nobody needs', () => {
  const room = views(scene(['a']), [main('a')]);
  const first = room.of(room.own);
  room.keep(new Set([first]));
  expect(room.of(room.own)).toBe(first);
  room.keep(new Set());
  expect(room.of(room.own)).not.toBe(first);
});
