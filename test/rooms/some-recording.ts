import type { RecordingFileView, RecordingView } from '../../server/rooms/views.ts';

/** One that runs, as all see it. */
export function someRecording(id: string, changes: Partial<RecordingView> = {}): RecordingView {
  return {
    id,
    room: 'demo',
    state: 'recording',
    startedAt: '2026-01-02T03:04:05.678Z',
    stoppedAt: null,
    durationMs: null,
    bytes: null,
    error: null,
    startedBy: 'moderator',
    tracks: false,
    video: false,
    videoError: null,
    encrypted: false,
    participants: [],
    files: [],
    ...changes,
  };
}

/** One that is ready, as all see it. */
export function someFile(changes: Partial<RecordingFileView> = {}): RecordingFileView {
  return {
    ...{ format: 'm4a', normalized: false, state: 'ready', progress: 1, bytes: 1000, sha256: 'ab'.repeat(32) },
    ...{ error: null, stored: null },
    ...changes,
  };
}
