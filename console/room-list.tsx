import type { ComponentChildren } from 'preact';
import type { RoomView } from '../server/rooms/views.ts';
import { Icon } from './icons.tsx';
import { type Place, pathOf } from './navigation.ts';
import { handsIn, presentIn, waitingIn } from './rooms-state.ts';
import type { Session } from './session.ts';
import { useStore } from './store.ts';
import { people, titleOf } from './words.ts';

interface RoomListProps {
  session: Session;
  current: Place;
  go: (place: Place) => void;
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
            <Link place={{ at: 'room', room: room.name }} {...{ current, go }}>
              <RoomFacts room={room} />
            </Link>
          </li>
        ))}
      </ul>
      {session.isAdministrator && (
        <Link place={{ at: 'recordings' }} {...{ current, go }}>
          <span class="room-title">All recordings</span>
        </Link>
      )}
    </nav>
  );
}

interface LinkProps {
  place: Place;
  current: Place;
  go: (place: Place) => void;
  children: ComponentChildren;
}

function Link({ place, current, go, children }: LinkProps) {
  const open = (event: MouseEvent) => {
    // With a key held the browser opens it in another tab.
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(place);
  };
  const path = pathOf(place);
  return (
    <a href={path} aria-current={path === pathOf(current) ? 'page' : undefined} onClick={open}>
      {children}
    </a>
  );
}

function RoomFacts({ room }: { room: RoomView }) {
  const waiting = waitingIn(room).length;
  const hands = handsIn(room).length;
  return (
    <>
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
        {room.recording === 'recording' && <span class="badge recording">recording</span>}
        {room.recording === 'paused' && <span class="badge recording paused">recording paused</span>}
        {room.locked && (
          <span class="badge">
            <Icon name="lock" />
            <span class="unseen">locked</span>
          </span>
        )}
      </span>
    </>
  );
}
