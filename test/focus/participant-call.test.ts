import pino from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import type { LegControl, MixerErrorCode } from '../../mixer/protocol.ts';
import { arrivalOf } from '../../server/focus/arrival.ts';
import { ParticipantCall } from '../../server/focus/participant-call.ts';
import type { ParticipantOwner } from '../../server/focus/participant-options.ts';
import { MixerError } from '../../server/mixers/mixer-channel.ts';
import type { Mixers } from '../../server/mixers/mixers.ts';
import type { Room } from '../../server/rooms/room.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import { MediaSession } from '../../server/sdp/media-session.ts';
import type { Call, CallHandler, SdpText } from '../../server/sip/dialog/call.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';
import { noVideo } from './no-video.ts';

let rooms: Rooms;
let demo: Room;
let side: Room;
let participant: ParticipantCall;
let happened: string[];
/** Moves that the mixer has not answered yet. */
let moves: ((where?: 'moved' | 'elsewhere') => void)[];
/** What is opened waits for this. */
let opening: Promise<void>;
let reoffers: SdpText[];
let logged: string[];
let handler: CallHandler;
/** What the mixer was told of the leg. */
let controls: LegControl[];
/** How it refuses from now on; null: it does not. */
let refusal: MixerErrorCode | 'deadline' | null;
/** Before it refuses. */
let refuses: Promise<void>;

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Their description, in that version. */
const theirs = (version: number): SdpText =>
  ['v=0', `o=- 1 ${version} IN IP4 192.0.2.1`, 's=-', 'c=IN IP4 192.0.2.1', 't=0 0', 'm=audio 4000 RTP/AVP 0', ''].join(
    '\r\n',
  );

/** Of our audio. */
const portIn = (sdp: SdpText | undefined): number => Number(/^m=audio (\d+)/m.exec(sdp ?? '')?.[1]);

/** As much of the mixers as one leg has to do with. */
function mixers(): Mixers {
  let isOpen = false;
  let ports = 20_000;
  const known = (): void => {
    if (!isOpen) throw new MixerError('no-such-leg', 'it is not open');
  };
  return {
    openLeg: async () => {
      await opening;
      isOpen = true;
      ports += 2;
      return { rtpPort: ports, rtcpPort: ports + 1 };
    },
    closeLeg: async () => {
      isOpen = false;
      return null;
    },
    updateLeg: async () => known(),
    async controlLeg(_leg: string, control: LegControl) {
      known();
      controls.push(control);
      const code = refusal;
      if (code === null) return;
      await refuses;
      throw new MixerError(code, 'no');
    },
    async moveLeg() {
      if (refusal !== null) throw new MixerError(refusal, 'no');
      return new Promise((resolve) => moves.push((where = 'moved') => resolve(where)));
    },
  } as unknown as Mixers;
}

beforeEach(async () => {
  rooms = new Rooms();
  demo = rooms.open('demo', 'created');
  side = rooms.open('side', 'created');
  happened = [];
  [moves, reoffers, logged] = [[], [], []];
  opening = Promise.resolve();
  controls = [];
  refusal = null;
  refuses = Promise.resolve();
  rooms.subscribe((room, { change }) => void happened.push(`${room.name} ${change}`));
  const owner: ParticipantOwner = {
    established: (one) => one.enter('participant'),
    isOpen: (room) => rooms.get(room.name) === room,
    vacated: (room) => void happened.push(`${room.name} vacated`),
    ...{ referred: () => {}, keyPressed: () => {}, keyTold: () => {}, gone: () => void happened.push('gone') },
  };
  participant = new ParticipantCall({
    ...{ id: 'ann', who: { uri: 'sip:ann@example.com', displayName: null }, role: 'participant', room: demo },
    arrival: arrivalOf(demo, { role: 'participant', calledByUs: true }, 0),
    ...{ replaces: null, report: null, owner, mixers: mixers(), video: noVideo(), offers: [] },
    ...{
      timers: new VirtualTimers(),
      log: pino({ level: 'error' }, { write: (line) => void logged.push(line) }),
      epochMs: () => 5000,
    },
    createSession: (ports) => new MediaSession({ address: '192.0.2.2', ...ports, sessionId: 7 }),
  });
  const call = {
    ...{ id: 'c', callId: 'c', flow: null },
    hangUp: () => handler.ended({ cause: 'local-bye' }),
    reoffer: (offer: () => SdpText) => void reoffers.push(offer()),
  } as unknown as Call;
  await participant.dial('192.0.2.1', (_offer, ours) => {
    handler = ours;
    return call;
  });
  handler.confirmed(theirs(1));
  await settled();
  expect(participant.room.participant('ann')?.state).toBe('connected');
  happened.length = 0;
  controls.length = 0;
});

describe('one who is moved', () => {
  it('arrives once, though it was asked for twice', async () => {
    const both = [participant.moveTo(side), participant.moveTo(side)];
    // The mixers know by the second one that they are there already.
    moves[1]?.();
    await settled();
    moves[0]?.();
    await Promise.all(both);
    expect(happened).toEqual(['demo participant-left', 'side participant-joined', 'demo vacated']);
  });

  it('is hung up on when the room was closed meanwhile, rather than be in one that nobody knows', async () => {
    const moving = participant.moveTo(side);
    rooms.close(side);
    moves[0]?.();
    await moving;
    await settled();
    expect([participant.endReason, side.size, demo.size]).toEqual(['room side was closed', 0, 0]);
    expect(happened.at(-1)).toBe('gone');
  });
});

describe('on the way to another mixer, where there is no leg', () => {
  let arrive: () => void;
  let moving: Promise<void>;
  beforeEach(async () => {
    opening = new Promise((resolve) => {
      arrive = resolve;
    });
    moving = participant.moveTo(side);
    moves[0]?.('elsewhere');
    await settled();
  });

  it('an offer of the phone is answered when there is one, with its ports', async () => {
    const replies: (SdpText | number)[] = [];
    handler.reoffered(theirs(2), {
      accept: (sdp) => void replies.push(sdp),
      reject: (status) => void replies.push(status),
    });
    await settled();
    expect(replies).toEqual([]);
    arrive();
    await moving;
    await settled();
    expect(replies.map((reply) => (typeof reply === 'string' ? portIn(reply) : reply))).toEqual([20_004]);
    expect([portIn(reoffers[0]), logged]).toEqual([20_004, []]);
  });

  it('an answer of the phone to an earlier offer does not end the call', async () => {
    participant.media.makeOffer();
    handler.answered(theirs(2));
    await settled();
    arrive();
    await moving;
    await settled();
    expect([participant.endReason, side.size]).toEqual([null, 1]);
  });
});

it('one who hangs up while their offer is looked at has done nothing wrong', async () => {
  const replies: unknown[] = [];
  handler.reoffered(theirs(2), {
    accept: (sdp) => void replies.push(sdp),
    reject: (status) => void replies.push(status),
  });
  handler.ended({ cause: 'remote-bye', reason: null });
  await settled();
  expect([replies, logged]).toEqual([[500], []]);
});

it('one who has hung up is not in the way of a decision about all', async () => {
  handler.ended({ cause: 'remote-bye', reason: null });
  await expect(participant.decide({ mutedByModerator: true })).resolves.toBeUndefined();
});

describe('what the mixer does not do', () => {
  it('is not shown, and not so: it is taken back', async () => {
    refusal = 'deadline';
    const decided = participant.decide({ mutedByModerator: true, gainDb: 6 });
    await expect(decided).rejects.toMatchObject({ code: 'deadline' });
    expect(demo.participant('ann')).toMatchObject({ muted: null, gainDb: 0 });
    expect(participant.controls).toMatchObject({ mutedByModerator: false, gainDb: 0 });
    expect(happened).toEqual([]);
    // For its next life, which gets what it was told last.
    await settled();
    expect(controls.map(({ muted, gainDb }) => [muted, gainDb])).toEqual([
      [true, 6],
      [false, 0],
    ]);
    refusal = null;
    await participant.decide({ deaf: true });
    expect([controls.at(-1), demo.participant('ann')]).toMatchObject([{ muted: false, deaf: true }, { deaf: true }]);
  });

  it('takes back nothing that was decided meanwhile', async () => {
    let refuse = (): void => undefined;
    refuses = new Promise((resolve) => {
      refuse = resolve;
    });
    refusal = 'internal';
    const first = participant.decide({ gainDb: 6, volumeDb: 6 });
    refusal = null;
    await participant.decide({ gainDb: 3, deaf: true });
    expect(demo.participant('ann')).toMatchObject({ gainDb: 3, volumeDb: 6, deaf: true });
    refuse();
    await expect(first).rejects.toThrow();
    const expected = { gainDb: 3, volumeDb: 0, deaf: true };
    expect([demo.participant('ann'), participant.controls]).toMatchObject([expected, expected]);
    expect(controls.at(-1)).toMatchObject(expected);
  });

  it('leaves whom they speak to as it was, when they could not be moved', async () => {
    await participant.decide({ speaksTo: ['ben'] });
    refusal = 'deadline';
    await expect(participant.moveTo(side)).rejects.toMatchObject({ code: 'deadline' });
    expect([participant.controls.speaksTo, demo.participant('ann')?.speaksTo]).toEqual([['ben'], ['ben']]);
  });
});

it('joined at a time that is told, not asked for', () => {
  expect(demo.participant('ann')?.joinedAt).toBe('1970-01-01T00:00:05.000Z');
});
