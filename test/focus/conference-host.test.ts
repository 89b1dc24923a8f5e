import pino from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { type ArrivalParts, arrivalOf } from '../../server/focus/arrival.ts';
import { ConferenceHost } from '../../server/focus/conference-host.ts';
import { Moderation } from '../../server/focus/moderation.ts';
import type { ParticipantCall } from '../../server/focus/participant-call.ts';
import { type Decision, ParticipantControls } from '../../server/focus/participant-controls.ts';
import type { PinGuard } from '../../server/focus/pin-guard.ts';
import { Announcer } from '../../server/ivr/announcer.ts';
import type { EntryStage } from '../../server/ivr/entry.ts';
import type { Names } from '../../server/ivr/names.ts';
import type { RoomPolicy } from '../../server/rooms/policy.ts';
import type { Room } from '../../server/rooms/room.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import type { Role } from '../../server/rooms/views.ts';
import { someone } from '../rooms/someone.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';

/** As much of a participant as the way in has to do with. */
class Guest {
  readonly id: string;
  readonly room: Room;
  readonly controls: ParticipantControls;
  readonly arrival: ReturnType<typeof arrivalOf>;
  isOver = false;
  endReason: string | null = null;
  private stage: EntryStage | null = null;

  constructor(id: string, room: Room, parts: Partial<ArrivalParts> = {}) {
    const arrival = { role: 'participant', ...parts } as const;
    this.id = id;
    this.room = room;
    this.arrival = arrivalOf(room, arrival, 0);
    this.controls = new ParticipantControls(arrival.role, this.arrival.apart);
    this.controls.mutedByModerator = room.policy.muteOnEntry && arrival.role !== 'moderator';
    room.join(someone(id, { state: 'connecting', role: arrival.role }));
  }

  get isEntering(): boolean {
    return this.stage !== null;
  }

  setStage(stage: EntryStage): void {
    this.stage = stage;
    this.room.change(this.id, { state: stage });
  }

  enter(role: Role): void {
    this.stage = null;
    this.controls.role = role;
    this.controls.apart = false;
    this.room.change(this.id, { ...this.controls.view, state: 'connected' });
  }

  async decide(decision: Decision): Promise<void> {
    this.controls.decide(decision);
    this.room.change(this.id, this.controls.view);
  }

  hangUp(reason: string): void {
    this.endReason = reason;
    this.isOver = true;
    this.room.leave(this.id);
  }
}

let timers: VirtualTimers;
let rooms: Rooms;
let host: ConferenceHost;
let moderation: Moderation;
let guests: Guest[];
let happened: string[];

const settled = () => new Promise((resolve) => setImmediate(resolve));
const asCall = (guest: Guest) => guest as unknown as ParticipantCall;

beforeEach(() => {
  timers = new VirtualTimers();
  rooms = new Rooms();
  guests = [];
  happened = [];
  const log = pino({ level: 'silent' });
  const announcer = new Announcer({
    prompts: {
      file: (_language, id) => id,
      ...{ count: () => [], sound: (id: string) => id, music: () => [], menu: () => [], menuEntry: () => [] },
    },
    player: {
      async playSound({ playback }) {
        timers.set(1000, () => announcer.happened({ event: 'playbackEnded', playback, reason: 'finished' }));
      },
      controlSound: async () => ({ positionMs: 0, durationMs: 0 }),
      stopSound: async () => undefined,
    },
    log,
  });
  const inRoom = (room: Room) => guests.filter((guest) => guest.room === room).map(asCall);
  moderation = new Moderation({
    ...{ announcer, rooms, in: inRoom, callNobody: () => undefined, epochMs: () => 0 },
    roleGiven: (participant) => host.roleGiven(participant),
  });
  host = new ConferenceHost({
    ...{ rooms, announcer, timers, log, moderation, in: inRoom, epochMs: () => timers.now() },
    names: { of: () => null, forget: () => undefined } as unknown as Names,
    pins: { takes: () => true, right: () => undefined } as unknown as PinGuard,
    toggleRecording: async () => ({ now: 'started', announced: true }),
    ...{ keyPressed: () => undefined, sendText: () => undefined, gone: () => undefined },
    entered: ({ id }) => void happened.push(`${id} entered`),
    declined: ({ id }) => void happened.push(`${id} declined`),
  });
});

const open = (policy: Partial<RoomPolicy>): Room => rooms.open('demo', 'created', policy);

async function comes(id: string, room: Room, parts: Partial<ArrivalParts> = {}): Promise<Guest> {
  const guest = new Guest(id, room, parts);
  guests.push(guest);
  host.established(asCall(guest));
  await settled();
  return guest;
}

const stateOf = ({ id, room }: Guest) => room.participant(id)?.state;

describe('one who waits and is made a moderator', () => {
  it('is let in, with all who wait for one, and is not muted for having entered', async () => {
    const room = open({ waitForModerator: true, muteOnEntry: true });
    const [ann, ben] = [await comes('ann', room), await comes('ben', room)];
    expect([stateOf(ann), stateOf(ben)]).toEqual(['waiting', 'waiting']);
    await moderation.setRole(asCall(ann), 'moderator');
    await settled();
    expect(happened).toEqual(['ann entered', 'ben entered']);
    expect(room.present.map(({ id, role, muted }) => [id, role, muted])).toEqual([
      ['ann', 'moderator', null],
      ['ben', 'participant', { by: 'moderator' }],
    ]);
  });

  it('is let in out of the lobby; another role changes nothing of the waiting', async () => {
    const ann = await comes('ann', open({ lobby: true }));
    await moderation.setRole(asCall(ann), 'listener');
    expect(stateOf(ann)).toBe('lobby');
    await moderation.setRole(asCall(ann), 'moderator');
    expect(stateOf(ann)).toBe('connected');
  });

  it('does not wait after the PIN, or after the phone rang, either', async () => {
    const room = open({ pin: '1234', waitForModerator: true });
    const ann = await comes('ann', room);
    await moderation.setRole(asCall(ann), 'moderator');
    expect(stateOf(ann)).toBe('entering');
    for (const key of '1234#') host.keyPressed(asCall(ann), key);
    expect(room.present).toMatchObject([{ id: 'ann', role: 'moderator' }]);
    const ben = new Guest('ben', open({ waitForModerator: true }), { calledByUs: true });
    guests.push(ben);
    await moderation.setRole(asCall(ben), 'moderator');
    host.established(asCall(ben));
    expect(stateOf(ben)).toBe('connected');
  });
});

describe('a moderator', () => {
  it('who enters a breakout room is there for those who wait in its main room', async () => {
    const room = open({ waitForModerator: true });
    const ann = await comes('ann', room);
    await comes('eve', rooms.open('other', 'created'), { role: 'moderator' });
    expect(stateOf(ann)).toBe('waiting');
    await comes('ben', rooms.open('demo-1', 'adhoc', {}, 'demo'), { role: 'moderator' });
    expect(stateOf(ann)).toBe('connected');
  });
});

describe('whom we call', () => {
  const called = { calledByUs: true, confirm: true };

  it('says no with another key than 1, but not by pressing nothing', async () => {
    const room = open({});
    const [ann, ben] = [await comes('ann', room, called), await comes('ben', room, called)];
    host.keyPressed(asCall(ann), '2');
    expect([happened, ann.endReason]).toEqual([['ann declined'], 'pressed another key than 1']);
    for (let second = 0; second < 30; second++) {
      timers.advance(1000);
      await settled();
    }
    expect([happened, ben.endReason]).toEqual([['ann declined'], 'did not press 1']);
  });
});

describe('one whose call is over while the leg is still being closed', () => {
  it('has not entered, whoever lets them in', async () => {
    const room = open({ waitForModerator: true });
    const ann = await comes('ann', room);
    const ben = await comes('ben', room);
    for (const guest of [ann, ben]) guest.hangUp('gone');
    host.admit(asCall(ann));
    await comes('cem', room, { role: 'moderator' });
    expect(happened).toEqual(['cem entered']);
  });

  it('has not entered by a timer of the way in, either', async () => {
    const ann = await comes('ann', open({ moderatorPin: '99' }));
    timers.advance(1000);
    ann.hangUp('gone');
    timers.advance(60_000);
    await settled();
    expect(happened).toEqual([]);
  });
});
