import { describe, expect, it } from 'vitest';
import type { RoomChange } from '../../server/rooms/room.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import type { ParticipantView } from '../../server/rooms/views.ts';
import { someone } from './someone.ts';

const caller = (id: string): ParticipantView => someone(id, { state: 'connecting', levelDb: null, audio: null });

function open() {
  const changes: RoomChange['change'][] = [];
  const rooms = new Rooms({ maxParticipants: 2 });
  rooms.subscribe((_room, { change }) => void changes.push(change));
  return { rooms, room: rooms.open('demo', 'configured'), changes };
}

describe('a room', () => {
  it('goes up by one version with every change, and tells of it', () => {
    const { room, changes } = open();
    room.join(caller('a'));
    room.change('a', { state: 'connected' });
    room.changePolicy({ locked: true });
    room.leave('a');
    expect(changes).toEqual([
      'room-opened',
      'participant-joined',
      'participant-changed',
      'room-changed',
      'participant-left',
    ]);
    expect(room.version).toBe(4);
  });

  it('says nothing when nothing changes', () => {
    const { room, changes } = open();
    room.join(caller('a'));
    const { length } = changes;
    room.change('a', { state: 'connecting', muted: null });
    room.change('nobody', { state: 'connected' });
    room.changePolicy({ locked: false });
    room.measured('a', -20);
    expect(room.leave('nobody')).toBeUndefined();
    expect(changes).toHaveLength(length);
    expect(room.participant('a')?.levelDb).toBe(-20);
  });

  it('has a floor for those who are there: who leaves loses it, and with the last it is free', () => {
    const { room, changes } = open();
    for (const id of ['a', 'b', 'c']) room.join(caller(id));
    changes.length = 0;
    room.giveFloor(['a', 'nobody', 'b', 'a']);
    expect(room.view([]).floor).toEqual(['a', 'b']);
    expect(['a', 'b', 'c'].map((id) => room.maySpeak(id))).toEqual([true, true, false]);
    room.giveFloor(['a', 'b']);
    room.leave('a');
    room.leave('c');
    expect(room.floor).toEqual(['b']);
    room.leave('b');
    expect(room.floor).toEqual([]);
    expect(room.maySpeak('c')).toBe(true);
    expect(changes).toEqual([
      'floor-changed',
      ...['floor-changed', 'participant-left'],
      'participant-left',
      ...['floor-changed', 'participant-left'],
    ]);
  });

  it('is full with as many as the policy says', () => {
    const { room } = open();
    room.join(caller('a'));
    expect(room.full).toBe(false);
    room.join(caller('b'));
    expect(room.full).toBe(true);
    room.changePolicy({ maxParticipants: 3 });
    expect(room.full).toBe(false);
  });

  it('never changes a view that it has given', () => {
    const { room } = open();
    room.join(caller('a'));
    const before = room.view([]);
    room.change('a', { hand: true });
    expect(before.participants[0]!.hand).toBe(false);
    expect(room.view([]).participants[0]!.hand).toBe(true);
  });
});

describe('rooms', () => {
  it('are found by name until they are closed', () => {
    const { rooms, room } = open();
    expect(rooms.get('demo')).toBe(room);
    rooms.close(room);
    expect(rooms.get('demo')).toBeUndefined();
    expect(rooms.size).toBe(0);
  });
});
