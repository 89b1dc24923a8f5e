import { useEffect, useState } from 'preact/hooks';
import type { RecordingView } from '../server/rooms/views.ts';
import type { RecordingSearch } from './api.ts';
import type { Session } from './session.ts';
import { problemText } from './words.ts';

/** People type, and events come in heaps. */
const SEARCH_AFTER_MS = 300;

/** What is found, latest first, and kept as events tell of it; null until the first answer. */
export function useRecordingSearch(
  session: Session,
  what: RecordingSearch,
): { found: RecordingView[] | null; problem: string | null } {
  const [found, setFound] = useState<RecordingView[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const search = JSON.stringify(what);
  useEffect(() => {
    const over = new AbortController();
    const { signal } = over;
    // What events told while we asked: the answer may be older.
    let told: [RecordingView, boolean][] | null = null;
    let runs = 0;
    const run = async () => {
      const mine = ++runs;
      const changes: [RecordingView, boolean][] = [];
      told = changes;
      try {
        const all = await session.api.searchRecordings(JSON.parse(search) as RecordingSearch, signal);
        if (signal.aborted || mine !== runs) return;
        setFound(changes.reduce((known, [recording, removed]) => after(known, recording, removed), latestFirst(all)));
        setProblem(null);
      } catch (error) {
        if (!signal.aborted) setProblem(problemText(error));
      }
      if (mine === runs) told = null;
    };
    let timer = setTimeout(run, found === null ? 0 : SEARCH_AFTER_MS);
    const end = session.onRecording((recording, removed) => {
      told?.push([recording, removed]);
      setFound((known) => known && after(known, recording, removed));
      // Whether a new one is meant, the server knows.
      if (removed || recording.files.length > 0) return;
      clearTimeout(timer);
      timer = setTimeout(run, SEARCH_AFTER_MS);
    });
    return () => {
      over.abort();
      clearTimeout(timer);
      end();
    };
  }, [session, search]);
  return { found, problem };
}

function after(known: RecordingView[], recording: RecordingView, removed: boolean): RecordingView[] {
  if (removed) return known.filter(({ id }) => id !== recording.id);
  return known.map((one) => (one.id === recording.id ? recording : one));
}

export const latestFirst = (recordings: readonly RecordingView[]): RecordingView[] =>
  recordings.toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
