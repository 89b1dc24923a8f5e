import { describe, expect, it } from 'vitest';
import { eventNames, type RoomEvent } from '../../server/events/room-event.ts';
import { eventMeanings, eventSchemas } from '../../server/http/event-schemas.ts';
import type { RecordingView } from '../../server/rooms/views.ts';
import { someone } from '../http/fake-conference.ts';
import { someRooms } from './some-rooms.ts';

const recording: RecordingView = {
  id: 'rec-1',
  room: 'demo',
  state: 'recording',
  startedAt: '2026-01-02T03:04:05.678Z',
  stoppedAt: null,
  durationMs: null,
  bytes: null,
  error: null,
};

/** One change of each kind. */
function everything() {
  const { rooms, events } = someRooms();
  const seen: RoomEvent[] = [];
  events.subscribe((event) => seen.push(event));
  const room = rooms.open('demo', 'adhoc', { pin: '1234', moderatorPin: '98765' });
  room.join(someone('anna'));
  room.change('anna', { hand: true });
  room.changePolicy({ locked: true });
  room.recordingChanged(recording);
  room.leave('anna');
  rooms.close(room);
  return { seen, room };
}

describe('events of rooms', () => {
  it('tell of every kind of change, in order, with the version after it', () => {
    const { seen, room } = everything();
    expect(new Set(seen.map(({ name }) => name))).toEqual(new Set(eventNames));
    expect(seen.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 7].map((serial) => `run1-${serial}`));
    const data = seen.map(({ text }) => JSON.parse(text));
    expect(data.map(({ version }) => version)).toEqual([0, 1, 2, 3, 4, 5, 5]);
    expect(room.version).toBe(5);
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
