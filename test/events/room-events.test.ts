import { describe, expect, it } from 'vitest';
import { eventNames, type RoomEvent } from '../../server/events/room-event.ts';
import { RoomEvents } from '../../server/events/room-events.ts';
import { eventMeanings, eventSchemas } from '../../server/http/event-schemas.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import { someRecording } from '../rooms/some-recording.ts';
import { someone } from '../rooms/someone.ts';
import { someRooms } from './some-rooms.ts';

const recording = someRecording('rec-1');

/** One change of each kind. */
function everything() {
  const { rooms, events } = someRooms();
  const seen: RoomEvent[] = [];
  events.subscribe((event) => seen.push(event));
  const room = rooms.open('demo', 'adhoc', { pin: '1234', moderatorPin: '98765' });
  room.join(someone('anna'));
  room.change('anna', { hand: true });
  room.changePolicy({ locked: true });
  room.recordingTold('recording-changed', recording);
  room.recordingTold('recording-ready', recording);
  room.recordingTold('recording-removed', recording);
  room.giveFloor(['anna']);
  room.setActiveSpeaker('anna');
  room.setStage({ spotlight: ['anna'] });
  room.leave('anna');
  rooms.close(room);
  return { seen, room };
}

describe('events of rooms', () => {
  it('that open tell what was recorded in them before', () => {
    const events = new RoomEvents({
      ...{ instance: 'run1', epochMs: () => 0 },
      recordingsOf: (room) => (room === 'demo' ? [recording] : []),
    });
    const rooms = new Rooms();
    rooms.subscribe(events.changed);
    const told: unknown[] = [];
    events.subscribe(({ text }) => told.push(JSON.parse(text).recordings));
    rooms.open('demo', 'adhoc').changePolicy({ locked: true });
    rooms.open('other', 'adhoc');
    expect(told).toEqual([[recording], undefined, []]);
  });

  it('tell of every kind of change, in order, with the version after it', () => {
    const { seen, room } = everything();
    expect(new Set(seen.map(({ name }) => name))).toEqual(new Set(eventNames));
    expect(seen.map(({ id }) => id)).toEqual(seen.map((_, index) => `run1-${index + 1}`));
    const data = seen.map(({ text }) => JSON.parse(text));
    expect(data.map(({ version }) => version)).toEqual([...seen.keys()].with(-1, room.version));
    // Who leaves loses the floor, speaks no more and has no place in the picture, before it is told that they left.
    expect(
      data.slice(-5).map(({ event, floor, activeSpeaker, spotlight }) => floor ?? activeSpeaker ?? spotlight ?? event),
    ).toEqual([[], 'speaker-changed', [], 'participant-left', 'room-closed']);
    expect(data[2]).toEqual({
      id: 'run1-3',
      event: 'participant-changed',
      at: '2026-01-02T03:04:05.678Z',
      room: 'demo',
      version: 2,
      participant: { ...someone('anna'), hand: true },
    });
    expect(data[3]).toMatchObject({ event: 'room-changed', settings: { locked: true, pinRequired: true } });
  });

  it('are as described, and never have a PIN in them', () => {
    for (const { name, text } of everything().seen) {
      expect(eventSchemas[name].strict().parse(JSON.parse(text))).toEqual(JSON.parse(text));
      expect(text).not.toMatch(/1234|98765/);
    }
    expect(Object.keys(eventMeanings)).toEqual(eventNames);
  });
});

describe('what has happened since an event', () => {
  const serials = (events: RoomEvent[] | null) => events?.map(({ serial }) => serial) ?? null;

  it('is all that came later, and nothing when it was the last', () => {
    const { rooms, events } = someRooms();
    const room = rooms.open('demo', 'adhoc');
    room.join(someone('anna'));
    room.leave('anna');
    expect(serials(events.since('run1-0'))).toEqual([1, 2, 3]);
    expect(serials(events.since('run1-2'))).toEqual([3]);
    expect(serials(events.since(events.lastId))).toEqual([]);
  });

  it.each([
    'run1-4',
    'run2-1',
    'run1-',
    'run1-01',
    'run1--1',
    'run1-1.5',
    '',
    'x'.repeat(1000),
    'run1-9007199254740993',
  ])('is not known for %s', (id) => {
    const { rooms, events } = someRooms();
    const room = rooms.open('demo', 'adhoc');
    room.join(someone('anna'));
    room.leave('anna');
    expect(events.since(id)).toBeNull();
  });

  it('is forgotten when there was too much, by number and by size', () => {
    const { rooms, events } = someRooms({ events: 10, characters: 1e9 });
    const room = rooms.open('demo', 'adhoc');
    for (let time = 0; time < 30; time++) room.join(someone('anna'));
    expect(events.lastId).toBe('run1-31');
    expect(events.since('run1-20')).toBeNull();
    expect(serials(events.since('run1-21'))).toHaveLength(10);

    const small = someRooms({ events: 1000, characters: 2000 });
    const other = small.rooms.open('demo', 'adhoc');
    for (let time = 0; time < 30; time++) other.join(someone('anna'));
    const kept = small.events.since('run1-29');
    expect(small.events.since('run1-10')).toBeNull();
    expect(kept).toHaveLength(2);
  });
});
