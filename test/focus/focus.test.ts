import pino from 'pino';
import { beforeEach, expect, it } from 'vitest';
import type { MediaPorts } from '../../mixer/protocol.ts';
import { Focus } from '../../server/focus/focus.ts';
import type { FocusOptions } from '../../server/focus/focus-options.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import { MediaSession } from '../../server/sdp/media-session.ts';
import type { Call, CallHandler, IncomingCall } from '../../server/sip/dialog/call.ts';
import { createRequest } from '../../server/sip/message/create-message.ts';
import { parseNameAddress } from '../../server/sip/message/name-address.ts';
import { parseUri } from '../../server/sip/message/uri.ts';
import { createVia } from '../../server/sip/message/via.ts';
import { flow } from '../registrar/test-registrar.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';
import { noVideo } from './no-video.ts';

let rooms: Rooms;
let focus: Focus;
let logged: string[];
let calls: { call: Call; handler: CallHandler }[];
let takesPins: boolean;
let refusedPins: string[];

const settled = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  rooms = new Rooms();
  logged = [];
  calls = [];
  const mixers = {
    loadFor: () => 0,
    openLeg: async () => ({ rtpPort: 20_000, rtcpPort: 20_001 }),
    ...{ closeLeg: async () => null, updateLeg: async () => undefined, controlLeg: async () => undefined },
  };
  const nothing = (): void => undefined;
  takesPins = true;
  refusedPins = [];
  const pins = {
    takes: () => takesPins,
    sourceOf: () => null,
    refused: (room: string) => void refusedPins.push(room),
  };
  focus = new Focus({
    ...{ rooms, mixers, video: noVideo(), timers: new VirtualTimers(), pins },
    ...{ adhocRooms: 'anyone', domain: 'example.com', maxCalls: 2, maxMixerLoad: 1 },
    log: pino({ level: 'info' }, { write: (line: string) => void logged.push(line) }),
    ...{ identify: () => null, isTrusted: () => false, epochMs: () => 0, emptied: nothing },
    call(_invitee: unknown, handler: CallHandler) {
      const call = { id: `call-${calls.length}` } as unknown as Call;
      calls.push({ call, handler });
      return call;
    },
    createSession: (ports: MediaPorts) => new MediaSession({ address: '192.0.2.2', ...ports, sessionId: 7 }),
    host: { established: nothing, keyPressed: nothing, left: nothing, remove: nothing },
    observer: { began: nothing, established: nothing, ended: nothing, refused: nothing, keyTold: nothing },
  } as unknown as FocusOptions);
});

function invited(
  requestUri: string,
  headers: Array<readonly [string, string]> = [],
): { status: number; headers: unknown }[] {
  const answers: { status: number; headers: unknown }[] = [];
  const request = createRequest({
    method: 'INVITE',
    requestUri,
    via: createVia('UDP', '10.0.0.1', 5060, 'z9hG4bK-1'),
    from: parseNameAddress('<sip:ann@example.com>;tag=f')!,
    to: parseNameAddress('<sip:demo@example.com>')!,
    callId: 'id',
    cseqNumber: 1,
    headers,
  });
  const call = {
    ...{ id: 'c', request, flow: flow({ address: '198.51.100.1' }), offer: null, replaces: null, joins: null },
    reject: (status: number, { headers }: { headers?: unknown } = {}) => void answers.push({ status, headers }),
  };
  focus.invited(call as unknown as IncomingCall);
  return answers;
}

it('no PIN of a call that is refused gets into the log, however many there are', () => {
  rooms.open('demo', 'created', { locked: true });
  expect(invited('sip:demo;pin=4711@example.com;pin=0815')).toMatchObject([{ status: 403 }]);
  expect(logged.join()).toContain('sip:demo;pin=(hidden)@example.com;pin=(hidden)');
  expect(logged.join()).not.toMatch(/4711|0815/);
});

it('no PIN of a header field gets into the log either', () => {
  rooms.open('demo', 'created', { locked: true });
  expect(invited('sip:demo@example.com', [['Parley-Pin', '4711']])).toMatchObject([{ status: 403 }]);
  expect(logged).toHaveLength(1);
  expect(logged.join()).not.toContain('4711');
});

it.each<[string, Array<readonly [string, string]>]>([
  ['sip:demo;pin=0001@example.com', []],
  ['sip:demo@example.com', [['Parley-Pin', '0001']]],
])('whoever has guessed too often is refused when a PIN comes with the call: %s %j', (uri, headers) => {
  takesPins = false;
  rooms.open('demo', 'created', { pin: '1234' });
  expect(invited(uri, headers)).toMatchObject([{ status: 403 }]);
  expect(refusedPins).toEqual(['demo']);
});

it('a full server says when to try again', () => {
  const room = rooms.open('demo', 'created');
  const uri = parseUri('sip:ann@192.0.2.1')!;
  for (let count = 0; count < 2; count++) focus.dialOut(room, { uri, displayName: null, role: 'participant' });
  expect(invited('sip:demo@example.com')).toEqual([{ status: 503, headers: [['Retry-After', '10']] }]);
});

it('a call is that of its participant until that is gone', async () => {
  const room = rooms.open('demo', 'created');
  const uri = parseUri('sip:ann@192.0.2.1')!;
  for (let count = 0; count < 2; count++) focus.dialOut(room, { uri, displayName: null, role: 'participant' });
  await settled();
  const [first, second] = calls.map(({ call }) => focus.participantOf(call));
  expect([first?.id, second?.id]).toEqual(room.participants.map(({ id }) => id));
  calls[0]?.handler.ended({ cause: 'rejected', status: 486 });
  await settled();
  expect(calls.map(({ call }) => focus.participantOf(call))).toEqual([undefined, second]);
  expect([focus.calls, focus.counts.ended]).toEqual([1, { rejected: 1 }]);
});
