import { beforeEach, describe, expect, it } from 'vitest';
import type { Refusal } from '../../server/focus/admission.ts';
import type { ParticipantCall } from '../../server/focus/participant-call.ts';
import { isBye, ReferredByes } from '../../server/focus/referred-bye.ts';
import type { Room } from '../../server/rooms/room.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import type { Role } from '../../server/rooms/views.ts';
import type { Referral } from '../../server/sip/dialog/call.ts';
import { createRequest } from '../../server/sip/message/create-message.ts';
import { parseNameAddress } from '../../server/sip/message/name-address.ts';
import { createVia } from '../../server/sip/message/via.ts';
import { flow } from '../registrar/test-registrar.ts';
import { someone } from '../rooms/someone.ts';

const CHALLENGE: Refusal = { status: 401, reason: 'Unauthorized' };

let rooms: Rooms;
let room: Room;
let calls: ParticipantCall[];
let identity: { user: string } | Refusal | null;
let removed: string[];
let told: string[];
let byes: ReferredByes;

beforeEach(() => {
  rooms = new Rooms();
  room = rooms.open('demo', 'configured');
  calls = [];
  identity = null;
  removed = [];
  told = [];
  byes = new ReferredByes({
    identify: () => identity,
    rooms,
    in: (one) => calls.filter((participant) => participant.room === one),
    remove: ({ id }) => removed.push(id),
  });
});

function joins(id: string, uri: string, role: Role = 'participant'): ParticipantCall {
  room.join(someone(id, { uri, role, state: 'connected' }));
  // All that is looked at.
  const participant = { id, room } as ParticipantCall;
  calls.push(participant);
  return participant;
}

function refer(referTo: string, uri = 'sip:demo@example.com'): Referral {
  const request = createRequest({
    method: 'REFER',
    requestUri: uri,
    via: createVia('UDP', '192.0.2.1', 5060, 'z9hG4bK-1'),
    from: parseNameAddress('<sip:ann@example.com>;tag=ann')!,
    to: parseNameAddress('<sip:demo@example.com>')!,
    callId: 'id',
    cseqNumber: 1,
  });
  return {
    request,
    flow: flow({ address: '192.0.2.1', port: 5060 }),
    referTo: parseNameAddress(referTo)!,
    referredBy: null,
    accept: () => ({ report: (status, reason) => told.push(`${status} ${reason}`) }),
    reject: (status) => told.push(`rejected ${status}`),
  };
}

const BOB = '<sip:bob@example.com;method=BYE>';

describe('a REFER with method=BYE (RFC 4579 §5.11)', () => {
  it('is known by its method', () => {
    expect(isBye(refer(BOB))).toBe(true);
    expect(isBye(refer('<sip:bob@example.com;method=bye>'))).toBe(true);
    expect(isBye(refer('<sip:bob@example.com>'))).toBe(false);
    expect(isBye(refer('<tel:+1>'))).toBe(false);
  });

  it('puts out all who have that address, and tells when they have gone', () => {
    const moderator = joins('ann', 'sip:ann@example.com', 'moderator');
    const one = joins('b1', 'sip:bob@example.com');
    const other = joins('b2', 'sip:bob@EXAMPLE.com:5070;transport=tcp');
    joins('carl', 'sip:carl@example.com');
    expect(byes.referred(refer(BOB), moderator)).toBeNull();
    expect(removed).toEqual(['b1', 'b2']);
    byes.gone(one);
    byes.gone(one);
    expect(told).toEqual([]);
    byes.gone(other);
    expect(told).toEqual(['200 OK']);
  });

  it('puts out one, by the entity of their endpoint; twice asked, twice told', () => {
    identity = { user: 'boss' };
    joins('b1', 'sip:bob@example.com');
    const meant = joins('b2', 'sip:bob@example.com');
    for (const _time of [1, 2]) {
      expect(byes.referred(refer('<sip:demo@example.com;participant=b2;method=BYE>'), null)).toBeNull();
    }
    expect(removed).toEqual(['b2', 'b2']);
    byes.gone(meant);
    expect(told).toEqual(['200 OK', '200 OK']);
  });

  it('is for moderators within their call, and for users who are signed in', () => {
    const participant = joins('ann', 'sip:ann@example.com');
    joins('bob', 'sip:bob@example.com');
    const statusOf = (sender: ParticipantCall | null) => byes.referred(refer(BOB), sender)?.status;
    expect([statusOf(participant), statusOf(null)]).toEqual([403, 403]);
    identity = CHALLENGE;
    expect([statusOf(participant), statusOf(null)]).toEqual([401, 401]);
    room.change('ann', { role: 'moderator', state: 'lobby' });
    expect(statusOf(participant)).toBe(401);
    expect(removed).toEqual([]);
    room.change('ann', { state: 'connected' });
    expect(statusOf(participant)).toBeUndefined();
    expect(removed).toEqual(['bob']);
  });

  it('gets 404 where there is no such room or participant', () => {
    identity = { user: 'boss' };
    joins('ann', 'sip:ann@example.com');
    expect(byes.referred(refer(BOB), null)?.status).toBe(404);
    expect(byes.referred(refer(BOB, 'sip:nowhere@example.com'), null)?.status).toBe(404);
    expect(told).toEqual([]);
  });
});
