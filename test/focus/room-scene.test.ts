import { describe, expect, it } from 'vitest';
import { RoomScenes, roomScene } from '../../server/focus/room-scene.ts';
import type { RoomPolicy } from '../../server/rooms/policy.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import type { ParticipantView } from '../../server/rooms/views.ts';
import { someRecording } from '../rooms/some-recording.ts';
import { someone } from '../rooms/someone.ts';

const video = { codec: 'VP8', direction: 'sendrecv', width: 640, height: 360, slides: false };

function roomWith(participants: ParticipantView[], policy: Partial<RoomPolicy> = {}) {
  const room = new Rooms().open('demo', 'configured', policy);
  for (const participant of participants) room.join(participant);
  return room;
}

describe("what a room's picture is made of", () => {
  it('is as the policy has it', () => {
    const room = roomWith([], {
      ...{ videoTitle: 'Board', layout: 'speaker', videoSize: '1080p', videoFps: 30, videoTheme: 'light' },
      ...{ videoFill: 'fit', videoNames: false },
    });
    expect(roomScene(room)).toEqual({
      ...{ title: 'Board', roomName: 'demo', layout: 'speaker', canvas: { width: 1920, height: 1080 } },
      ...{ fps: 30, theme: 'light' },
      ...{ fill: 'fit', names: false, recording: 'off', speaker: null, spotlight: [], places: [], slides: null },
      participants: [],
    });
    expect(roomScene(roomWith([])).canvas).toEqual({ width: 1280, height: 720 });
  });

  it('has those who have entered, as they came, and nobody who waits or is called', () => {
    const states = ['connecting', 'entering', 'lobby', 'waiting', 'connected', 'on-hold', 'disconnecting'] as const;
    const room = roomWith(states.map((state) => someone(state, { state })));
    expect(roomScene(room).participants.map(({ leg }) => leg)).toEqual(['connected', 'on-hold']);
  });

  it.each<[string, Partial<ParticipantView>, object]>([
    ['their name', { displayName: 'Ann Ü' }, { name: 'Ann Ü' }],
    ['their number, without a name', { uri: 'sip:+4930123;pin=1@example.com' }, { name: '+4930123' }],
    ['their host, without either', { uri: 'sip:phone.example.com', displayName: ' ' }, { name: 'phone.example.com' }],
    ['that they talk', { talking: true }, { talking: true, muted: false }],
    ['no talking of one who is muted', { talking: true, muted: { by: 'self' } }, { talking: false, muted: true }],
    ['no whispering', { talking: true, speaksTo: ['b'] }, { talking: false }],
    ['their hand', { hand: true }, { hand: true }],
    ['that they are there, though nobody sees them', {}, { hasCard: true }],
    ['no place of a listener without a picture', { role: 'listener' }, { hasCard: false }],
    ['that their picture is off', { camera: false }, { camera: false }],
    ['what they have chosen', { layout: 'grid', hideSelf: true }, { layout: 'grid', hideSelf: true }],
    ['what the room has, otherwise', {}, { layout: null, hideSelf: false, camera: true }],
  ])('has of each %s', (_what, view, expected) => {
    expect(roomScene(roomWith([someone('a', view)])).participants).toMatchObject([{ leg: 'a', ...expected }]);
  });

  it('leaves own pictures out where the room wants it and one does not say otherwise', () => {
    const room = roomWith([someone('a'), someone('b', { hideSelf: false })], { hideSelf: true });
    expect(roomScene(room).participants.map(({ hideSelf }) => hideSelf)).toEqual([true, false]);
  });

  it('knows who speaks, is recorded, spotlighted and has a place', () => {
    const room = roomWith([someone('a'), someone('b')]);
    room.setActiveSpeaker('b');
    room.setStage({ spotlight: ['b', 'gone', 'b'], places: [null, 'a', 'gone', 'a'] });
    room.recordingTold('recording-changed', someRecording('r', { room: 'demo', state: 'recording' }));
    expect(roomScene(room)).toMatchObject({
      ...{ speaker: 'b', spotlight: ['b'], places: [null, 'a', null, null], recording: 'recording' },
    });
    room.leave('b');
    expect(roomScene(room)).toMatchObject({ speaker: null, spotlight: [], places: [null, 'a', null, null] });
  });

  it('shows the slides that began last, until they end; none of one whose picture is off or who is not in', () => {
    const room = roomWith(['a', 'b', 'c'].map((id) => someone(id, { video })));
    const slides = (): string | null => roomScene(room).slides;
    room.change('a', { video: { ...video, slides: true } });
    room.change('b', { video: { ...video, slides: true } });
    expect(slides()).toBe('b');
    room.change('b', { camera: false });
    expect(slides()).toBeNull();
    room.change('b', { video });
    expect(slides()).toBe('a');
    room.change('a', { state: 'lobby' });
    expect(slides()).toBeNull();
    room.change('a', { state: 'connected' });
    room.leave('a');
    expect([slides(), room.stage.presenter]).toEqual([null, null]);
    room.join(someone('d', { video: { ...video, slides: true } }));
    expect(slides()).toBe('d');
  });
});

it('is asked for anew with each change of its room; of a room that is no more nobody is in it', () => {
  const rooms = new Rooms();
  const changed: string[] = [];
  const scenes = new RoomScenes(rooms, (room) => void changed.push(room));
  const room = rooms.open('demo', 'adhoc');
  room.join(someone('a'));
  expect([changed, scenes.of('demo').participants.length]).toEqual([['demo', 'demo'], 1]);
  room.leave('a');
  rooms.close(room);
  expect(scenes.of('demo')).toMatchObject({ participants: [], canvas: { width: 1280, height: 720 } });
});
