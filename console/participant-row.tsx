import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { ParticipantView, RoomView } from '../server/rooms/views.ts';
import { Action } from './controls.tsx';
import { Icon } from './icons.tsx';
import { type Levels, shareOf } from './levels.ts';
import { ParticipantDetails } from './participant-details.tsx';
import type { Session } from './session.ts';
import { nameOf, traitsOf } from './words.ts';

interface ParticipantRowProps {
  session: Session;
  room: RoomView;
  view: ParticipantView;
  /** 1 for whose hand was raised first; 0 when it is down. */
  handPlace: number;
}

export function ParticipantRow({ session, room, view, handPlace }: ParticipantRowProps) {
  const [open, setOpen] = useState(false);
  const detailsId = useId();
  const name = nameOf(view);
  const heard = view.talking && view.muted === null;
  return (
    <li class={heard ? 'person talking' : 'person'} data-participant={view.id}>
      <div class="person-line">
        <Meter levels={session.levels} view={view} />
        <div class="who">
          <span class="name">{name}</span>
          {heard && <span class="unseen"> talks</span>}
          <span class="traits">
            {traitsOf(view).map((trait) => (
              <span key={trait} class={trait.startsWith('muted') ? 'badge attention' : 'badge'}>
                {trait}
              </span>
            ))}
            {room.floor.includes(view.id) && <span class="badge floor">has the floor</span>}
            {room.spotlight.includes(view.id) && <span class="badge">in the spotlight</span>}
            {handPlace > 0 && (
              <span class="badge hand">
                <Icon name="hand" />
                <span class="unseen">raised hand, number</span> {handPlace}
              </span>
            )}
          </span>
        </div>
        <div class="buttons">
          {session.mayModerate && <QuickButtons session={session} room={room.name} view={view} />}
          <button
            type="button"
            class="quiet more"
            aria-expanded={open}
            aria-controls={detailsId}
            onClick={() => setOpen(!open)}
          >
            <Icon name="more" />
            <span>More</span>
            <span class="unseen"> about {name}</span>
          </button>
        </div>
      </div>
      <div id={detailsId} hidden={!open}>
        {open && <ParticipantDetails session={session} room={room} view={view} />}
      </div>
    </li>
  );
}

function QuickButtons({ session, room, view }: { session: Session; room: string; view: ParticipantView }) {
  const name = nameOf(view);
  const isMuted = view.muted?.by === 'moderator';
  const change = (what: Parameters<typeof session.api.changeParticipant>[2]) =>
    session.act((api) => api.changeParticipant(room, view.id, what));
  return (
    <>
      {view.hand && <Action label="Lower hand" about={`of ${name}`} act={() => change({ hand: false })} />}
      {view.role !== 'listener' && (
        <Action
          label={isMuted ? 'Unmute' : 'Mute'}
          about={name}
          icon={isMuted ? 'microphone' : 'muted'}
          kind={isMuted ? 'active' : undefined}
          act={() => change({ muted: !isMuted })}
        />
      )}
    </>
  );
}

/** Who hears the page has "talks" instead. */
function Meter({ levels, view }: { levels: Levels; view: ParticipantView }) {
  const bar = useRef<HTMLSpanElement>(null);
  const show = (share: number) => bar.current?.style.setProperty('--level', share.toFixed(2));
  useEffect(() => levels.meter(view.id, show), [levels, view.id]);
  const now = shareOf(view);
  // What an event said counts until the next measurement.
  useEffect(() => show(now), [now]);
  return (
    <span class={view.muted === null ? 'meter' : 'meter off'} aria-hidden="true">
      <Icon name={view.muted === null ? 'microphone' : 'muted'} />
      <span class="level" ref={bar} />
    </span>
  );
}
