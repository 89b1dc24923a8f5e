import { useEffect, useState } from 'preact/hooks';
import type { RoomView } from '../server/rooms/views.ts';
import { Announcements } from './announcements.tsx';
import { Action, Confirm } from './controls.tsx';
import { DialOut } from './dial-out.tsx';
import { Icon } from './icons.tsx';
import { Lobby } from './lobby.tsx';
import { PageHeading } from './page-heading.tsx';
import { ParticipantRow } from './participant-row.tsx';
import { Recordings } from './recordings.tsx';
import { RoomPicture } from './room-picture.tsx';
import { handsIn, presentIn } from './rooms-state.ts';
import { RunningRecording } from './running-recording.tsx';
import { SendText } from './send-text.tsx';
import type { Session } from './session.ts';
import { StartRecording } from './start-recording.tsx';
import { useStore } from './store.ts';
import { people, titleOf } from './words.ts';

interface RoomPageProps {
  session: Session;
  name: string;
  back: () => void;
}

export function RoomPage({ session, name, back }: RoomPageProps) {
  const known = useStore(session.rooms, (rooms) => rooms !== null);
  const room = useStore(session.rooms, (rooms) => rooms?.get(name));
  useEffect(() => {
    session.watch(name);
    return () => session.watch(null);
  }, [session, name]);
  const title = room ? titleOf(room) : name;
  return (
    <>
      <PageHeading title={title} back={back} />
      {known && !room && <p class="hint">This room is not open. It opens when somebody dials its name.</p>}
      {room && <OpenRoom session={session} room={room} />}
    </>
  );
}

function OpenRoom({ session, room }: { session: Session; room: RoomView }) {
  const present = presentIn(room);
  const hands = handsIn(room).map(({ id }) => id);
  return (
    <div data-focus-home="page-heading">
      <RoomFacts room={room} />
      <RunningRecording session={session} room={room} />
      <RoomPicture session={session} room={room} />
      {session.mayModerate && <RoomTools session={session} room={room} />}
      <Lobby session={session} room={room} />
      <section aria-labelledby="people-heading" data-focus-home="people-heading">
        <h2 id="people-heading" tabIndex={-1}>
          {people(present.length)}
        </h2>
        {present.length === 0 && <p class="hint">Nobody is here.</p>}
        <ul class="people">
          {present.map((view) => (
            <ParticipantRow
              key={view.id}
              session={session}
              room={room}
              view={view}
              handPlace={hands.indexOf(view.id) + 1}
            />
          ))}
        </ul>
      </section>
      {session.mayModerate && <SendText key={room.name} session={session} room={room} />}
      {session.mayModerate && <Announcements session={session} room={room} />}
      <Recordings session={session} room={room} />
    </div>
  );
}

function RoomFacts({ room }: { room: RoomView }) {
  const facts = [
    room.displayName === null ? null : room.name,
    room.locked ? 'locked' : null,
    room.pinRequired ? 'asks for a PIN' : null,
    room.lobby ? 'has a lobby' : null,
    room.waitForModerator ? 'waits for a moderator' : null,
    room.muteOnEntry ? 'mutes who enters' : null,
    room.listenersOnly ? 'for listeners' : null,
    room.breakoutOf === null ? null : `breakout room of ${room.breakoutOf}`,
    room.floor.length === 0 ? null : 'only who has the floor is heard',
  ].filter((fact) => fact !== null);
  return (
    <p class="facts">
      {facts.map((fact) => (
        <span class="badge" key={fact}>
          {fact}
        </span>
      ))}
    </p>
  );
}

function RoomTools({ session, room }: { session: Session; room: RoomView }) {
  const [open, setOpen] = useState<'record' | 'dial-out' | 'end' | null>(null);
  const close = () => setOpen(null);
  const { name, locked } = room;
  const act = session.act.bind(session);
  return (
    <fieldset class="tools" aria-label="Room">
      <Action
        icon={locked ? 'unlock' : 'lock'}
        label={locked ? 'Unlock' : 'Lock'}
        about="the room"
        kind={locked ? 'active' : undefined}
        act={() => act((api) => api.lock(name, !locked))}
      />
      <Action icon="muted" label="Mute all" about="but moderators" act={() => act((api) => api.muteAll(name, true))} />
      <Action icon="microphone" label="Unmute all" act={() => act((api) => api.muteAll(name, false))} />
      {room.floor.length > 0 && (
        <Action icon="microphone" label="Free the floor" act={() => act((api) => api.giveFloor(name, []))} />
      )}
      {room.recording === 'off' && room.participants.length > 0 && (
        <button type="button" onClick={() => setOpen('record')}>
          <Icon name="record" />
          <span>Record</span>
        </button>
      )}
      <button type="button" onClick={() => setOpen('dial-out')}>
        <Icon name="call" />
        <span>Call</span>
        <span class="unseen"> somebody</span>
      </button>
      <button type="button" class="danger" onClick={() => setOpen('end')}>
        <Icon name="end" />
        <span>End</span>
        <span class="unseen"> the conference</span>
      </button>
      {open === 'record' && <StartRecording session={session} room={room} close={close} />}
      {open === 'dial-out' && <DialOut session={session} room={name} close={close} />}
      {open === 'end' && (
        <Confirm
          title="End the conference?"
          text="Everybody is told that it ends, and hung up on. The room stays."
          label="End the conference"
          act={() => act((api) => api.endConference(name))}
          close={close}
        />
      )}
    </fieldset>
  );
}
