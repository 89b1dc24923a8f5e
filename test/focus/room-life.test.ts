import pino from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SoundToPlay } from '../../mixer/protocol.ts';
import { RoomLife } from '../../server/focus/room-life.ts';
import { Announcer, type PromptFiles } from '../../server/ivr/announcer.ts';
import type { Names } from '../../server/ivr/names.ts';
import type { RoomPolicy } from '../../server/rooms/policy.ts';
import type { Room } from '../../server/rooms/room.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import { someone } from '../rooms/someone.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';

const prompts: PromptFiles = {
  file: (_language, id) => id,
  count: (_language, n) => [`count ${n}`],
  sound: (id) => `sound ${id}`,
  music: () => ['music'],
  menu: () => ['menu'],
  menuEntry: (_language, action, keys) => [`${action} ${keys}`],
};

let timers: VirtualTimers;
let rooms: Rooms;
let announcer: Announcer;
let played: string[];
let running: SoundToPlay[];
let ended: string[];
let names: Map<string, string>;

beforeEach(() => {
  timers = new VirtualTimers();
  rooms = new Rooms();
  played = [];
  running = [];
  ended = [];
  names = new Map();
  announcer = new Announcer({
    prompts,
    player: {
      async playSound(sound) {
        const to = 'room' in sound.to ? sound.to.room : sound.to.leg;
        played.push(`${to}: ${sound.files.join(' + ')}`);
        running.push(sound);
      },
      controlSound: async () => ({ positionMs: 0, durationMs: 0 }),
      async stopSound(playback) {
        running = running.filter((sound) => sound.playback !== playback);
      },
    },
    log: pino({ level: 'silent' }),
  });
  new RoomLife({
    ...{ rooms, announcer, timers },
    names: { of: (id: string) => names.get(id) ?? null, forget: (id: string) => names.delete(id) } as unknown as Names,
    epochMs: () => timers.now(),
    moderatorCame: (room) => ended.push(`moderator came to ${room.name}`),
    floorChanged: (room) => ended.push(`floor of ${room.name}: ${room.floor}`),
    end: (room, why, still = () => true) => {
      if (still()) ended.push(`${room.name} ends: ${why.join(', ')}`);
    },
  });
});

const open = (policy: Partial<RoomPolicy>): Room => rooms.open('demo', 'created', policy);

/** What comes of changes is done after them. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

async function finish(): Promise<void> {
  for (const { playback, repeat } of running.splice(0)) {
    if (!repeat) announcer.happened({ event: 'playbackEnded', playback, reason: 'finished' });
  }
  await settled();
}

describe('who comes and goes', () => {
  it('is told by name where it was said, by chime where it was not or many are there', async () => {
    const room = open({ announce: 'names', chimesAbove: 3 });
    names.set('ben', 'ben.wav').set('cem', 'cem.wav').set('dan', 'dan.wav');
    room.join(someone('ann'));
    await settled();
    expect(played.splice(0)).toEqual(['ann: you-are-only-one']);
    room.join(someone('ben', { state: 'entering' }));
    await settled();
    expect(played).toEqual([]);
    room.change('ben', { state: 'connected' });
    await settled();
    room.join(someone('cem'));
    await settled();
    room.join(someone('dan'));
    await settled();
    room.leave('cem');
    await settled();
    expect(played).toEqual([
      'demo: ben.wav + has-joined',
      'demo: cem.wav + has-joined',
      'demo: sound join',
      'demo: cem.wav + has-left',
    ]);
    expect(names.has('cem')).toBe(true);
    await finish();
    expect([...names.keys()]).toEqual(['ben', 'dan']);
  });

  it('is not told where nothing is to be said', async () => {
    const room = open({});
    room.join(someone('ann'));
    room.join(someone('ben'));
    room.leave('ann');
    await settled();
    expect(played).toEqual([]);
  });

  it('leaves no name behind who never got in', async () => {
    const room = open({ announce: 'names' });
    names.set('ben', 'ben.wav');
    room.join(someone('ben', { state: 'lobby' }));
    room.leave('ben');
    await settled();
    expect(names.size).toBe(0);
  });
});

describe('who is alone', () => {
  it('hears music until somebody comes, and again when they go', async () => {
    const room = open({ music: true, announce: 'chimes' });
    room.join(someone('ann'));
    await settled();
    await finish();
    expect(played.splice(0)).toEqual(['ann: you-are-only-one', 'ann: music']);
    room.join(someone('ben'));
    await settled();
    expect(running.map(({ files }) => files)).toEqual([['sound join']]);
    room.leave('ann');
    await settled();
    await finish();
    expect(played.slice(-2)).toEqual(['ben: you-are-only-one', 'ben: music']);
    room.leave('ben');
    await settled();
    expect(running).toEqual([]);
  });
});

describe('the moderator', () => {
  it('is told of when they come, by whatever way, and takes the conference along', async () => {
    const room = open({ endWhenModeratorLeaves: true });
    room.join(someone('ann'));
    room.join(someone('ben'));
    room.change('ann', { role: 'moderator' });
    room.join(someone('cem', { role: 'moderator' }));
    await settled();
    expect(ended.splice(0)).toEqual(['moderator came to demo', 'moderator came to demo']);
    room.leave('cem');
    await settled();
    expect(ended).toEqual([]);
    room.leave('ann');
    await settled();
    expect(ended).toEqual(['demo ends: moderator-left, conference-ends']);
  });

  it('takes it along also when made a participant, unless another is one by the time that was said', async () => {
    const room = open({ endWhenModeratorLeaves: true });
    room.join(someone('ann', { role: 'moderator' }));
    room.join(someone('ben', { role: 'moderator' }));
    await settled();
    room.change('ann', { role: 'participant' });
    await settled();
    const ends = () => ended.filter((what) => what.includes('ends'));
    expect(ends()).toEqual([]);
    room.change('ben', { role: 'listener' });
    room.change('ann', { role: 'moderator' });
    await settled();
    expect(ends()).toEqual([]);
    room.change('ann', { role: 'participant' });
    await settled();
    expect(ends()).toEqual(['demo ends: moderator-left, conference-ends']);
  });

  it('is still there in a breakout room', async () => {
    const room = open({ endWhenModeratorLeaves: true });
    const side = rooms.open('demo-1', 'adhoc', {}, 'demo');
    room.join(someone('ann', { role: 'moderator' }));
    room.join(someone('ben'));
    await settled();
    side.join(room.leave('ann')!);
    await settled();
    expect(ended.filter((what) => what.includes('ends'))).toEqual([]);
  });

  it('takes the conference along from a breakout room, too', async () => {
    const room = open({ endWhenModeratorLeaves: true });
    const side = rooms.open('demo-1', 'adhoc', {}, 'demo');
    side.join(someone('ann', { role: 'moderator' }));
    side.join(someone('ben'));
    await settled();
    side.leave('ann');
    await settled();
    expect(room.size).toBe(0);
    expect(ended.filter((what) => what.includes('ends'))).toEqual(['demo ends: moderator-left, conference-ends']);
  });
});

describe('the schedule', () => {
  it('ends the conference, however far away the time is, and as it was said last', async () => {
    const day = 86_400_000;
    const room = open({ notAfter: new Date(60 * day).toISOString() });
    room.join(someone('ann'));
    timers.advance(59 * day);
    expect(ended).toEqual([]);
    room.changePolicy({ notAfter: new Date(61 * day).toISOString() });
    timers.advance(2 * day - 1);
    expect(ended).toEqual([]);
    timers.advance(1);
    expect(ended).toEqual(['demo ends: conference-ends']);
    expect(timers.pending).toBe(0);
  });

  it('ends it also when all are in breakout rooms', () => {
    open({ notAfter: new Date(1000).toISOString() });
    rooms.open('demo-1', 'adhoc', {}, 'demo').join(someone('ann'));
    timers.advance(1000);
    expect(ended).toEqual(['demo ends: conference-ends']);
  });

  it('is forgotten with the room', () => {
    const room = open({ notAfter: new Date(1000).toISOString() });
    rooms.close(room);
    expect(timers.pending).toBe(0);
  });
});
