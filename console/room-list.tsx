import type { RoomView } from '../server/rooms/views.ts';
import { Icon } from './icons.tsx';
import { pathOf } from './navigation.ts';
import { handsIn, presentIn, runningRecording, waitingIn } from './rooms-state.ts';
import type { Session } from './session.ts';
import { useStore } from './store.ts';
import { people, titleOf } from './words.ts';

interface RoomListProps {
  session: Session;
  current: string | null;
  go: (room: string) => void;
}

export function RoomList({ session, current, go }: RoomListProps) {
  const rooms = useStore(session.rooms);
  const sorted = [...(rooms?.values() ?? [])].sort((a, b) => titleOf(a).localeCompare(titleOf(b)));
  return (
    <nav class="rooms" aria-labelledby="rooms-heading" data-focus-home="rooms-heading">
      <h2 id="rooms-heading" tabIndex={-1}>
        Rooms
      </h2>
      {rooms === null && <p class="hint">Loading …</p>}
      {rooms?.size === 0 && <p class="hint">No room is open. One opens when somebody dials its name.</p>}
      <ul>
        {sorted.map((room) => (
          <li key={room.name}>
            <RoomLink room={room} current={room.name === current} go={go} />
          </li>
        ))}
      </ul>
    </nav>
  );
}

function RoomLink({ room, current, go }: { room: RoomView; current: boolean; go: (room: string) => void }) {
  const open = (event: MouseEvent) => {
    // With a key held the browser opens it in another tab.
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(room.name);
  };
  const waiting = waitingIn(room).length;
  const hands = handsIn(room).length;
  return (
    <a href={pathOf(room.name)} aria-current={current ? 'page' : undefined} onClick={open}>
      <span class="room-title">{titleOf(room)}</span>
      <span class="room-facts">
        <span>{people(presentIn(room).length)}</span>
        {waiting > 0 && <span class="badge attention">{waiting} waiting</span>}
        {hands > 0 && (
          <span class="badge">
            <Icon name="hand" /> {hands}
            <span class="unseen"> raised hands</span>
          </span>
        )}
        {runningRecording(room) && <span class="badge recording">recording</span>}
        {room.locked && (
          <span class="badge">
            <Icon name="lock" />
            <span class="unseen">locked</span>
          </span>
        )}
      </span>
    </a>
  );
}
