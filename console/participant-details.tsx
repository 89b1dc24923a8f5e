import { useId, useState } from 'preact/hooks';
import type { ParticipantView, Role, RoomView } from '../server/rooms/views.ts';
import type { ParticipantChange } from './api.ts';
import { Action, Confirm, RoleOptions, Slider } from './controls.tsx';
import { Diagnosis } from './diagnosis.tsx';
import type { Session } from './session.ts';
import { useStore } from './store.ts';
import { VideoSettings } from './video-settings.tsx';
import { nameOf, titleOf } from './words.ts';

interface DetailsProps {
  session: Session;
  room: RoomView;
  view: ParticipantView;
}

export function ParticipantDetails(props: DetailsProps) {
  return (
    <div class="details">
      <p class="address">
        {props.view.uri}
        {props.view.audio && ` · ${props.view.audio.codec}`}
        {props.view.video && ` · ${videoText(props.view.video)}`}
      </p>
      {props.session.mayModerate && <Settings {...props} />}
      <Diagnosis {...props} room={props.room.name} />
    </div>
  );
}

/** Such as "H264 640×360". */
function videoText({ codec, width, height }: NonNullable<ParticipantView['video']>): string {
  return width === null ? codec : `${codec} ${width}×${height}`;
}

function Settings({ session, room, view }: DetailsProps) {
  const [asking, setAsking] = useState(false);
  const name = nameOf(view);
  const roleId = useId();
  const change = (what: ParticipantChange) => session.act((api) => api.changeParticipant(room.name, view.id, what));
  return (
    <div class="settings">
      <div class="field">
        <label for={roleId}>
          Role<span class="unseen"> of {name}</span>
        </label>
        <select
          id={roleId}
          value={view.role}
          onChange={async ({ currentTarget: list }) => {
            if (!(await change({ role: list.value as Role }))) list.value = view.role;
          }}
        >
          <RoleOptions />
        </select>
      </div>
      <Slider
        label="Heard"
        about={`of ${name}`}
        value={view.gainDb}
        min={-30}
        max={20}
        set={(gainDb) => change({ gainDb })}
      />
      <Slider
        label="Hears"
        about={`of ${name}`}
        value={view.volumeDb}
        min={-30}
        max={20}
        set={(volumeDb) => change({ volumeDb })}
      />
      <div class="buttons">
        <Action
          label={view.deaf ? 'Let hear' : 'Make deaf'}
          about={name}
          kind={view.deaf ? 'active' : undefined}
          act={() => change({ deaf: !view.deaf })}
        />
        <FloorButton session={session} room={room} view={view} />
        {!view.hand && <Action label="Raise hand" about={`of ${name}`} act={() => change({ hand: true })} />}
        <button type="button" class="danger" onClick={() => setAsking(true)}>
          <span>Remove</span>
          <span class="unseen"> {name}</span>
        </button>
      </div>
      <VideoSettings session={session} room={room} view={view} />
      <label class="check">
        <input
          type="checkbox"
          checked={view.recorded}
          onChange={async ({ currentTarget: box }) => {
            if (!(await change({ recorded: box.checked }))) box.checked = view.recorded;
          }}
        />
        <span>
          May be recorded<span class="unseen">: {name}</span>
        </span>
      </label>
      <Move session={session} room={room} view={view} />
      {asking && (
        <Confirm
          title={`Remove ${name}?`}
          text="The call is hung up. As long as the room is not locked they can call again."
          label="Remove"
          act={() => session.act((api) => api.removeParticipant(room.name, view.id, 'removed by the moderator'))}
          close={() => setAsking(false)}
        />
      )}
    </div>
  );
}

/** Several can have it: it is given besides those who have it, and taken back from one alone. */
function FloorButton({ session, room, view }: DetailsProps) {
  const name = nameOf(view);
  const has = room.floor.includes(view.id);
  if (!has && (view.role === 'listener' || view.state !== 'connected')) return null;
  const others = room.floor.filter((id) => id !== view.id);
  return (
    <Action
      label={has ? 'Take the floor back' : 'Give the floor'}
      about={has ? `from ${name}` : `to ${name}`}
      kind={has ? 'active' : undefined}
      act={() => session.act((api) => api.giveFloor(room.name, has ? others : [...others, view.id]))}
    />
  );
}

function Move({ session, room, view }: DetailsProps) {
  const rooms = useStore(session.rooms);
  const [target, setTarget] = useState('');
  const id = useId();
  const others = [...(rooms?.values() ?? [])].filter((other) => other.name !== room.name);
  if (others.length === 0) return null;
  const chosen = others.some(({ name }) => name === target) ? target : others[0]!.name;
  const name = nameOf(view);
  return (
    <div class="field move">
      <label for={id}>
        Move<span class="unseen"> {name}</span> to
      </label>
      <select id={id} value={chosen} onChange={({ currentTarget }) => setTarget(currentTarget.value)}>
        {others.map((other) => (
          <option key={other.name} value={other.name}>
            {titleOf(other)}
          </option>
        ))}
      </select>
      <Action
        label="Move"
        about={name}
        act={() => session.act((api) => api.changeParticipant(room.name, view.id, { room: chosen }))}
      />
    </div>
  );
}
