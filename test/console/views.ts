import type { EventData } from '../../server/events/room-event.ts';
import { USUAL_POLICY } from '../../server/rooms/policy.ts';
import type { ParticipantView, RecordingView, RoomView } from '../../server/rooms/views.ts';

export function participant(id: string, more: Partial<ParticipantView> = {}): ParticipantView {
  return {
    id,
    uri: `sip:${id}@example.com`,
    displayName: null,
    role: 'participant',
    state: 'connected',
    muted: null,
    deaf: false,
    gainDb: 0,
    volumeDb: 0,
    talking: false,
    levelDb: null,
    hand: false,
    handRaisedAt: null,
    speaksTo: null,
    audio: { codec: 'opus', clockRateHz: 48_000, direction: 'sendrecv' },
    video: null,
    joinedAt: '2026-01-02T03:04:05.000Z',
    ...more,
  };
}

export function room(name: string, more: Partial<RoomView> = {}): RoomView {
  const { pin, moderatorPin, ...policy } = USUAL_POLICY;
  return {
    ...policy,
    name,
    origin: 'created',
    breakoutOf: null,
    pinRequired: false,
    moderatorPinSet: false,
    version: 1,
    participants: [],
    recordings: [],
    ...more,
  };
}

export function recording(id: string, more: Partial<RecordingView> = {}): RecordingView {
  return {
    id,
    room: 'demo',
    state: 'recording',
    startedAt: '2026-01-02T03:04:05.000Z',
    stoppedAt: null,
    durationMs: null,
    bytes: null,
    error: null,
    ...more,
  };
}

export function event(name: EventData['event'], what: Partial<EventData> = {}): EventData {
  return { id: 'x-1', event: name, at: '2026-01-02T03:04:05.000Z', room: 'demo', version: 2, ...what };
}

/** What events say of a room. */
export function settings(view: RoomView): NonNullable<EventData['settings']> {
  const { name, version, participants, recordings, ...rest } = view;
  return rest;
}
