import pino from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { DialOuts } from '../../server/focus/dial-outs.ts';
import type { Callee } from '../../server/focus/focus-options.ts';
import type { Room } from '../../server/rooms/room.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import { parseUri } from '../../server/sip/message/uri.ts';
import { someone } from '../rooms/someone.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';

const CALLEE: Callee = { uri: parseUri('sip:x@example.com')!, displayName: null, role: 'participant' };

let timers: VirtualTimers;
let room: Room;
let rooms: Rooms;
let dialOuts: DialOuts;
let calls: { id: string | undefined; report: (status: number) => void }[];
let full: boolean;

beforeEach(() => {
  timers = new VirtualTimers();
  rooms = new Rooms();
  room = rooms.open('demo', 'created');
  calls = [];
  full = false;
  dialOuts = new DialOuts({
    ...{ rooms, timers },
    log: pino({ level: 'silent' }),
    call(_room, { id }, report) {
      calls.push({ id, report });
      return someone('p1', { state: 'connecting' });
    },
    mayCall: () => !full,
  });
});

/** The last call comes to nothing, with this status. */
function fails(status: number): void {
  calls.at(-1)?.report(status);
  dialOuts.gone('p1');
}

describe('a call that is made again', () => {
  it('is made as often as was asked for, under the same id', () => {
    dialOuts.start(room, CALLEE, { retries: 2, retryAfterS: 30 });
    fails(486);
    expect(dialOuts.waits(room, 'p1')).toBe(true);
    timers.advance(29_999);
    expect(calls).toHaveLength(1);
    timers.advance(1);
    expect(calls.map(({ id }) => id)).toEqual([undefined, 'p1']);
    fails(408);
    timers.advance(30_000);
    fails(200);
    timers.runUntilIdle();
    expect(calls).toHaveLength(3);
    expect(dialOuts.cancel('p1')).toBe(false);
  });

  it('is not made after a no, nor once they were in', () => {
    for (const status of [403, 404, 600, 603]) {
      dialOuts.start(room, CALLEE, { retries: 2, retryAfterS: 30 });
      fails(status);
      expect(timers.pending).toBe(0);
    }
    dialOuts.start(room, CALLEE, { retries: 2, retryAfterS: 30 });
    dialOuts.entered('p1');
    fails(200);
    expect(timers.pending).toBe(0);
  });

  it('is not made when they said no by a key, which cancels it while the call stands', () => {
    dialOuts.start(room, CALLEE, { retries: 2, retryAfterS: 30 });
    calls.at(-1)?.report(200);
    dialOuts.cancel('p1');
    dialOuts.gone('p1');
    expect(timers.pending).toBe(0);
  });

  it('is not made when it was cancelled, or the room is gone or full', () => {
    dialOuts.start(room, CALLEE, { retries: 9, retryAfterS: 30 });
    fails(486);
    expect(dialOuts.cancel('p1')).toBe(true);
    dialOuts.start(room, CALLEE, { retries: 9, retryAfterS: 30 });
    fails(486);
    full = true;
    timers.advance(30_000);
    full = false;
    dialOuts.start(room, CALLEE, { retries: 9, retryAfterS: 30 });
    fails(486);
    rooms.close(room);
    timers.runUntilIdle();
    expect(calls).toHaveLength(3);
    expect(dialOuts.waits(room, 'p1')).toBe(false);
  });
});
