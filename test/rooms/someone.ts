import type { ParticipantView } from '../../server/rooms/views.ts';

/** One who is in a room, as all see them. */
export function someone(id: string, changes: Partial<ParticipantView> = {}): ParticipantView {
  return {
    id,
    uri: `sip:${id}@192.0.2.1`,
    displayName: null,
    role: 'participant',
    state: 'connected',
    muted: null,
    deaf: false,
    gainDb: 0,
    volumeDb: 0,
    talking: false,
    levelDb: -30,
    hand: false,
    handRaisedAt: null,
    speaksTo: null,
    recorded: true,
    audio: { codec: 'opus', clockRateHz: 48_000, direction: 'sendrecv' },
    video: null,
    camera: true,
    layout: null,
    hideSelf: null,
    joinedAt: '2026-01-02T03:04:05.678Z',
    ...changes,
  };
}
