import { beforeEach, expect, it } from 'vitest';
import { Breakouts } from '../../server/focus/breakouts.ts';
import type { ParticipantCall } from '../../server/focus/participant-call.ts';
import type { Room } from '../../server/rooms/room.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import { someone } from '../rooms/someone.ts';

let rooms: Rooms;
let room: Room;
let calls: Map<string, ParticipantCall>;
let breakouts: Breakouts;
/** How moves that are under way end. */
let arrives: Map<string, () => void>;
let fails: Map<string, (error: Error) => void>;

beforeEach(() => {
  rooms = new Rooms();
  room = rooms.open('demo', 'created');
  calls = new Map();
  arrives = new Map();
  fails = new Map();
  breakouts = new Breakouts({
    rooms,
    in: (one) => [...calls.values()].filter((call) => call.room === one),
    participant: (_room, id) => calls.get(id)!,
    wasRecorded: () => false,
    vacated: (one) => {
      if (one.size === 0) rooms.close(one);
    },
  });
});

/** One whose moves take as long as the test wants. */
function enters(id: string): void {
  room.join(someone(id));
  const call = { id, room, isEntering: false } as {
    -readonly [Key in 'id' | 'room' | 'isEntering']: ParticipantCall[Key];
  };
  const moveTo = (to: Room) =>
    new Promise<void>((resolve, reject) => {
      fails.set(id, reject);
      arrives.set(id, () => {
        to.join(call.room.leave(id)!);
        call.room = to;
        resolve();
      });
    });
  calls.set(id, Object.assign(call, { moveTo }) as unknown as ParticipantCall);
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

it('a room that one does not get to stays open for another who is on the way', async () => {
  enters('ann');
  enters('ben');
  const opening = breakouts.open(room, [{ participants: ['ann', 'ben'] }]);
  const outcome = expect(opening).rejects.toThrow('mixer gone');
  fails.get('ann')?.(new Error('mixer gone'));
  await settled();
  expect(rooms.get('demo-1')).toBeDefined();
  arrives.get('ben')?.();
  await outcome;
  expect(rooms.get('demo-1')?.participants.map(({ id }) => id)).toEqual(['ben']);
});

it('a room that nobody got to is closed', async () => {
  enters('ann');
  const opening = breakouts.open(room, [{ participants: ['ann'] }]);
  const outcome = expect(opening).rejects.toThrow('mixer gone');
  fails.get('ann')?.(new Error('mixer gone'));
  await outcome;
  expect(rooms.get('demo-1')).toBeUndefined();
});

it('all come back, and their rooms close', async () => {
  enters('ann');
  const opening = breakouts.open(room, [{ participants: ['ann'] }]);
  arrives.get('ann')?.();
  await opening;
  const closing = breakouts.close(room);
  arrives.get('ann')?.();
  await closing;
  expect([rooms.get('demo-1'), room.size]).toEqual([undefined, 1]);
});
