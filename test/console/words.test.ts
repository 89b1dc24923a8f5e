import { describe, expect, test } from 'vitest';
import { ApiError } from '../../console/api.ts';
import {
  deliveriesText,
  duration,
  fileSize,
  inOneGo,
  nameOf,
  problemText,
  scoreWord,
  spokenOf,
  traitsOf,
} from '../../console/words.ts';
import { problemKinds } from '../../server/http/problems.ts';
import { someone } from '../rooms/someone.ts';
import { event, recording, room, settings } from './views.ts';

describe('what became of a text', () => {
  const all = ['ann', 'ben', 'cem', 'dora'].map((id) => someone(id));
  const told = (...outcomes: Array<'delivered' | 'refused' | 'unreachable' | 'pending'>) =>
    deliveriesText(
      outcomes.map((outcome, at) => ({ participant: all[at]?.id ?? 'gone', outcome, status: null })),
      all,
    );

  test('is said in a sentence for each kind', () => {
    expect(told()).toBe('Nobody is here who could get it.');
    expect(told('delivered')).toBe('Delivered to 1 person.');
    expect(told('delivered', 'delivered')).toBe('Delivered to 2 people.');
    expect(told('refused', 'refused')).toBe('Not taken by the phone of ann, ben: it may not show texts.');
    expect(told('delivered', 'refused', 'unreachable', 'pending', 'pending')).toBe(
      'Delivered to 1 of 5 people. Not taken by the phone of ben: it may not show texts. Not reached: cem. ' +
        'No answer yet from the phone of dora, somebody.',
    );
  });
});

describe('what people are called, and what is said of them', () => {
  test('a name, else the user, else the address', () => {
    expect(nameOf(someone('x', { displayName: ' Ann ' }))).toBe('Ann');
    expect(nameOf(someone('ann'))).toBe('ann');
    expect(nameOf(someone('x', { uri: 'sip:192.0.2.1' }))).toBe('sip:192.0.2.1');
  });

  test('mutes are told apart; a listener is one, not muted', () => {
    expect(traitsOf(someone('a', { muted: { by: 'self' }, deaf: true }))).toEqual(['muted themselves', 'hears nobody']);
    expect(traitsOf(someone('a', { muted: { by: 'moderator' } }))).toEqual(['muted by a moderator']);
    expect(traitsOf(someone('a', { muted: { by: 'moderator' }, role: 'listener' }))).toEqual(['Listener']);
  });
});

describe('what is spoken of an event', () => {
  const ann = someone('ann');
  const before = room('demo', { participants: [ann], recordings: [recording('r1')] });
  const changed = (more: Parameters<typeof someone>[1]) =>
    spokenOf(before, event('participant-changed', { participant: { ...ann, ...more } }));

  test('who comes, waits and goes', () => {
    const comes = (more: Parameters<typeof someone>[1]) =>
      spokenOf(before, event('participant-joined', { participant: someone('ben', more) }));
    expect(comes({})).toBe('ben joined');
    expect(comes({ state: 'lobby' })).toBe('ben waits in the lobby');
    expect(comes({ state: 'connecting' })).toBeNull();
    expect(spokenOf(before, event('participant-left', { participant: ann }))).toBe('ann left');
    const held = room('demo', { participants: [{ ...ann, state: 'on-hold' }] });
    expect(spokenOf(held, event('participant-changed', { participant: ann }))).toBeNull();
  });

  test('hands and mutes, not who talks', () => {
    expect(changed({ hand: true })).toBe('ann raised a hand');
    expect(changed({ muted: { by: 'self' } })).toBe('ann: muted themselves');
    expect(changed({ talking: true, levelDb: -20 })).toBeNull();
    const muted = room('demo', { participants: [{ ...ann, muted: { by: 'self' } }] });
    expect(spokenOf(muted, event('participant-changed', { participant: ann }))).toBe('ann can be heard');
  });

  test('the lock and recordings, once', () => {
    const lock = event('room-changed', { settings: settings(room('demo', { locked: true })) });
    expect(spokenOf(before, lock)).toBe('The room is locked');
    expect(spokenOf(room('demo', { locked: true }), lock)).toBeNull();
    const stopped = event('recording-changed', { recording: recording('r1', { state: 'stopped' }) });
    expect(spokenOf(before, stopped)).toBe('The recording has stopped');
    expect(spokenOf(before, event('recording-changed', { recording: recording('r1') }))).toBeNull();
    const paused = recording('r1', { state: 'paused' });
    expect(spokenOf(before, event('recording-changed', { recording: paused }))).toBe('The recording is paused');
    const ready = recording('r1', { state: 'stopped' });
    expect(spokenOf(before, event('recording-ready', { recording: ready }))).toBeNull();
    expect(spokenOf(before, event('recording-removed', { recording: ready }))).toBe('A recording was removed');
    const goesOn = event('recording-changed', { recording: recording('r1') });
    expect(spokenOf(room('demo', { recordings: [paused] }), goesOn)).toBe('The recording goes on');
  });

  test('who has the floor, not who speaks', () => {
    const both = room('demo', { participants: [ann, someone('ben')] });
    const floorIs = (floor: string[]) => spokenOf(both, event('floor-changed', { floor }));
    expect(floorIs(['ann', 'ben'])).toBe('ann, ben have the floor');
    expect(floorIs(['ben'])).toBe('ben has the floor');
    expect(floorIs([])).toBe('The floor is free');
    expect(spokenOf(both, event('speaker-changed', { activeSpeaker: 'ann' }))).toBeNull();
  });

  test('many at once are few words', () => {
    expect(inOneGo(['ann joined'])).toBe('ann joined.');
    expect(inOneGo(['a', 'b', 'c', 'd', 'e'])).toBe('a. b. c. And 2 more changes.');
  });
});

describe('problems', () => {
  test('have words for those that a moderator meets, and the server’s own for the others', () => {
    expect(problemText(new ApiError('room-full', 409, 'The room is full'))).toBe(
      'The room is full: nobody more gets in.',
    );
    expect(problemText(new ApiError('participant-uri-invalid', 400, 'This cannot be called', 'no host'))).toBe(
      'This cannot be called: no host',
    );
    expect(problemText(new ApiError('new-one', 500, 'The server has a fault'))).toBe('The server has a fault.');
    expect(problemText(new TypeError('x is not a function'))).not.toContain('function');
  });

  test('every problem of the server is a sentence', () => {
    for (const [code, { status, title }] of Object.entries(problemKinds)) {
      expect(problemText(new ApiError(code, status, title))).toMatch(/^[A-Z].{10,}[.?]$/);
    }
  });
});

test('durations and sizes', () => {
  expect([0, 61_000, 3_725_999].map(duration)).toEqual(['0:00', '1:01', '1:02:05']);
  expect([999, 12_345, 12_345_678].map(fileSize)).toEqual(['999 B', '12 kB', '12.3 MB']);
});

test('scores in a word (ITU-T G.107 annex B)', () => {
  expect([4.4, 4, 3.6, 3.1, 3, 1].map(scoreWord)).toEqual(['good', 'good', 'fair', 'poor', 'bad', 'bad']);
});
