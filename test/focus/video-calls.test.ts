import pino from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import type { LegControl } from '../../mixer/protocol.ts';
import type { VideoStreamName } from '../../mixer/video-protocol.ts';
import { arrivalOf } from '../../server/focus/arrival.ts';
import { ParticipantCall } from '../../server/focus/participant-call.ts';
import type { ParticipantOwner } from '../../server/focus/participant-options.ts';
import type { Mixers } from '../../server/mixers/mixers.ts';
import type { RoomPolicy } from '../../server/rooms/policy.ts';
import type { Room } from '../../server/rooms/room.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import { MediaSession } from '../../server/sdp/media-session.ts';
import type { Call, CallHandler, IncomingCall, ReofferResult, SdpText } from '../../server/sip/dialog/call.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';
import { FakeVideo } from './fake-video.ts';

let rooms: Rooms;
let room: Room;
let video: FakeVideo;
let timers: VirtualTimers;
let controls: LegControl[];
let logged: string[];
let participant: ParticipantCall;
/** How the INVITE was answered. */
let answered: SdpText[];
/** Our re-INVITEs, and how to answer the last. */
let reoffers: SdpText[];
let conclude: (result: ReofferResult) => void;
let fastUpdates: number;

const settled = () => new Promise((resolve) => setImmediate(resolve));

const VIDEO = [
  'm=video 5002 RTP/AVP 97',
  'a=rtpmap:97 H264/90000',
  'a=fmtp:97 profile-level-id=42e01f;packetization-mode=1',
];
const SLIDES = [...VIDEO.map((line) => line.replace('5002', '5004')), 'a=content:slides'];

function sdp(...streams: string[]): SdpText {
  const head = ['v=0', `o=- 1 ${serial++} IN IP4 192.0.2.1`, 's=-', 'c=IN IP4 192.0.2.1', 't=0 0'];
  return `${[...head, 'm=audio 5000 RTP/AVP 0', ...streams].join('\r\n')}\r\n`;
}
let serial = 1;

/** Ports by stream, in order. */
const ports = (text: SdpText | undefined): number[] =>
  [...(text ?? '').matchAll(/^m=\w+ (\d+)/gm)].map(([, port]) => Number(port));

function begin({
  calledByUs = false,
  offers = ['main'] as readonly VideoStreamName[],
  policy = {} as Partial<RoomPolicy>,
} = {}): void {
  rooms = new Rooms(policy);
  room = rooms.open('demo', 'created');
  const owner: ParticipantOwner = {
    established: (one) => one.enter('participant'),
    isOpen: (one) => rooms.get(one.name) === one,
    ...{ vacated: () => {}, referred: () => {}, keyPressed: () => {}, keyTold: () => {}, gone: () => {} },
  };
  const mixers = {
    openLeg: async () => ({ rtpPort: 20_000, rtcpPort: 20_001 }),
    controlLeg: async (_leg: string, control: LegControl) => void controls.push(control),
    moveLeg: async () => 'moved',
    ...{ closeLeg: async () => null, updateLeg: async () => undefined },
  } as unknown as Mixers;
  const settings = { video: { codecs: ['H264'] as const } };
  participant = new ParticipantCall({
    ...{ id: 'ann', who: { uri: 'sip:ann@example.com', displayName: null }, role: 'participant', room },
    arrival: arrivalOf(room, { role: 'participant', calledByUs }, 0),
    ...{ replaces: null, report: null, owner, mixers, video, offers, timers, epochMs: () => 0 },
    log: pino({ level: 'warn' }, { write: (line: string) => void logged.push(JSON.parse(line).msg) }),
    createSession: (own) => new MediaSession({ address: '192.0.2.2', ...own, sessionId: 7, ...settings }),
  });
  rooms.subscribe((_room, { change }) => {
    if (change === 'room-changed') participant.roomChanged();
  });
}

const call = {
  ...{ id: 'c', callId: 'c', contact: null },
  flow: { remoteAddress: '192.0.2.1' },
  hangUp: () => participant.ended({ cause: 'local-bye' }),
  reoffer(offer: (() => SdpText) | null, concluded: (result: ReofferResult) => void) {
    reoffers.push(offer!());
    conclude = concluded;
  },
  askKeyFrame: () => void fastUpdates++,
};

/** A call comes in with this offer, or with an answer to ours. */
async function calls(offer: SdpText | null, ack: SdpText | null = null): Promise<SdpText | undefined> {
  await participant.admit({
    ...call,
    ...{ offer, request: null, replaces: null, joins: null, handle: () => {}, reject: () => void answered.push('no') },
    accept: (text: SdpText) => void answered.push(text),
  } as unknown as IncomingCall);
  participant.confirmed(ack);
  return answered[0];
}

/** They change the session. */
async function reinvites(offer: SdpText | null): Promise<SdpText | undefined> {
  const replies: SdpText[] = [];
  participant.reoffered(offer, { accept: (text) => void replies.push(text), reject: () => void replies.push('no') });
  await settled();
  return replies[0];
}

const view = () => room.participant('ann')?.video;

beforeEach(() => {
  video = new FakeVideo();
  timers = new VirtualTimers();
  [controls, logged, answered, reoffers] = [[], [], [], []];
  fastUpdates = 0;
});

describe('a caller who offers video', () => {
  it('has it: their stream is opened with what was agreed, and its port is in the answer', async () => {
    begin();
    const answer = await calls(sdp(...VIDEO));
    expect(ports(answer)).toEqual([20_000, 30_002]);
    expect(video.open.get('ann main')).toMatchObject({
      room: 'demo',
      media: { direction: 'sendrecv', remote: { address: '192.0.2.1', rtpPort: 5002 }, send: { codec: 'H264' } },
    });
    expect(view()).toMatchObject({ codec: 'H264', direction: 'sendrecv', slides: false });
    expect(controls.at(-1)).toMatchObject({ tellsSound: true });
    participant.ended({ cause: 'remote-bye', reason: null });
    expect(video.open.size).toBe(0);
  });

  it('and slides has both', async () => {
    begin();
    expect(ports(await calls(sdp(...VIDEO, ...SLIDES)))).toEqual([20_000, 30_002, 30_004]);
    expect([...video.open.keys()]).toEqual(['ann main', 'ann slides']);
  });

  it.each<[string, Partial<RoomPolicy>, Partial<FakeVideo>]>([
    ['the room has none', { video: false }, {}],
    ['there is none', {}, { available: false }],
    ['no video mixer is up', {}, { isUp: false }],
    ['the video mixer fails', {}, { refuses: 'openStream' }],
  ])('gets port 0 where %s, and the call goes on with sound', async (_why, policy, mixer) => {
    Object.assign(video, mixer);
    begin({ policy });
    expect(ports(await calls(sdp(...VIDEO)))).toEqual([20_000, 0]);
    expect([view(), video.open.size, room.participant('ann')?.state]).toEqual([null, 0, 'connected']);
    expect(controls.some(({ tellsSound }) => tellsSound)).toBe(false);
  });

  it('waits with the sound for pictures that come later, as long as there are some', async () => {
    begin();
    await calls(sdp(...VIDEO));
    participant.holdSound(180);
    expect(controls.at(-1)).toMatchObject({ tellsSound: true, minDelayMs: 180 });
    const told = controls.length;
    participant.holdSound(180);
    expect(controls.length).toBe(told);
    await reinvites(sdp(...VIDEO.map((line) => line.replace('5002', '0'))));
    expect(controls.at(-1)).not.toHaveProperty('minDelayMs');
    participant.holdSound(180);
    expect(controls.at(-1)).not.toHaveProperty('minDelayMs');
    await reinvites(sdp(...VIDEO));
    expect(controls.at(-1)).toMatchObject({ tellsSound: true, minDelayMs: 0 });
  });

  it('adds and drops it by re-INVITE', async () => {
    begin();
    await calls(sdp());
    expect([view(), video.asked]).toEqual([null, []]);
    expect(ports(await reinvites(sdp(...VIDEO)))).toEqual([20_000, 30_002]);
    expect(view()).toMatchObject({ codec: 'H264' });
    expect(ports(await reinvites(sdp(...VIDEO.map((line) => line.replace('5002', '0')))))).toEqual([20_000, 0]);
    expect([view(), video.asked.at(-1)]).toEqual([null, 'closeStream ann main']);
    expect(controls.at(-1)).not.toHaveProperty('tellsSound');
    expect(ports(await reinvites(sdp(...VIDEO)))).toEqual([20_000, 30_004]);
  });

  it('on hold sends and gets none', async () => {
    begin();
    await calls(sdp(...VIDEO));
    await reinvites(sdp('a=sendonly', ...VIDEO, 'a=sendonly'));
    await reinvites(sdp('a=inactive', ...VIDEO));
    expect([view()?.direction, room.participant('ann')?.state]).toEqual(['inactive', 'on-hold']);
    await reinvites(sdp(...VIDEO));
    expect(video.open.get('ann main')?.media?.direction).toBe('sendrecv');
  });
});

describe('an offer of ours', () => {
  it('has video for who calls without one', async () => {
    begin();
    const offer = await calls(null, sdp(...VIDEO));
    expect(ports(offer)).toEqual([20_000, 30_002]);
    expect(video.asked).toEqual(['openStream ann main demo', 'updateStream ann main sendrecv']);
    expect(video.open.get('ann main')?.media).toMatchObject({ send: { codec: 'H264' } });
  });

  it.each([
    [['main'], [20_000, 30_002]],
    [[], [20_000]],
    // One that has a single stream of video refuses the other.
    [
      ['main', 'slides'],
      [20_000, 30_002, 30_004],
    ],
  ] as const)('to one who is called has it or not, as was wanted: %o', async (offers, expected) => {
    begin({ calledByUs: true, offers });
    let offered: SdpText = '';
    await participant.dial('192.0.2.1', (offer: SdpText, _handler: CallHandler) => {
      offered = offer;
      return call as unknown as Call;
    });
    expect(ports(offered)).toEqual(expected);
    const answers: Record<number, string[]> = { 1: VIDEO, 2: [...VIDEO, 'm=video 0 RTP/AVP 97'] };
    participant.confirmed(sdp(...(answers[offers.length] ?? [])));
    expect([view() === null, video.open.size]).toEqual([offers.length === 0, Math.min(1, offers.length)]);
  });

  it('has both streams for one who is called with slides, and who takes them has both', async () => {
    begin({ calledByUs: true, offers: ['main', 'slides'] });
    let offered: SdpText = '';
    await participant.dial('192.0.2.1', (offer: SdpText, _handler: CallHandler) => {
      offered = offer;
      return call as unknown as Call;
    });
    expect(offered.match(/^a=content:\w+/gm)).toEqual(['a=content:main', 'a=content:slides']);
    const second = VIDEO.map((line) => line.replace(/^m=video \d+/, 'm=video 5004'));
    participant.confirmed(sdp(...VIDEO, 'a=content:main', ...second, 'a=content:slides'));
    expect([...video.open.keys()]).toEqual(['ann main', 'ann slides']);
    expect(video.open.get('ann slides')?.media?.remote).toMatchObject({ rtpPort: 5004 });
  });

  it('that is answered without video leaves no stream behind', async () => {
    begin();
    await calls(null, sdp('m=video 0 RTP/AVP 97'));
    expect([video.open.size, view()]).toEqual([0, null]);
  });
});

describe('a room that gives up video', () => {
  it('tells phones that have some, and again when it has video again', async () => {
    begin();
    await calls(sdp(...VIDEO));
    room.changePolicy({ locked: true });
    expect(reoffers).toEqual([]);
    room.changePolicy({ video: false });
    await settled();
    expect([ports(reoffers[0]), view(), video.open.size]).toEqual([[20_000, 0], null, 0]);
    conclude({ answer: sdp('m=video 0 RTP/AVP 97') });
    room.changePolicy({ video: true });
    await settled();
    expect(ports(reoffers[1])).toEqual([20_000, 30_004]);
    conclude({ answer: sdp(...VIDEO) });
    expect(view()).toMatchObject({ codec: 'H264' });
  });

  it('leaves one alone who has given it up', async () => {
    begin();
    await calls(sdp(...VIDEO));
    await reinvites(sdp('m=video 0 RTP/AVP 97'));
    room.changePolicy({ video: false });
    room.changePolicy({ video: true, locked: true });
    await settled();
    expect(reoffers).toEqual([]);
  });

  it('while a call is being set up is looked at when it stands', async () => {
    begin();
    const admitted = calls(sdp(...VIDEO));
    room.changePolicy({ video: false });
    await admitted;
    await settled();
    expect([ports(reoffers[0]), view()]).toEqual([[20_000, 0], null]);
  });

  it('says nothing to one who never had any', async () => {
    begin();
    await calls(sdp());
    room.changePolicy({ video: false });
    room.changePolicy({ video: true });
    await settled();
    expect(reoffers).toEqual([]);
  });
});

describe('one who is moved', () => {
  it('keeps the picture where its mixer is the same', async () => {
    begin();
    await calls(sdp(...VIDEO));
    await participant.moveTo(rooms.open('side', 'created'));
    expect([video.open.get('ann main')?.room, reoffers]).toEqual(['side', []]);
  });

  it('gets a re-INVITE with another port where it is not; a refusal costs the picture alone', async () => {
    begin();
    await calls(sdp(...VIDEO));
    video.elsewhere.add('far');
    const far = rooms.open('far', 'created');
    await participant.moveTo(far);
    expect(ports(reoffers[0])).toEqual([20_000, 30_004]);
    conclude({ status: 488 });
    expect([participant.isOver, far.participant('ann')?.state]).toEqual([false, 'connected']);
  });
});

it('key frames are asked for both ways by INFO, theirs once in two seconds', async () => {
  begin();
  await calls(sdp(...VIDEO));
  participant.keyFrameWanted();
  expect(video.asked.at(-1)).toBe('sendKeyFrame ann main');
  participant.askKeyFrame();
  participant.askKeyFrame();
  expect(fastUpdates).toBe(1);
  timers.advance(2000);
  participant.askKeyFrame();
  expect(fastUpdates).toBe(2);
});

it('a failure of video is one line in the log', async () => {
  video.refuses = 'openStream';
  begin();
  await calls(sdp(...VIDEO));
  expect(logged).toEqual(['no video']);
});
