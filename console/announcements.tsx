import { useEffect, useId, useState } from 'preact/hooks';
import type { AnnouncementProgress } from '../server/focus/control.ts';
import type { RoomView } from '../server/rooms/views.ts';
import type { SoundView } from '../server/sounds/sound-library.ts';
import type { AnnouncementChange, Api, Playable } from './api.ts';
import { Action, Confirm, Slider } from './controls.tsx';
import { waitFor } from './live.ts';
import { latestFirst } from './recording-search.ts';
import { isRunning } from './recording-time.ts';
import type { Session } from './session.ts';
import { SoundUpload } from './sound-upload.tsx';
import { duration, whenWords } from './words.ts';

interface AnnouncementsProps {
  session: Session;
  room: RoomView;
}

/** Plays sounds and recordings to all in the room. */
export function Announcements({ session, room }: AnnouncementsProps) {
  const [sounds, setSounds] = useState<readonly SoundView[]>([]);
  const loadSounds = () => session.api.sounds().then(setSounds, () => undefined);
  useEffect(() => void loadSounds(), [session]);
  const { playing, look } = usePlaying(session, room.name);
  const titleOf = ({ sound, recording, prompt }: AnnouncementProgress) => {
    const known = room.recordings.find(({ id }) => id === recording);
    if (known) return `the recording of ${whenWords(known.startedAt)}`;
    return sounds.find(({ id }) => id === sound)?.name ?? prompt ?? 'a sound';
  };
  return (
    <section aria-labelledby="announcements-heading" data-focus-home="announcements-heading">
      <h2 id="announcements-heading" tabIndex={-1}>
        Play into the room
      </h2>
      <div class="panel">
        <Start {...{ session, room, sounds, look, loadSounds }} />
        <ul class="playing">
          {playing.map((one) => (
            <li key={one.id} class="playing-one" data-announcement={one.id}>
              <Playing session={session} announcement={one} title={titleOf(one)} look={look} />
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}

/** So often while something plays; else it may be another who begins something. */
const LOOK_EVERY_MS = 1000;
const LOOK_SELDOM_MS = 5000;

/** What plays, and how far it is: no event tells. `look` asks at once. */
function usePlaying(session: Session, room: string): { playing: AnnouncementProgress[]; look: () => void } {
  const [playing, setPlaying] = useState<AnnouncementProgress[]>([]);
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    const over = new AbortController();
    const { signal } = over;
    const follow = async () => {
      while (!signal.aborted) {
        const now = document.hidden ? null : await progressOf(session.api, room, signal).catch(() => []);
        if (signal.aborted) return;
        if (now !== null) setPlaying(now);
        await waitFor(now !== null && now.length > 0 ? LOOK_EVERY_MS : LOOK_SELDOM_MS, signal);
      }
    };
    void follow();
    return () => over.abort();
  }, [session, room, asked]);
  return { playing, look: () => setAsked((times) => times + 1) };
}

async function progressOf(api: Api, room: string, signal: AbortSignal): Promise<AnnouncementProgress[]> {
  const all = await api.announcements(room, signal);
  // What has ended meanwhile is left out.
  const found = await Promise.all(all.map(({ id }) => api.announcement(room, id, signal).catch(() => null)));
  return found.filter((one) => one !== null);
}

interface StartProps extends AnnouncementsProps {
  sounds: readonly SoundView[];
  look: () => void;
  loadSounds: () => Promise<void>;
}

function Start({ session, room, sounds, look, loadSounds }: StartProps) {
  const [chosen, setChosen] = useState('');
  const [repeat, setRepeat] = useState(false);
  const [open, setOpen] = useState<'upload' | 'remove' | null>(null);
  const id = useId();
  const recordings = latestFirst(room.recordings).filter((one) => !isRunning(one) && Boolean(one.durationMs));
  const options = [...sounds.map(soundKey), ...recordings.map(recordingKey)];
  const key = options.includes(chosen) ? chosen : (options[0] ?? '');
  const sound = sounds.find((one) => soundKey(one) === key);
  const play = () =>
    session.act(async (api) => {
      await api.announce(room.name, { ...playableOf(key), gainDb: 0, repeat });
      look();
    });
  return (
    <div class="play-what">
      <div class="field">
        <label for={id}>Sound or recording</label>
        <select
          id={id}
          value={key}
          disabled={options.length === 0}
          onChange={({ currentTarget }) => setChosen(currentTarget.value)}
        >
          {options.length === 0 && <option value="">There is none yet</option>}
          {sounds.length > 0 && (
            <optgroup label="Sounds">
              {sounds.map((one) => (
                <option key={one.id} value={soundKey(one)}>{`${one.name} (${duration(one.durationMs)})`}</option>
              ))}
            </optgroup>
          )}
          {recordings.length > 0 && (
            <optgroup label="Recordings of this room">
              {recordings.map((one) => (
                <option key={one.id} value={recordingKey(one)}>
                  {`${whenWords(one.startedAt)} (${duration(one.durationMs ?? 0)})`}
                </option>
              ))}
            </optgroup>
          )}
        </select>
      </div>
      <label class="check">
        <input type="checkbox" checked={repeat} onChange={({ currentTarget }) => setRepeat(currentTarget.checked)} />
        Again and again
      </label>
      <div class="buttons">
        {options.length > 0 && <Action icon="sound" label="Play" about="into the room" kind="primary" act={play} />}
        {session.isAdministrator && (
          <>
            <button type="button" onClick={() => setOpen('upload')}>
              Add a sound
            </button>
            {sound !== undefined && (
              <button type="button" class="quiet" onClick={() => setOpen('remove')}>
                <span>Remove</span>
                <span class="unseen"> the sound {sound.name}</span>
              </button>
            )}
          </>
        )}
      </div>
      {open === 'upload' && (
        <SoundUpload
          session={session}
          added={async (added) => {
            await loadSounds();
            setChosen(soundKey(added));
          }}
          close={() => setOpen(null)}
        />
      )}
      {open === 'remove' && sound !== undefined && (
        <Confirm
          title={`Remove “${sound.name}”?`}
          text="No room can play it then."
          label="Remove"
          act={() =>
            session.act(async (api) => {
              await api.deleteSound(sound.id);
              await loadSounds();
            })
          }
          close={() => setOpen(null)}
        />
      )}
    </div>
  );
}

const soundKey = ({ id }: { id: string }) => `sound ${id}`;
const recordingKey = ({ id }: { id: string }) => `recording ${id}`;

function playableOf(key: string): Playable {
  const [kind, id = ''] = key.split(' ');
  return kind === 'sound' ? { sound: id } : { recording: id };
}

interface PlayingProps {
  session: Session;
  announcement: AnnouncementProgress;
  title: string;
  look: () => void;
}

function Playing({ session, announcement, title, look }: PlayingProps) {
  const { id, room, gainDb, positionMs, durationMs } = announcement;
  const change = (what: AnnouncementChange) =>
    session.act(async (api) => {
      await api.changeAnnouncement(room, id, what);
      look();
    });
  const seconds = Math.max(1, Math.floor(durationMs / 1000));
  return (
    <>
      <p>
        <span class="name">{title}</span>
        {announcement.repeat && <span class="badge">again and again</span>}
        {announcement.participant !== null && <span class="badge">to one participant</span>}
      </p>
      <Slider
        label="Position"
        about={`of ${title}`}
        value={Math.min(seconds, Math.floor(positionMs / 1000))}
        min={0}
        max={seconds}
        words={(at) => `${duration(at * 1000)} of ${duration(durationMs)}`}
        set={(at) => change({ positionMs: at * 1000 })}
      />
      <Slider
        label="Volume"
        about={`of ${title}`}
        value={gainDb}
        min={-30}
        max={20}
        set={(gain) => change({ gainDb: gain })}
      />
      <div class="buttons">
        <Action
          icon="stop"
          label="Stop"
          about={title}
          act={() =>
            session.act(async (api) => {
              await api.stopAnnouncement(room, id);
              look();
            })
          }
        />
      </div>
    </>
  );
}
