import { beforeEach, describe, expect, it } from 'vitest';
import { ActiveSpeakers } from '../../server/focus/active-speakers.ts';
import type { Room } from '../../server/rooms/room.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import { someone } from '../rooms/someone.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';

let timers: VirtualTimers;
let rooms: Rooms;
let speakers: ActiveSpeakers;
let room: Room;
/** Each speaker that was told, with the time. */
let told: [atMs: number, who: string | null][];

beforeEach(() => {
  timers = new VirtualTimers();
  rooms = new Rooms();
  speakers = new ActiveSpeakers({ rooms, timers });
  told = [];
  rooms.subscribe((_room, change) => {
    if (change.change === 'speaker-changed') told.push([timers.now(), change.activeSpeaker]);
  });
  room = rooms.open('demo', 'created');
  for (const id of ['ann', 'ben', 'cem']) room.join(someone(id));
});

/** What comes of changes is done after them. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

async function pass(ms: number): Promise<void> {
  await settled();
  timers.advance(ms);
  await settled();
}

async function talk(id: string, talking: boolean, forMs: number): Promise<void> {
  room.change(id, { talking });
  await pass(forMs);
}

/** Words with pauses between them, as people speak. */
async function speak(id: string, forMs: number): Promise<void> {
  for (let ms = 0; ms < forMs; ms += 1000) {
    await talk(id, true, 700);
    await talk(id, false, 300);
  }
}

describe('the active speaker', () => {
  it('is who talks, until nobody does for some seconds; each change is a version', async () => {
    const { version } = room;
    await talk('ann', true, 700);
    expect(room.view([]).activeSpeaker).toBe('ann');
    await talk('ann', false, 4000);
    expect(told).toEqual([
      [600, 'ann'],
      [3700, null],
    ]);
    expect(room.version).toBe(version + 4);
    expect(timers.pending).toBe(0);
  });

  it('is not who coughs', async () => {
    await talk('ann', true, 400);
    await talk('ann', false, 10_000);
    expect(told).toEqual([]);
  });

  it('stays who pauses between words and sentences, though others cough and say yes', async () => {
    await speak('ann', 5000);
    await talk('ben', true, 500);
    await talk('ben', false, 100);
    await speak('ann', 5000);
    await pass(2500);
    await speak('ann', 2000);
    expect(told).toEqual([[600, 'ann']]);
  });

  it('changes when another takes the turn, a second after the last word', async () => {
    await speak('ann', 5000);
    await talk('ben', true, 2000);
    expect(told).toEqual([
      [600, 'ann'],
      // Quiet since 4700.
      [5700, 'ben'],
    ]);
  });

  it('does not flap: at most one change in two seconds, however fast they take turns', async () => {
    for (let turn = 0; turn < 60; turn++) {
      const id = ['ann', 'ben', 'cem'][turn % 3]!;
      await talk(id, true, 650);
      await talk(id, false, 50);
    }
    expect(told.length).toBeGreaterThan(5);
    for (let index = 1; index < told.length; index++) {
      expect(told[index]![0] - told[index - 1]![0]).toBeGreaterThanOrEqual(2000);
    }
  });

  it('is not held by a line that is never quiet, against who is clearly louder for two seconds', async () => {
    room.measured('ann', -38);
    await talk('ann', true, 3000);
    room.measured('ben', -20);
    await talk('ben', true, 0);
    for (let count = 0; count < 8; count++) {
      speakers.measured(room, 'ann', -38);
      speakers.measured(room, 'ben', -20);
      await pass(500);
    }
    expect(told).toEqual([
      [600, 'ann'],
      [5000, 'ben'],
    ]);
  });

  it('is nobody who speaks to some alone, or is muted', async () => {
    room.change('ann', { speaksTo: ['ben'] });
    await talk('ann', true, 5000);
    room.change('ben', { muted: { by: 'self' } });
    await talk('ben', true, 5000);
    expect(told).toEqual([]);
    room.change('ann', { speaksTo: null });
    await pass(700);
    expect(told.map(([, who]) => who)).toEqual(['ann']);
  });

  it('who leaves in a pause is not waited for', async () => {
    await talk('ann', true, 700);
    await talk('ann', false, 500);
    room.leave('ann');
    await pass(0);
    expect(timers.pending).toBe(0);
    await pass(5000);
    expect(told.map(([, who]) => who)).toEqual(['ann', null]);
  });

  it('who leaves is none at once, before it is told that they left', async () => {
    const order: string[] = [];
    await talk('ann', true, 700);
    await talk('ben', true, 1000);
    rooms.subscribe((_room, { change }) => void order.push(change));
    room.leave('ann');
    expect(order).toEqual(['speaker-changed', 'participant-left']);
    await pass(0);
    expect(told.map(([, who]) => who)).toEqual(['ann', null, 'ben']);
    room.leave('ben');
    room.leave('cem');
    rooms.close(room);
    await pass(0);
    expect(timers.pending).toBe(0);
  });
});
