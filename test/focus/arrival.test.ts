import { describe, expect, it } from 'vitest';
import { arrivalOf, dialled, pinOf, roleIn } from '../../server/focus/arrival.ts';
import type { RoomPolicy } from '../../server/rooms/policy.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import { parseUri } from '../../server/sip/message/uri.ts';
import { request } from '../sip/auth/messages.ts';

const room = (policy: Partial<RoomPolicy>) => new Rooms().open('demo', 'created', policy);

describe('what is dialled', () => {
  it.each([
    ['sip:demo@example.com', { user: 'demo', pin: null }],
    ['sip:demo;pin=1234@example.com', { user: 'demo', pin: '1234' }],
    ['sip:demo@example.com;transport=tcp;pin=0042', { user: 'demo', pin: '0042' }],
    ['sip:demo;phone-context=x;PIN=1@example.com', { user: 'demo', pin: '1' }],
    ['sip:example.com', { user: null, pin: null }],
  ])('is a room and perhaps a PIN in %s', (text, expected) => {
    expect(dialled(parseUri(text))).toEqual(expected);
  });
});

describe('the PIN that comes with a call', () => {
  const given = (uri: string, ...fields: string[]) =>
    pinOf(request({ uri, headers: fields.map((pin) => ['Parley-Pin', pin]) }));

  it('is in a header field of its own, or in the URI, which counts first', () => {
    expect(given('sip:demo@example.com')).toBeNull();
    expect(given('sip:demo@example.com', '0042')).toBe('0042');
    expect(given('sip:demo@example.com', ' 0042 ')).toBe('0042');
    expect(given('sip:demo;pin=1234@example.com', '0042')).toBe('1234');
  });

  it('is one, whatever else there is: no call is more than one try', () => {
    expect(given('sip:demo@example.com', '1', '2')).toBe('1');
    expect(given('sip:demo@example.com', '1, 2')).toBe('1, 2');
  });

  it('is none where the field is empty: then it is asked for by voice', () => {
    expect(given('sip:demo@example.com', '')).toBeNull();
    expect(given('sip:demo@example.com', '', '1')).toBeNull();
  });
});

describe('who arrives', () => {
  it('is in the room from the beginning where nothing is asked', () => {
    expect(arrivalOf(room({}), { role: 'participant' }, 0).apart).toBe(false);
    expect(arrivalOf(room({ pin: '1234' }), { role: 'participant' }, 0).apart).toBe(true);
    expect(arrivalOf(room({ pin: '1234' }), { role: 'participant', admitted: true }, 0).apart).toBe(false);
    expect(arrivalOf(room({}), { role: 'participant', calledByUs: true }, 0).apart).toBe(true);
  });

  it('too early or too late, is told so; whom we call is not', () => {
    const open = room({ notBefore: '1970-01-01T00:00:10Z', notAfter: '1970-01-01T01:00:20+01:00' });
    const at = (ms: number, calledByUs = false) => arrivalOf(open, { role: 'participant', calledByUs }, ms).notNow;
    expect([at(9_999), at(10_000), at(19_999), at(20_000)]).toEqual(['too-early', null, null, 'too-late']);
    expect(at(0, true)).toBeNull();
    expect(arrivalOf(open, { role: 'participant' }, 0).apart).toBe(true);
  });

  it('is a listener where only moderators speak', () => {
    expect(roleIn(room({ listenersOnly: true }), 'participant')).toBe('listener');
    expect(roleIn(room({ listenersOnly: true }), 'moderator')).toBe('moderator');
    expect(roleIn(room({}), 'participant')).toBe('participant');
  });
});
