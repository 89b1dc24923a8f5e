import { useState } from 'preact/hooks';
import type { RecordingView, RoomView } from '../server/rooms/views.ts';
import { RecordingItem } from './recording-item.tsx';
import { latestFirst, useRecordingSearch } from './recording-search.ts';
import type { Session } from './session.ts';

/** The view of a room has so many, the latest. */
const OF_ROOM_VIEW = 20;

export function Recordings({ session, room }: { session: Session; room: RoomView }) {
  const [all, setAll] = useState(false);
  const { recordings } = room;
  return (
    <section aria-labelledby="recordings-heading" data-focus-home="recordings-heading">
      <h2 id="recordings-heading" tabIndex={-1}>
        Recordings
      </h2>
      {recordings.length === 0 && <p class="hint">There are none.</p>}
      {all ? (
        <AllOfRoom session={session} room={room.name} />
      ) : (
        <RecordingList session={session} recordings={latestFirst(recordings)} />
      )}
      {!all && recordings.length >= OF_ROOM_VIEW && (
        <div class="buttons after-list">
          <button type="button" onClick={() => setAll(true)}>
            <span>Show all</span>
            <span class="unseen"> recordings of the room</span>
          </button>
        </div>
      )}
    </section>
  );
}

function AllOfRoom({ session, room }: { session: Session; room: string }) {
  const { found, problem } = useRecordingSearch(session, { room });
  if (problem !== null) return <p class="problem">{problem}</p>;
  return found === null ? <p class="hint">Loading …</p> : <RecordingList session={session} recordings={found} />;
}

interface RecordingListProps {
  session: Session;
  recordings: readonly RecordingView[];
  /** Where they are of several rooms. */
  roomsShown?: boolean;
}

export function RecordingList({ session, recordings, roomsShown = false }: RecordingListProps) {
  return (
    <ul class="recordings">
      {recordings.map((recording) => (
        <li key={recording.id} data-recording={recording.id}>
          <RecordingItem session={session} recording={recording} roomShown={roomsShown} />
        </li>
      ))}
    </ul>
  );
}
