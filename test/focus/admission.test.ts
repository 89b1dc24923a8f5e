import { describe, expect, it } from 'vitest';
import { mayEnter, mayLoad, mayOpenRoom } from '../../server/focus/admission.ts';
import { USUAL_POLICY } from '../../server/rooms/policy.ts';
import { Room } from '../../server/rooms/room.ts';
import { roomName } from '../../server/rooms/room-name.ts';

describe('who may open a room by dialling it', () => {
  const inside = '192.168.1.20';
  const outside = '203.0.113.5';
  it.each([
    ['anyone', inside, undefined, undefined],
    ['anyone', outside, undefined, undefined],
    ['private', inside, undefined, undefined],
    ['private', '127.0.0.1', undefined, undefined],
    ['private', outside, 403, undefined],
    ['users', inside, 403, undefined],
    ['users', outside, 403, undefined],
    ['nobody', inside, 404, 404],
  ] as const)('%s, from %s: %s, and signed in: %s', (policy, address, status, signedIn) => {
    expect(mayOpenRoom(policy, address, false)?.status).toBe(status);
    expect(mayOpenRoom(policy, address, true)?.status).toBe(signedIn);
  });
});

describe('who may enter a room', () => {
  const room = (policy: { maxParticipants: number; locked: boolean }) =>
    new Room('demo', 'configured', { ...USUAL_POLICY, ...policy }, () => undefined);

  it('nobody when it is locked or full', () => {
    expect(mayEnter(room({ maxParticipants: 2, locked: false }))).toBeNull();
    expect(mayEnter(room({ maxParticipants: 2, locked: true }))?.status).toBe(403);
    expect(mayEnter(room({ maxParticipants: 0, locked: false }))?.status).toBe(486);
  });
});

describe('a room name', () => {
  it.each([
    ['demo', 'demo'],
    ['Demo', 'demo'],
    ['+4930123', '+4930123'],
    ['a.b-c_d', 'a.b-c_d'],
    ['', null],
    [null, null],
    ['..', null],
    ['a/b', null],
    ['a b', null],
    ['x'.repeat(65), null],
  ])('%s is %s', (user, name) => expect(roomName(user)).toBe(name));
});

describe('a busy mixer', () => {
  it('takes calls up to its limit, and then says when to come again', () => {
    expect(mayLoad(0, 0.7)).toBeNull();
    expect(mayLoad(0.7, 0.7)).toBeNull();
    expect(mayLoad(0.71, 0.7)).toMatchObject({ status: 503, headers: [['Retry-After', '10']] });
  });
});
