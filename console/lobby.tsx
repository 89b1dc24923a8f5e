import type { ParticipantView, RoomView } from '../server/rooms/views.ts';
import { Action } from './controls.tsx';
import { waitingIn } from './rooms-state.ts';
import type { Session } from './session.ts';
import { nameOf, traitsOf } from './words.ts';

/** Who waits to be let in; nothing when nobody does. */
export function Lobby({ session, room }: { session: Session; room: RoomView }) {
  const waiting = waitingIn(room);
  if (waiting.length === 0) return null;
  return (
    <section class="lobby" aria-labelledby="lobby-heading" data-focus-home="people-heading">
      <h2 id="lobby-heading">Waiting to be let in</h2>
      <ul class="people">
        {waiting.map((view) => (
          <li key={view.id} class="person">
            <Waiting session={session} room={room.name} view={view} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Waiting({ session, room, view }: { session: Session; room: string; view: ParticipantView }) {
  const name = nameOf(view);
  return (
    <div class="person-line">
      <div class="who">
        <span class="name">{name}</span>
        <span class="traits">{[view.uri, ...traitsOf(view)].join(' · ')}</span>
      </div>
      {session.mayModerate && (
        <div class="buttons">
          <Action
            label="Admit"
            about={name}
            kind="primary"
            act={() => session.act((api) => api.changeParticipant(room, view.id, { admitted: true }))}
          />
          <Action
            label="Refuse"
            about={name}
            act={() => session.act((api) => api.removeParticipant(room, view.id, 'not admitted by the moderator'))}
          />
        </div>
      )}
    </div>
  );
}
