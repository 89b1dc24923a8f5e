import { describe, expect, test } from 'vitest';
import { afterEvent, handsIn, presentIn, roomsState, runningRecording, waitingIn } from '../../console/rooms-state.ts';
import { someone } from '../rooms/someone.ts';
import { event, recording, room, settings } from './views.ts';

const [ann, ben] = [someone('ann'), someone('ben')];
const before = roomsState([room('demo', { participants: [ann] }), room('other')]);
const demoAfter = (...events: Parameters<typeof afterEvent>[1][]) =>
  events.reduce((rooms, one) => afterEvent(rooms, one), before).get('demo');

describe('the rooms after events', () => {
  test('somebody comes, changes and goes; the version is that of the event', () => {
    const joined = event('participant-joined', { participant: ben });
    expect(demoAfter(joined)).toMatchObject({ version: 2, participants: [ann, ben] });
    const deaf = event('participant-changed', { participant: { ...ann, deaf: true }, version: 3 });
    expect(demoAfter(joined, deaf)).toMatchObject({ version: 3, participants: [{ id: 'ann', deaf: true }, ben] });
    expect(demoAfter(event('participant-left', { participant: ann }))?.participants).toEqual([]);
    expect(before.get('demo')?.participants).toEqual([ann]);
  });

  test('a room opens, changes and closes', () => {
    const locked = settings(room('demo', { locked: true }));
    expect(demoAfter(event('room-changed', { settings: locked }))).toMatchObject({ locked: true, participants: [ann] });
    expect(demoAfter(event('room-closed', { settings: locked }))).toBeUndefined();
    const opened = event('room-opened', { settings: locked, version: 0 });
    expect(demoAfter(opened)).toMatchObject({ name: 'demo', version: 0, participants: [] });
    expect(afterEvent(roomsState([]), opened).get('demo')).toMatchObject({ locked: true, recordings: [] });
    const recordings = [recording('r1', { state: 'stopped' })];
    expect(demoAfter({ ...opened, recordings })).toMatchObject({ recordings, recording: 'off' });
  });

  test('the floor is given, and people take turns to speak', () => {
    expect(demoAfter(event('floor-changed', { floor: ['ann'] }))).toMatchObject({ floor: ['ann'], version: 2 });
    expect(demoAfter(event('speaker-changed', { activeSpeaker: 'ann' }))!.activeSpeaker).toBe('ann');
    expect(demoAfter(event('speaker-changed', { activeSpeaker: null }))!.activeSpeaker).toBeNull();
  });

  test('a recording begins and stops; of rooms that are not known nothing is made up', () => {
    const begun = demoAfter(event('recording-changed', { recording: recording('r1') }))!;
    expect(runningRecording(begun)?.id).toBe('r1');
    const stopped = event('recording-changed', { recording: recording('r1', { state: 'stopped' }) });
    expect(runningRecording(demoAfter(stopped)!)).toBeUndefined();
    const stray = event('participant-joined', { participant: ben, room: 'nowhere' });
    expect([...afterEvent(before, stray).keys()]).toEqual(['demo', 'other']);
  });
});

describe('who is shown where', () => {
  const crowd = room('demo', {
    participants: [
      someone('late', {
        joinedAt: '2026-01-02T09:00:00.000Z',
        hand: true,
        handRaisedAt: '2026-01-02T09:01:00.000Z',
      }),
      someone('knocks', { state: 'lobby' }),
      someone('early', { hand: true, handRaisedAt: '2026-01-02T09:02:00.000Z' }),
      someone('waits', { state: 'waiting' }),
      someone('called', { state: 'connecting' }),
    ],
  });
  const ids = (views: { id: string }[]) => views.map(({ id }) => id);

  test('by when they came, the waiting apart; hands by when they were raised', () => {
    expect(ids(presentIn(crowd))).toEqual(['called', 'early', 'late']);
    expect(ids(waitingIn(crowd))).toEqual(['knocks', 'waits']);
    expect(ids(handsIn(crowd))).toEqual(['late', 'early']);
  });
});
