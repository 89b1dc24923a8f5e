import { useId } from 'preact/hooks';
import type { LayoutName } from '../mixer/video-protocol.ts';
import type { ParticipantView, RoomView } from '../server/rooms/views.ts';
import type { ParticipantChange } from './api.ts';
import { Action } from './controls.tsx';
import { placesWith } from './places.ts';
import { LayoutOptions } from './room-picture.tsx';
import { presentIn } from './rooms-state.ts';
import type { Session } from './session.ts';
import { nameOf } from './words.ts';

interface VideoSettingsProps {
  session: Session;
  room: RoomView;
  view: ParticipantView;
}

const AS_THE_ROOM = 'room';

/** What the others see of somebody, and what they see themselves. */
export function VideoSettings({ session, room, view }: VideoSettingsProps) {
  const layoutId = useId();
  const name = nameOf(view);
  const change = (what: ParticipantChange) => session.act((api) => api.changeParticipant(room.name, view.id, what));
  const others = room.spotlight.filter((id) => id !== view.id);
  const spotlighted = others.length < room.spotlight.length;
  const someVideo = room.participants.some(({ video }) => video !== null);
  if (!someVideo) return null;
  return (
    <>
      <div class="buttons">
        {view.video !== null && (
          <Action
            label={view.camera ? 'Turn picture off' : 'Turn picture on'}
            about={`of ${name}`}
            kind={view.camera ? undefined : 'active'}
            act={() => change({ camera: !view.camera })}
          />
        )}
        {view.state === 'connected' && (
          <Action
            label={spotlighted ? 'End spotlight' : 'Spotlight'}
            about={`on ${name}`}
            kind={spotlighted ? 'active' : undefined}
            act={() => session.act((api) => api.spotlight(room.name, spotlighted ? others : [...others, view.id]))}
          />
        )}
      </div>
      <PlaceChoice session={session} room={room} view={view} />
      {view.video !== null && (
        <div class="field">
          <label for={layoutId}>
            Sees<span class="unseen">: layout for {name}</span>
          </label>
          <select
            id={layoutId}
            value={view.layout ?? AS_THE_ROOM}
            onChange={async ({ currentTarget: list }) => {
              const layout = list.value === AS_THE_ROOM ? null : (list.value as LayoutName);
              if (!(await change({ layout }))) list.value = view.layout ?? AS_THE_ROOM;
            }}
          >
            <option value={AS_THE_ROOM}>As the room</option>
            <LayoutOptions />
          </select>
        </div>
      )}
    </>
  );
}

const ANYWHERE = '';

/** Where they are seen, whoever comes and goes. Who had the place gets theirs, if they had one. */
function PlaceChoice({ session, room, view }: VideoSettingsProps) {
  const id = useId();
  const own = room.places.indexOf(view.id);
  const value = own === -1 ? ANYWHERE : String(own);
  const most = Math.max(room.places.length, presentIn(room).length);
  return (
    <div class="field">
      <label for={id}>
        Place<span class="unseen"> of {nameOf(view)} in the picture</span>
      </label>
      <select
        id={id}
        value={value}
        onChange={async ({ currentTarget: list }) => {
          const places = placesWith(room.places, view.id, list.value === ANYWHERE ? null : Number(list.value));
          if (!(await session.act((api) => api.setPlaces(room.name, places)))) list.value = value;
        }}
      >
        <option value={ANYWHERE}>Wherever there is one</option>
        {Array.from({ length: most }, (_, index) => (
          <option key={index} value={String(index)}>
            {index + 1}
          </option>
        ))}
      </select>
    </div>
  );
}
