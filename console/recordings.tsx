import { useEffect, useState } from 'preact/hooks';
import type { RecordingView, RoomView } from '../server/rooms/views.ts';
import type { RecordingFormat } from './api.ts';
import { Action, Confirm } from './controls.tsx';
import { saveFile } from './save-file.ts';
import type { Session } from './session.ts';
import { duration, fileSize } from './words.ts';

export function Recordings({ session, room }: { session: Session; room: RoomView }) {
  const latestFirst = room.recordings.toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
  return (
    <section aria-labelledby="recordings-heading" data-focus-home="recordings-heading">
      <h2 id="recordings-heading" tabIndex={-1}>
        Recordings
      </h2>
      {latestFirst.length === 0 && <p class="hint">There are none.</p>}
      <ul class="recordings">
        {latestFirst.map((recording) => (
          <li key={recording.id} data-recording={recording.id}>
            <Recording session={session} recording={recording} />
          </li>
        ))}
      </ul>
    </section>
  );
}

const time = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

function Recording({ session, recording }: { session: Session; recording: RecordingView }) {
  const [asking, setAsking] = useState(false);
  const when = time.format(new Date(recording.startedAt));
  const about = `the recording of ${when}`;
  return (
    <>
      <p>
        <span class="name">{when}</span>
        <span class="traits">{factsOf(recording)}</span>
      </p>
      {recording.state === 'stopped' && (
        <>
          <Player session={session} recording={recording} about={about} />
          <div class="buttons">
            <Download session={session} recording={recording} format="wav" about={about} />
            <Download session={session} recording={recording} format="mp4" about={about} />
            {session.mayModerate && (
              <button type="button" class="quiet" onClick={() => setAsking(true)}>
                <span>Delete</span>
                <span class="unseen"> {about}</span>
              </button>
            )}
          </div>
        </>
      )}
      {asking && (
        <Confirm
          title="Delete the recording?"
          text={`${when}. It is gone for good then.`}
          label="Delete"
          act={() =>
            session.act(async (api) => {
              await api.deleteRecording(recording);
              await session.reloadRooms();
            })
          }
          close={() => setAsking(false)}
        />
      )}
    </>
  );
}

function factsOf({ state, durationMs, bytes, error }: RecordingView): string {
  if (state === 'recording') return 'runs';
  if (state === 'failed') return error === null ? 'failed' : `failed: ${error}`;
  return [durationMs === null ? null : duration(durationMs), bytes === null ? null : fileSize(bytes)]
    .filter((fact) => fact !== null)
    .join(' · ');
}

interface FileProps {
  session: Session;
  recording: RecordingView;
  about: string;
}

/** A player cannot send the token: so the whole file is fetched first. */
function Player({ session, recording, about }: FileProps) {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => () => void (url !== null && URL.revokeObjectURL(url)), [url]);
  if (url === null) {
    const load = () =>
      session.act(async (api) => setUrl(URL.createObjectURL(await api.recordingFile(recording.id, playable()))));
    return <Action icon="play" label="Play" about={about} act={load} />;
  }
  // biome-ignore lint/a11y/useMediaCaption: there are no captions of a telephone conference.
  return <audio controls autoplay src={url} aria-label={about} ref={(player) => player?.focus()} />;
}

/** AAC is a tenth of the size, and nearly all browsers play it. */
function playable(): RecordingFormat {
  return document.createElement('audio').canPlayType('audio/mp4; codecs="mp4a.40.2"') === '' ? 'wav' : 'mp4';
}

function Download({ session, recording, format, about }: FileProps & { format: RecordingFormat }) {
  const save = () =>
    session.act(async (api) => {
      const name = `${recording.room}-${recording.startedAt.slice(0, 19).replaceAll(':', '')}.${format}`;
      saveFile(await api.recordingFile(recording.id, format), name);
    });
  return <Action icon="download" label={format.toUpperCase()} about={`file of ${about}`} act={save} />;
}
