import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { EventStreams, type StreamRequest } from '../../server/events/event-streams.ts';
import { someone } from '../rooms/someone.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';
import { someRooms } from './some-rooms.ts';

interface Seen {
  id: string;
  event: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it freely, and then compare.
  data: any;
}

/** A reader who takes all, or leaves it where it is. */
class Reader {
  text = '';
  waitingBytes = 0;
  reads = true;
  ended: 'end' | 'cut' | null = null;

  write(text: string): void {
    this.text += text;
    if (!this.reads) this.waitingBytes += Buffer.byteLength(text);
  }
  end(): void {
    this.ended = 'end';
  }
  cut(): void {
    this.ended = 'cut';
  }

  get events(): Seen[] {
    return [...this.text.matchAll(/^id: (.*)\nevent: (.*)\ndata: (.*)\n\n/gm)].map(([, id, event, data]) => {
      return { id: id!, event: event!, data: JSON.parse(data!) };
    });
  }
}

function streaming() {
  const timers = new VirtualTimers();
  const { rooms, events } = someRooms();
  const streams = new EventStreams(events, timers, pino({ level: 'silent' }));
  const open = (more: Partial<StreamRequest> = {}) => {
    const reader = new Reader();
    const state = () => [...rooms].map((room) => room.view([]));
    const usual = {
      sink: reader,
      room: null,
      breakouts: false,
      lastEventId: null,
      state,
      allowed: () => true,
      reader: 'test',
    };
    const close = streams.open({ ...usual, ...more });
    return { reader, close };
  };
  return { timers, rooms, events, streams, open };
}

describe('an event stream', () => {
  it('begins with the whole state, and goes on with changes that follow it', () => {
    const { rooms, open } = streaming();
    const room = rooms.open('demo', 'adhoc');
    room.join(someone('anna'));
    const { reader } = open();
    expect(reader.text).toMatch(/^retry: 2000\n\nid: run1-2\nevent: state\ndata: \{/);
    expect(reader.events[0]!.data).toEqual({ id: 'run1-2', rooms: [room.view([])] });
    room.change('anna', { hand: true });
    expect(reader.events[1]).toMatchObject({ id: 'run1-3', event: 'participant-changed' });
    expect(reader.events[1]!.data).toMatchObject({ room: 'demo', version: 2, participant: { id: 'anna', hand: true } });
  });

  it('is a state that any reader can follow: state and changes make what there is at the end', () => {
    const { rooms, open } = streaming();
    const room = rooms.open('demo', 'adhoc');
    const { reader } = open();
    for (const id of ['anna', 'ben', 'carl']) room.join(someone(id));
    room.change('ben', { muted: { by: 'self' } });
    room.leave('anna');
    const [state, ...changes] = reader.events;
    const present = new Map(state!.data.rooms[0].participants.map((one: { id: string }) => [one.id, one]));
    for (const { event, data } of changes) {
      if (event === 'participant-left') present.delete(data.participant.id);
      else present.set(data.participant.id, data.participant);
    }
    expect([...present.values()]).toEqual(room.participants);
    expect(changes.at(-1)!.data.version).toBe(room.version);
  });

  it('resumes after the last event that was received, without the state', () => {
    const { rooms, events, open } = streaming();
    const room = rooms.open('demo', 'adhoc');
    const seen = events.lastId;
    room.join(someone('anna'));
    room.leave('anna');
    const { reader } = open({ lastEventId: seen });
    expect(reader.events.map(({ id, event }) => [id, event])).toEqual([
      ['run1-2', 'participant-joined'],
      ['run1-3', 'participant-left'],
    ]);
  });

  it('begins anew with the state when what was missed is not known any more', () => {
    const { rooms, open } = streaming();
    rooms.open('demo', 'adhoc');
    expect(open({ lastEventId: 'run0-1' }).reader.events.map(({ event }) => event)).toEqual(['state']);
  });

  it('for one room has nothing of others, neither live nor resumed', () => {
    const { rooms, open, events } = streaming();
    const start = events.lastId;
    const demo = rooms.open('demo', 'adhoc');
    const secret = rooms.open('secret', 'adhoc');
    const live = open({ room: 'demo', state: () => [demo.view([])] }).reader;
    secret.join(someone('mata-hari'));
    demo.join(someone('anna'));
    const resumed = open({ room: 'demo', lastEventId: start }).reader;
    expect(live.events.map(({ event }) => event)).toEqual(['state', 'participant-joined']);
    expect(resumed.events.map(({ event }) => event)).toEqual(['room-opened', 'participant-joined']);
    expect(live.text + resumed.text).not.toMatch(/secret|mata-hari/);
  });

  it('is kept open by a comment every 15 s, and no timer is left without readers', () => {
    const { timers, open } = streaming();
    const first = open();
    const second = open();
    timers.advance(45_000);
    expect(first.reader.text.match(/^: still here\n\n/gm)).toHaveLength(3);
    first.close();
    expect(timers.pending).toBe(1);
    second.close();
    expect(timers.pending).toBe(0);
  });

  it('is cut when the reader does not read, and others are not held up', () => {
    const { rooms, streams, open } = streaming();
    const room = rooms.open('demo', 'adhoc');
    room.join(someone('anna'));
    const slow = open().reader;
    const fast = open().reader;
    slow.reads = false;
    let changes = 0;
    while (slow.ended === null && changes < 10_000) room.change('anna', { gainDb: ++changes });
    expect(slow.ended).toBe('cut');
    expect(slow.waitingBytes).toBeGreaterThan(1024 * 1024);
    expect(slow.waitingBytes).toBeLessThan(1.01 * 1024 * 1024);
    const before = slow.text.length;
    room.leave('anna');
    expect(slow.text.length).toBe(before);
    expect(fast.ended).toBeNull();
    expect(fast.events).toHaveLength(changes + 2);
    expect([streams.size, streams.dropped]).toEqual([1, { slow: 1, token: 0 }]);
  });

  it('gives the reader of a large state time to take it', () => {
    const { rooms, open } = streaming();
    const room = rooms.open('demo', 'adhoc');
    for (let index = 0; index < 5000; index++) room.join(someone(`participant-${index}`));
    const reader = new Reader();
    reader.reads = false;
    open({ sink: reader });
    expect(reader.waitingBytes).toBeGreaterThan(1.5 * 1024 * 1024);
    room.leave('participant-7');
    expect(reader.ended).toBeNull();
    reader.waitingBytes = 0;
    room.leave('participant-8');
    reader.waitingBytes = 1024 * 1024 + 1;
    room.leave('participant-9');
    expect(reader.ended).toBe('cut');
  });

  it('ends when its token is worth nothing any more, before it tells anything else', () => {
    const { rooms, timers, streams, open } = streaming();
    const room = rooms.open('demo', 'adhoc');
    let allowed = true;
    const { reader } = open({ allowed: () => allowed });
    allowed = false;
    room.join(someone('anna'));
    expect(reader.ended).toBe('end');
    expect(reader.events.map(({ event }) => event)).toEqual(['state']);
    expect([streams.size, streams.dropped]).toEqual([0, { slow: 0, token: 1 }]);
    const idle = open({ allowed: () => allowed }).reader;
    timers.advance(15_000);
    expect(idle.ended).toBe('end');
  });

  it('is one of 500 at most, 200 of them of one reader, and all end with the server', () => {
    const { streams, rooms, timers, open } = streaming();
    const all = Array.from({ length: 200 }, () => open({ reader: 'a' }));
    expect([streams.fullFor('a'), streams.fullFor('b')]).toEqual([true, false]);
    for (let count = 0; count < 300; count++) all.push(open({ reader: `b${count}` }));
    expect(streams.fullFor('c')).toBe(true);
    all[0]!.close();
    expect([streams.fullFor('a'), streams.fullFor('c')]).toEqual([false, false]);
    streams.close();
    rooms.open('demo', 'adhoc');
    expect(all.slice(1).every(({ reader }) => reader.ended === 'end')).toBe(true);
    expect(all.every(({ reader }) => reader.events.length === 1)).toBe(true);
    expect(open().reader).toMatchObject({ ended: 'end', text: '' });
    expect(timers.pending).toBe(0);
  });
});
