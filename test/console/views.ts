import type { EventData } from '../../server/events/room-event.ts';
import { USUAL_POLICY } from '../../server/rooms/policy.ts';
import type { RoomView } from '../../server/rooms/views.ts';

export function room(name: string, more: Partial<RoomView> = {}): RoomView {
  const { pin, moderatorPin, ...policy } = USUAL_POLICY;
  return {
    ...policy,
    name,
    origin: 'created',
    breakoutOf: null,
    pinRequired: false,
    moderatorPinSet: false,
    floor: [],
    activeSpeaker: null,
    spotlight: [],
    places: [],
    presenter: null,
    recording: 'off',
    version: 1,
    participants: [],
    recordings: [],
    ...more,
  };
}

export { someRecording as recording } from '../rooms/some-recording.ts';

export function event(name: EventData['event'], what: Partial<EventData> = {}): EventData {
  return { id: 'x-1', event: name, at: '2026-01-02T03:04:05.000Z', room: 'demo', version: 2, ...what };
}

/** What events say of a room. */
export function settings(view: RoomView): NonNullable<EventData['settings']> {
  const { name, version, participants, floor, activeSpeaker, spotlight, places, presenter, ...rest } = view;
  const { recording, recordings, ...settings } = rest;
  return settings;
}
