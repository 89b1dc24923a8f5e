import pino from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { SlidesControl } from '../../server/focus/slides-control.ts';
import type { Room } from '../../server/rooms/room.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import { FloorClient } from '../bfcp/floor-client.ts';
import { TestPath } from '../bfcp/floor-scene.ts';
import { someone } from '../rooms/someone.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';

const video = { codec: 'VP8', direction: 'sendrecv', width: 640, height: 360, slides: false };
const withSlides = { ...video, slides: true };

let timers: VirtualTimers;
let rooms: Rooms;
let room: Room;
let slides: SlidesControl;
let at: Map<string, Room>;

const settled = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  timers = new VirtualTimers();
  rooms = new Rooms();
  at = new Map();
  slides = new SlidesControl({
    ...{ rooms, timers, log: pino({ level: 'silent' }) },
    roomOf: (participant) => at.get(participant),
    connect: () => new TestPath(true),
  });
  room = rooms.open('demo', 'configured');
  for (const id of ['ann', 'ben', 'cleo']) enter(id, room);
});

function enter(id: string, where: Room): void {
  at.set(id, where);
  where.join(someone(id, { video }));
}

/** Their phone has floor control, and has said hello. */
async function phone(participant: string): Promise<FloorClient> {
  const anywhere = { isAt: () => true, isSeenAt: () => true };
  const ids = slides.floors.register(participant, anywhere)!;
  const path = new TestPath(true);
  const client = new FloorClient({
    ...{ ...ids, reliable: true, timers },
    send: (bytes) => void slides.floors.received(bytes, path),
  });
  path.deliver = (bytes) => client.received(bytes);
  await client.hello();
  return client;
}

/** What comes of a participant. */
const shows = (id: string, is: boolean) => void room.change(id, { video: is ? withSlides : video });

describe('slides in a room', () => {
  it('of a phone with floor control are shown while it has the floor', async () => {
    const ann = await phone('ann');
    shows('ann', true);
    expect(room.stage.presenter).toBeNull();
    await ann.requestFloor();
    expect(room.stage.presenter).toBe('ann');
    await ann.releaseFloor();
    expect(room.stage.presenter).toBeNull();
  });

  it('of one without take the floor from it, which its phone is told', async () => {
    const ann = await phone('ann');
    await ann.requestFloor();
    shows('ann', true);
    shows('ben', true);
    expect(room.stage.presenter).toBe('ben');
    await settled();
    expect([ann.hasFloor, slides.floors.holder('demo'), room.stage.presenter]).toEqual([false, null, 'ben']);
    await ann.requestFloor();
    expect([ann.hasFloor, room.stage.presenter]).toEqual([true, 'ann']);
    await ann.releaseFloor();
    expect(room.stage.presenter).toBe('ben');
  });

  it('without any floor control are as ever: who began last', async () => {
    shows('ann', true);
    shows('ben', true);
    expect(room.stage.presenter).toBe('ben');
    shows('ben', false);
    expect(room.stage.presenter).toBe('ann');
  });

  it.each([
    ['whose picture is turned off', { camera: false }],
    ['who has to wait again', { state: 'lobby' as const }],
  ])('of one %s end, and the floor is free', async (_, change) => {
    const ann = await phone('ann');
    await ann.requestFloor();
    room.change('ann', change);
    await settled();
    expect([ann.hasFloor, slides.floors.holder('demo')]).toEqual([false, null]);
    await ann.requestFloor();
    expect([ann.hasFloor, slides.floors.holder('demo')]).toEqual([false, null]);
  });

  it('of one who leaves end, and nobody has the floor', async () => {
    const [ann, ben] = [await phone('ann'), await phone('ben')];
    await ann.requestFloor();
    expect(ben.presenter).toBe(ann.userId);
    room.leave('ann');
    await settled();
    expect([slides.floors.holder('demo'), ben.presenter]).toEqual([null, null]);
  });

  it('of one who is moved end there, and its phone must ask in the other room, too', async () => {
    const there = rooms.open('there', 'configured');
    enter('dora', there);
    const [ann, dora] = [await phone('ann'), await phone('dora')];
    await dora.requestFloor();
    await ann.requestFloor();
    shows('ann', true);
    const view = room.leave('ann')!;
    at.set('ann', there);
    there.join(view);
    await settled();
    expect([slides.floors.holder('demo'), slides.floors.holder('there')]).toEqual([null, 'dora']);
    expect([ann.hasFloor, ann.presenter, there.stage.presenter]).toEqual([false, dora.userId, null]);
    await ann.requestFloor();
    expect([there.stage.presenter, dora.hasFloor]).toEqual(['ann', false]);
  });

  it('are told in the order of what happened', async () => {
    const told: string[] = [];
    rooms.subscribe(({ version, stage }, { change }) => void told.push(`${version} ${change} ${stage.presenter}`));
    const before = room.version;
    const ann = await phone('ann');
    await ann.requestFloor();
    shows('ann', true);
    room.change('ann', { camera: false });
    await settled();
    expect(told.map((text) => text.replace(/^\d+/, (version) => `+${Number(version) - before}`))).toEqual([
      '+1 participant-changed null',
      '+2 stage-changed ann',
      '+3 participant-changed ann',
      '+4 stage-changed null',
    ]);
  });
});
