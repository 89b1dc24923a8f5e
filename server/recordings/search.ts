import type { RecordingView } from '../rooms/views.ts';

/** What recordings are looked for by; undefined: all. */
export interface RecordingSearch {
  /** Words; each is in the room's name, in a participant's, or in the id. */
  q?: string | undefined;
  room?: string | undefined;
  state?: RecordingView['state'] | undefined;
  /** Part of the name of one who was recorded. */
  participant?: string | undefined;
  /** Began then or later, and before then; milliseconds since 1970. */
  fromMs?: number | undefined;
  toMs?: number | undefined;
}

/** Upper and lower case, and ways to write the same letter, do not matter. */
const plain = (text: string) => text.normalize('NFKC').toLowerCase();

/** Those that are meant, in the same order. */
export function searchRecordings(recordings: readonly RecordingView[], search: RecordingSearch): RecordingView[] {
  const { room, state, fromMs = Number.NEGATIVE_INFINITY, toMs = Number.POSITIVE_INFINITY } = search;
  const words = plain(search.q ?? '')
    .split(/\s+/)
    .filter((word) => word !== '');
  const participant = plain(search.participant ?? '').trim();
  return recordings.filter((recording) => {
    const startedMs = Date.parse(recording.startedAt);
    if (room !== undefined && recording.room !== room) return false;
    if (state !== undefined && recording.state !== state) return false;
    if (startedMs < fromMs || startedMs >= toMs) return false;
    if (words.length === 0 && participant === '') return true;
    const names = recording.participants.map(plain);
    if (participant !== '' && !names.some((name) => name.includes(participant))) return false;
    const texts = [plain(recording.room), recording.id, ...names];
    return words.every((word) => texts.some((text) => text.includes(word)));
  });
}
