import { useState } from 'preact/hooks';
import type { RoomView } from '../server/rooms/views.ts';
import { Action, Dialog } from './controls.tsx';
import type { Session } from './session.ts';

/** Asks how to record, beginning with what the room's policy says. */
export function StartRecording({ session, room, close }: { session: Session; room: RoomView; close: () => void }) {
  const [tracks, setTracks] = useState(room.recordTracks);
  const [video, setVideo] = useState(room.recordVideo);
  const [announced, setAnnounced] = useState(room.recordingAnnounced);
  return (
    <Dialog title="Record the room" close={close}>
      <Check label="Tell everybody that they are recorded" value={announced} set={setAnnounced} />
      {!announced && <p class="hint">In many countries people must know before they are recorded. See that they do.</p>}
      <Check label="Keep a track of each participant as well" value={tracks} set={setTracks} />
      {room.video && <Check label="Record the picture when somebody has video" value={video} set={setVideo} />}
      <div class="buttons">
        <button type="button" onClick={close}>
          Cancel
        </button>
        <Action
          icon="record"
          label="Start recording"
          kind="primary"
          act={async () => {
            await session.act((api) => api.startRecording(room.name, { tracks, video, announced }));
            close();
          }}
        />
      </div>
    </Dialog>
  );
}

function Check({ label, value, set }: { label: string; value: boolean; set: (value: boolean) => void }) {
  return (
    <label class="check">
      <input type="checkbox" checked={value} onChange={({ currentTarget }) => set(currentTarget.checked)} /> {label}
    </label>
  );
}
