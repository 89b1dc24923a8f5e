import { expect, it } from 'vitest';
import type { ConferenceRecord } from '../../server/records/call-record.ts';
import { ConferenceWatch } from '../../server/records/conference-watch.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import { someone } from '../rooms/someone.ts';

it('a conference lasts from when somebody is in the room until nobody is; who waits is not in it', () => {
  const records: ConferenceRecord[] = [];
  const watch = new ConferenceWatch((record) => records.push(record));
  const rooms = new Rooms();
  let nowMs = 1000;
  rooms.subscribe((room, change) => watch.changed(room, change, nowMs));
  const room = rooms.open('demo', 'configured');
  room.join(someone('anna', { state: 'lobby' }));
  expect(watch.idOf(room)).toBeNull();
  nowMs = 2000;
  room.change('anna', { state: 'connected' });
  const id = watch.idOf(room);
  room.join(someone('ben'));
  room.change('ben', { state: 'on-hold' });
  room.change('ben', { state: 'connected' });
  room.leave('ben');
  room.join(someone('carl', { state: 'waiting' }));
  nowMs = 9000;
  room.leave('anna');
  expect(records).toEqual([
    {
      ...{ conference: id, room: 'demo', durationMs: 7000, entries: 2, mostParticipants: 2, recordings: [] },
      ...{ startedAt: '1970-01-01T00:00:02.000Z', endedAt: '1970-01-01T00:00:09.000Z' },
    },
  ]);
  room.leave('carl');
  room.join(someone('dora'));
  expect(watch.idOf(room)).not.toBe(id);
  room.leave('dora');
  expect(records).toHaveLength(2);
  // Nor is it that of any conference before a restart.
  expect(id).toMatch(/^[0-9a-f]{18}$/);
});
