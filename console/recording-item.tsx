import { useId, useState } from 'preact/hooks';
import type { RecordingView } from '../server/rooms/views.ts';
import { Confirm } from './controls.tsx';
import { Icon } from './icons.tsx';
import { RecordingFiles } from './recording-files.tsx';
import { RecordingPlayer } from './recording-player.tsx';
import { isRunning } from './recording-time.ts';
import type { Session } from './session.ts';
import { duration, fileSize, formatWords, names, share, whenWords } from './words.ts';

interface RecordingItemProps {
  session: Session;
  recording: RecordingView;
  roomShown: boolean;
}

export function RecordingItem({ session, recording, roomShown }: RecordingItemProps) {
  const [open, setOpen] = useState<'player' | 'files' | null>(null);
  const when = whenWords(recording.startedAt);
  const about = `the recording of ${when}`;
  const id = useId();
  const hasSound = !isRunning(recording) && Boolean(recording.durationMs);
  const toggle = (what: 'player' | 'files') => setOpen(open === what ? null : what);
  return (
    <>
      <div class="recording-line">
        <div class="who">
          <span class="name">{roomShown ? `${recording.room} · ${when}` : when}</span>
          <Facts recording={recording} />
        </div>
        <div class="buttons">
          {hasSound && (
            <>
              <button
                type="button"
                aria-expanded={open === 'player'}
                aria-controls={id}
                onClick={() => toggle('player')}
              >
                <Icon name={open === 'player' ? 'close' : 'play'} />
                <span>{open === 'player' ? 'Close player' : 'Play'}</span>
                <span class="unseen"> {about}</span>
              </button>
              <button type="button" aria-expanded={open === 'files'} aria-controls={id} onClick={() => toggle('files')}>
                <Icon name="download" />
                <span>Files</span>
                <span class="unseen"> of {about}</span>
              </button>
            </>
          )}
          {session.mayModerate && !isRunning(recording) && <Delete {...{ session, recording, when, about }} />}
        </div>
      </div>
      <FilesInTheMaking recording={recording} />
      <div id={id} hidden={open === null}>
        {open === 'player' && <RecordingPlayer session={session} recording={recording} about={about} />}
        {open === 'files' && <RecordingFiles session={session} recording={recording} about={about} />}
      </div>
    </>
  );
}

function Facts({ recording }: { recording: RecordingView }) {
  const { state, durationMs, bytes, error, participants, tracks, video, videoError, encrypted } = recording;
  const facts = [
    durationMs === null ? null : duration(durationMs),
    bytes === null ? null : fileSize(bytes),
    names(participants),
  ].filter((fact) => fact !== null);
  return (
    <span class="traits">
      {state === 'recording' && <span class="badge recording">recording</span>}
      {state === 'paused' && <span class="badge recording paused">paused</span>}
      {state === 'failed' && (
        <span class="badge recording failed">{error === null ? 'failed' : `failed: ${error}`}</span>
      )}
      {facts.join(' · ')}
      {video && <span class="badge">{videoError === null ? 'picture' : `picture until it failed: ${videoError}`}</span>}
      {tracks && <span class="badge">tracks</span>}
      {encrypted && (
        <span class="badge">
          <Icon name="lock" />
          encrypted
        </span>
      )}
    </span>
  );
}

/** Whoever asked for them. */
function FilesInTheMaking({ recording }: { recording: RecordingView }) {
  const making = recording.files.filter(({ state }) => state === 'queued' || state === 'working');
  if (making.length === 0) return null;
  return (
    <ul>
      {making.map(({ format, normalized, state, progress }) => {
        const what = `${formatWords[format]}${normalized ? ', even loudness' : ''}`;
        return (
          <li key={`${format} ${normalized}`} class="made">
            <span>{what}</span>
            <progress max={1} value={progress} aria-label={`${what} is being made`} />
            <span>{state === 'queued' ? 'waits' : share(progress)}</span>
          </li>
        );
      })}
    </ul>
  );
}

function Delete({
  session,
  recording,
  when,
  about,
}: Omit<RecordingItemProps, 'roomShown'> & Record<'when' | 'about', string>) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <button type="button" class="quiet" onClick={() => setAsking(true)}>
        <span>Delete</span>
        <span class="unseen"> {about}</span>
      </button>
      {asking && (
        <Confirm
          title="Delete the recording?"
          text={`${when}, of ${recording.room}. All its files are gone for good then.`}
          label="Delete"
          act={() => session.act((api) => api.deleteRecording(recording.id))}
          close={() => setAsking(false)}
        />
      )}
    </>
  );
}
