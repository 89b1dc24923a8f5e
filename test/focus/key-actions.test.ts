import pino from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { KeyActions } from '../../server/focus/key-actions.ts';
import { Moderation } from '../../server/focus/moderation.ts';
import type { ParticipantCall } from '../../server/focus/participant-call.ts';
import { type Decision, ParticipantControls } from '../../server/focus/participant-controls.ts';
import { Announcer } from '../../server/ivr/announcer.ts';
import type { Room } from '../../server/rooms/room.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import type { Role } from '../../server/rooms/views.ts';
import { someone } from '../rooms/someone.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';

let timers: VirtualTimers;
let rooms: Rooms;
let room: Room;
let keys: KeyActions;
let said: string[];
let hungUp: string[];
let there: ParticipantCall[];
let recording: boolean;
let announced: boolean;
let full: boolean;
let told: string[];

beforeEach(() => {
  timers = new VirtualTimers();
  rooms = new Rooms();
  room = rooms.open('demo', 'created');
  said = [];
  hungUp = [];
  there = [];
  recording = false;
  announced = true;
  full = false;
  told = [];
  const announcer = new Announcer({
    prompts: {
      file: (_language, id) => id,
      count: (_language, n) => [`count ${n}`],
      sound: (id) => id,
      music: () => [],
      menu: (_language, everybody, moderators) => [
        moderators ? 'long menu' : 'menu',
        ...(Object.values(everybody).includes('layout') ? ['with layouts'] : []),
      ],
      menuEntry: (_language, action, sequence) => [`${action}=${sequence}`],
    },
    player: {
      async playSound({ playback, to, files }) {
        said.push(`${'room' in to ? 'all' : to.leg}: ${files.join(' ')}`);
        announcer.happened({ event: 'playbackEnded', playback, reason: 'finished' });
      },
      controlSound: async () => ({ positionMs: 0, durationMs: 0 }),
      stopSound: async () => undefined,
    },
    log: pino({ level: 'silent' }),
  });
  const inRoom = (one: Room) => there.filter((participant) => participant.room === one);
  const callNobody = (one: Room) => void hungUp.push(`nobody is called into ${one.name}`);
  const moderation = new Moderation({
    ...{ announcer, rooms, in: inRoom, callNobody },
    roleGiven: ({ id, controls }) => void told.push(`${id} is ${controls.role}`),
    epochMs: () => 7000,
  });
  keys = new KeyActions({
    ...{ announcer, moderation, timers, log: pino({ level: 'silent' }), in: inRoom },
    async toggleRecording() {
      if (full) throw new Error('the disk is full');
      recording = !recording;
      return { now: recording ? 'started' : 'stopped', announced };
    },
    keyPressed: ({ id }, key) => void told.push(`${id} ${key}`),
  });
});

/** As much of a participant as keys have to do with. */
function enters(id: string, role: Role = 'participant', where = room): ParticipantCall {
  const controls = new ParticipantControls(role, false);
  where.join(someone(id, { role }));
  const call = {
    ...{ id, room: where, controls, isEntering: false },
    async decide(decision: Decision) {
      controls.decide(decision);
      where.change(id, controls.view);
    },
    hangUp: (reason: string) => hungUp.push(`${id}: ${reason}`),
  } as unknown as ParticipantCall;
  there.push(call);
  return call;
}

async function press(who: ParticipantCall, sequence: string): Promise<string[]> {
  for (const key of sequence) {
    timers.advance(200);
    keys.pressed(who, key);
  }
  await new Promise((resolve) => setImmediate(resolve));
  return said.splice(0);
}

describe('keys of everybody', () => {
  it('mute and unmute oneself, but not what a moderator muted', async () => {
    const ann = enters('ann');
    expect(await press(ann, '*6')).toEqual(['ann: you-are-muted']);
    expect(room.participant('ann')?.muted).toEqual({ by: 'self' });
    expect(await press(ann, '*6')).toEqual(['ann: you-are-unmuted']);
    ann.controls.mutedByModerator = true;
    expect(await press(ann, '*6')).toEqual(['ann: muted-by-moderator hand=*5']);
    expect(ann.controls.mutedBySelf).toBe(false);
  });

  it('tell a listener why they are not heard', async () => {
    expect(await press(enters('ann', 'listener'), '*6')).toEqual(['ann: muted-by-moderator hand=*5']);
  });

  it('raise and lower the hand', async () => {
    const ann = enters('ann');
    expect(await press(ann, '*5')).toEqual(['ann: hand-raised']);
    expect(room.participant('ann')).toMatchObject({ hand: true, handRaisedAt: '1970-01-01T00:00:07.000Z' });
    expect(await press(ann, '*5')).toEqual(['ann: hand-lowered']);
    expect(room.participant('ann')).toMatchObject({ hand: false, handRaisedAt: null });
  });

  it('change the volume within its limits', async () => {
    const ann = enters('ann');
    expect(await press(ann, '*7')).toEqual(['ann: volume-up']);
    expect(room.participant('ann')?.volumeDb).toBe(3);
    await press(ann, '*4'.repeat(20));
    expect(room.participant('ann')?.volumeDb).toBe(-30);
  });

  it('say how many are in, without those who wait, and the menu', async () => {
    const ann = enters('ann');
    enters('ben');
    room.join(someone('cem', { state: 'lobby' }));
    expect(await press(ann, '*#')).toEqual(['ann: count 2']);
    expect(await press(ann, '*0')).toEqual(['ann: menu']);
  });

  it('choose the next layout for oneself, from that of the room on, and begin anew after the last', async () => {
    const ann = enters('ann');
    room.changePolicy({ layout: 'single' });
    const seen: unknown[] = [];
    for (let times = 0; times < 4; times++) {
      expect(await press(ann, '*8')).toEqual(['ann: beep']);
      seen.push(room.participant('ann')?.layout);
    }
    expect(seen).toEqual(['side-by-side', 'picture-in-picture', 'auto', 'grid']);
    expect(room.policy.layout).toBe('single');
  });

  it('tell of layouts those who see any', async () => {
    const ann = enters('ann');
    expect(await press(ann, '*0')).toEqual(['ann: menu']);
    room.change('ann', {
      video: { codec: 'VP8', direction: 'sendrecv', width: null, height: null, slides: false },
    });
    expect(await press(ann, '*0')).toEqual(['ann: menu with layouts']);
  });

  it('do not moderate', async () => {
    const ann = enters('ann');
    for (const sequence of ['*1', '*2', '*3', '*9']) expect(await press(ann, sequence)).toEqual(['ann: not-allowed']);
    expect([room.policy.locked, recording, hungUp]).toEqual([false, false, []]);
  });

  it('are those that the room has', async () => {
    room.changePolicy({ keys: { everybody: { '*88': 'mute' }, moderators: {} } });
    const ann = enters('ann');
    expect(await press(ann, '*6')).toEqual([]);
    expect(await press(ann, '*88')).toEqual(['ann: you-are-muted']);
    ann.controls.mutedByModerator = true;
    expect(await press(ann, '*88')).toEqual(['ann: muted-by-moderator']);
  });
});

describe('keys of moderators', () => {
  it('lock and unlock, and have a longer menu', async () => {
    const ann = enters('ann', 'moderator');
    expect(await press(ann, '*1')).toEqual(['ann: room-locked']);
    expect(room.policy.locked).toBe(true);
    expect(await press(ann, '*1')).toEqual(['ann: room-unlocked']);
    expect(await press(ann, '*0')).toEqual(['ann: long menu']);
  });

  it('mute all but moderators, and unmute when all are', async () => {
    const ann = enters('ann', 'moderator');
    const [ben, cem] = [enters('ben'), enters('cem')];
    cem.controls.mutedByModerator = true;
    expect(await press(ann, '*2')).toEqual(['all: all-muted']);
    expect([ann, ben, cem].map(({ controls }) => controls.mutedByModerator)).toEqual([false, true, true]);
    expect(await press(ann, '*2')).toEqual(['all: all-unmuted']);
    expect(room.participant('ben')?.muted).toBeNull();
  });

  it('start and stop recording; who pressed them hears it once, with all or alone', async () => {
    const ann = enters('ann', 'moderator');
    expect(await press(ann, '*3')).toEqual([]);
    expect(recording).toBe(true);
    expect(await press(ann, '*3')).toEqual([]);
    announced = false;
    expect(await press(ann, '*3')).toEqual(['ann: recording-started']);
    expect(await press(ann, '*3')).toEqual(['ann: recording-stopped']);
    full = true;
    expect(await press(ann, '*3')).toEqual(['ann: recording-stopped']);
    expect(told).toEqual(Array.from({ length: 5 }, () => ['ann *', 'ann 3']).flat());
  });

  it('end the conference after saying so', async () => {
    const ann = enters('ann', 'moderator');
    enters('ben');
    expect(await press(ann, '*9')).toEqual(['all: conference-ends']);
    expect(hungUp.slice(1)).toEqual(['ann: a moderator ended the conference', 'ben: a moderator ended the conference']);
  });

  it('end it in breakout rooms too, and nobody is called again, not even whose phone rings', async () => {
    const ann = enters('ann', 'moderator');
    enters('ben', 'participant', rooms.open('demo-1', 'adhoc', {}, 'demo'));
    enters('cem', 'participant', rooms.open('other', 'adhoc'));
    expect(await press(ann, '*9')).toEqual(['all: conference-ends', 'all: conference-ends']);
    expect(hungUp).toEqual([
      'nobody is called into demo',
      'ann: a moderator ended the conference',
      'nobody is called into demo-1',
      'ben: a moderator ended the conference',
    ]);
  });
});
