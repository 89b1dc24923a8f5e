import { useId, useState } from 'preact/hooks';
import type { RecordingSearch } from './api.ts';
import { PageHeading } from './page-heading.tsx';
import { useRecordingSearch } from './recording-search.ts';
import { RecordingList } from './recordings.tsx';
import type { Session } from './session.ts';

/** What is shown at first: of as many days. */
const RECENT_DAYS = 30;
const SHOWN_AT_ONCE = 25;

/** As it stands in the fields; empty: does not matter. Dates are days, `2026-01-31`, in the browser's time zone. */
interface Fields {
  q: string;
  room: string;
  from: string;
  to: string;
}

/** The recordings of all rooms, also of those that are closed. */
export function AllRecordings({ session, back }: { session: Session; back: () => void }) {
  const [fields, setFields] = useState<Fields>(() => ({ q: '', room: '', from: dayBefore(RECENT_DAYS), to: '' }));
  const { found, problem } = useRecordingSearch(session, searchOf(fields));
  const [most, setMost] = useState(SHOWN_AT_ONCE);
  const set = (change: Partial<Fields>) => {
    setFields({ ...fields, ...change });
    setMost(SHOWN_AT_ONCE);
  };
  return (
    <div data-focus-home="page-heading">
      <PageHeading title="All recordings" back={back} />
      <search class="search">
        <Field label="Room or person" type="search" value={fields.q} set={(q) => set({ q })} />
        <Field label="In the room" type="text" value={fields.room} set={(room) => set({ room })} />
        <Field label="From" type="date" value={fields.from} set={(from) => set({ from })} />
        <Field label="Until" type="date" value={fields.to} set={(to) => set({ to })} />
      </search>
      <p class="hint" role="status">
        {found === null ? 'Searching …' : countWords(found.length)}
      </p>
      <p class="problem" role="alert">
        {problem}
      </p>
      {found !== null && <RecordingList session={session} recordings={found.slice(0, most)} roomsShown />}
      {found !== null && found.length > most && (
        <div class="buttons after-list">
          <button type="button" onClick={() => setMost(most + SHOWN_AT_ONCE)}>
            Show more
          </button>
        </div>
      )}
    </div>
  );
}

interface FieldProps {
  label: string;
  type: 'search' | 'text' | 'date';
  value: string;
  set: (value: string) => void;
}

function Field({ label, type, value, set }: FieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        // Its types want one kind at a time.
        type={type as 'text'}
        value={value}
        maxLength={200}
        autocomplete="off"
        onInput={({ currentTarget }) => set(currentTarget.value)}
      />
    </div>
  );
}

function searchOf({ q, room, from, to }: Fields): RecordingSearch {
  const search: RecordingSearch = {};
  if (q.trim() !== '') search.q = q.trim();
  if (room.trim() !== '') search.room = room.trim();
  if (from !== '') search.from = startOf(from, 0);
  // Until the end of that day.
  if (to !== '') search.to = startOf(to, 1);
  return search;
}

/** The moment that a day begins at here, or so many days later; ISO 8601. */
function startOf(day: string, daysLater: number): string {
  const start = new Date(`${day}T00:00`);
  start.setDate(start.getDate() + daysLater);
  return start.toISOString();
}

function dayBefore(days: number): string {
  const day = new Date();
  day.setDate(day.getDate() - days);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

const countWords = (count: number) =>
  count === 0 ? 'None is found.' : count === 1 ? '1 recording' : `${count} recordings`;
