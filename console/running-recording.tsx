import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { RecordingView, RoomView } from '../server/rooms/views.ts';
import { Action } from './controls.tsx';
import { Icon } from './icons.tsx';
import { runningRecording } from './rooms-state.ts';
import type { Session } from './session.ts';
import { duration } from './words.ts';

/** The recording that runs in the room, and what can be done with it; nothing when none does. */
export function RunningRecording({ session, room }: { session: Session; room: RoomView }) {
  const recording = runningRecording(room);
  if (!recording) return null;
  const paused = recording.state === 'paused';
  return (
    <section class={paused ? 'on-air paused' : 'on-air'} aria-label="Recording">
      <p>
        <Icon name={paused ? 'pause' : 'record'} />
        <strong>{paused ? 'Paused' : 'Recording'}</strong>
        <RunningTime key={recording.id} session={session} recording={recording} />
        {recording.tracks && <span class="aside">with a track of each participant</span>}
        {recording.startedBy !== 'moderator' && <span class="aside">{startedWords[recording.startedBy]}</span>}
      </p>
      {session.mayModerate && <Controls key={recording.id} session={session} recording={recording} />}
    </section>
  );
}

const startedWords = { keys: 'started by keys', policy: "started by the room's rules" } as const;

interface RunningProps {
  session: Session;
  recording: RecordingView;
}

function RunningTime({ session, recording }: RunningProps) {
  const [, setShown] = useState<string | null>(null);
  const ms = session.recordingTimes.of(recording.id);
  useEffect(() => {
    const look = () => setShown(textOf(session.recordingTimes.of(recording.id)));
    const timer = setInterval(look, 250);
    return () => clearInterval(timer);
  }, [session, recording.id]);
  return (
    <span class="running-time" role="timer" aria-label="Recorded">
      {textOf(ms)}
    </span>
  );
}

const textOf = (ms: number | null) => (ms === null ? null : duration(ms));

function Controls({ session, recording }: RunningProps) {
  const paused = recording.state === 'paused';
  return (
    <div class="on-air-controls">
      <MarkForm session={session} recording={recording} />
      <div class="buttons">
        <Action
          icon={paused ? 'record' : 'pause'}
          label={paused ? 'Go on' : 'Pause'}
          about="recording"
          act={() => session.act((api) => api.changeRecording(recording, paused ? 'recording' : 'paused'))}
        />
        <Action
          icon="stop"
          label="Stop"
          about="recording"
          act={() => session.act((api) => api.changeRecording(recording, 'stopped'))}
        />
      </div>
    </div>
  );
}

function MarkForm({ session, recording }: RunningProps) {
  const input = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const [marked, setMarked] = useState('');
  const id = useId();
  const submit = async (event: Event) => {
    event.preventDefault();
    const field = input.current;
    if (busy || field === null) return;
    const text = field.value.trim() || 'Mark';
    setBusy(true);
    const done = await session.act(async (api) => {
      const { positionMs } = await api.markRecording(recording, text);
      setMarked(`“${text}” is marked at ${duration(positionMs)}.`);
    });
    if (done) field.value = '';
    setBusy(false);
  };
  return (
    <form class="mark" onSubmit={submit}>
      <label for={id}>Mark this moment</label>
      <input ref={input} id={id} maxLength={200} autocomplete="off" placeholder="What is to be found here" />
      <button type="submit" aria-busy={busy}>
        <Icon name="mark" />
        <span>Mark</span>
      </button>
      <p class="hint" role="status">
        {marked}
      </p>
    </form>
  );
}
