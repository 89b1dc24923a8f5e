import { expect, it } from 'vitest';
import { Conferences, type ConferencesOptions } from '../../server/focus/conference-control.ts';
import { ControlError } from '../../server/focus/control.ts';
import type { Room } from '../../server/rooms/room.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import { someone } from '../rooms/someone.ts';

/** As much of it all as deleting a room has to do with; `stopping` is how long its recordings take. */
function conferences(rooms: Rooms, stopping: Promise<void>): Conferences {
  const inRoom = (room: Room) => room.participants.map(({ id }) => ({ hangUp: () => void room.leave(id) }));
  const options = {
    ...{ rooms, participants: {}, focus: { in: inRoom }, dialOuts: { cancelAll: () => undefined } },
    recordings: { stopAll: () => stopping },
  };
  return new Conferences(options as unknown as ConferencesOptions);
}

it('a room is deleted with those who came while its recording was ended', async () => {
  const rooms = new Rooms();
  const room = rooms.open('demo', 'created');
  room.join(someone('ann'));
  const left: number[] = [];
  rooms.subscribe((one, { change }) => {
    if (change === 'room-closed') left.push(one.size);
  });
  let stopped = (): void => undefined;
  const deleting = conferences(
    rooms,
    new Promise((resolve) => {
      stopped = resolve;
    }),
  ).deleteRoom('demo');
  expect(room.size).toBe(0);
  room.join(someone('late'));
  stopped();
  await deleting;
  expect([rooms.get('demo'), left]).toEqual([undefined, [0]]);
});

it('a configured room stays, and who came meanwhile stays in it', async () => {
  const rooms = new Rooms();
  const room = rooms.open('demo', 'configured');
  const deleting = conferences(rooms, Promise.resolve()).deleteRoom('demo');
  room.join(someone('late'));
  await deleting;
  expect([rooms.get('demo'), room.size]).toEqual([room, 1]);
});

it('a text is for all who have entered, or once for each who is named, also who waits', async () => {
  const rooms = new Rooms();
  rooms.open('demo', 'created');
  const sent: Array<[string, string]> = [];
  const options = {
    rooms,
    focus: {
      members: () => [{ id: 'ann' }, { id: 'ben' }],
      member: ({ id }: { id: string }) => (id === 'called' ? null : { id }),
    },
    participants: {
      find: (_room: Room, id: string) => {
        if (id === 'gone') throw new ControlError('participant-not-found', 'nobody');
        return { id };
      },
    },
    recorded: { list: () => [] },
    sendTexts: async (room: Room, members: Array<{ id: string }>, text: string) => {
      sent.push([room.name, `${members.map(({ id }) => id)}: ${text}`]);
      return [];
    },
  };
  const control = new Conferences(options as unknown as ConferencesOptions);
  const send = (to: string[] | null, name = 'demo') => control.sendMessage(name, { text: 'Hello', to });
  await send(null);
  await send(['waits', 'ann', 'waits']);
  expect(sent).toEqual([
    ['demo', 'ann,ben: Hello'],
    ['demo', 'waits,ann: Hello'],
  ]);
  await expect(send(['ann', 'called'])).rejects.toMatchObject({ code: 'participant-elsewhere' });
  await expect(send(['ann', 'gone'])).rejects.toMatchObject({ code: 'participant-not-found' });
  await expect(send(null, 'nowhere')).rejects.toMatchObject({ code: 'room-not-found' });
  expect(sent).toHaveLength(2);
});

it('who is spotlighted or has a place must be there; what cannot be done changes nothing', () => {
  const rooms = new Rooms();
  const room = rooms.open('demo', 'created');
  for (const id of ['ann', 'ben']) room.join(someone(id));
  const options = {
    ...{ rooms, recorded: { latest: () => [] } },
    participants: {
      view: (_room: Room, id: string) => {
        const view = room.participant(id);
        if (!view) throw new ControlError('participant-not-found', `there is no participant ${id}`);
        return view;
      },
    },
  };
  const control = new Conferences(options as unknown as ConferencesOptions);
  expect(() => control.updateRoom('demo', { layout: 'grid', spotlight: ['gone'] })).toThrow('no participant gone');
  expect(() => control.updateRoom('demo', { places: [null, 'gone'] })).toThrow('no participant gone');
  expect(room.version).toBe(2);
  const view = control.updateRoom('demo', { layout: 'grid', spotlight: ['ben'], places: [null, 'ann'] });
  expect(view).toMatchObject({ layout: 'grid', spotlight: ['ben'], places: [null, 'ann'] });
  expect(control.updateRoom('demo', { locked: true })).toMatchObject({ spotlight: ['ben'], places: [null, 'ann'] });
  expect(control.updateRoom('demo', { spotlight: [], places: [] })).toMatchObject({ spotlight: [], places: [] });
});
