import { useEffect, useId, useState } from 'preact/hooks';
import type { LayoutName } from '../mixer/video-protocol.ts';
import type { RoomView } from '../server/rooms/views.ts';
import { PictureSettings } from './picture-settings.tsx';
import type { Session } from './session.ts';
import { layoutWords, nameOf } from './words.ts';

/** The server makes two a second at most, for all who look. */
const EVERY_MS = 1000;
const AFTER_FAILURE_MS = 5000;
const WIDTH = 960;

/** What the room looks like, as long as somebody in it has video and the page is looked at. */
export function RoomPicture({ session, room }: { session: Session; room: RoomView }) {
  const seen = room.participants.filter(({ video }) => video !== null);
  if (seen.length === 0) return null;
  return (
    <section class="picture" aria-label="Picture of the room">
      <LivePicture session={session} room={room.name} about={`The room, with ${seen.map(nameOf).join(', ')}`} />
      {session.mayModerate && <PictureTools session={session} room={room} />}
    </section>
  );
}

function LivePicture({ session, room, about }: { session: Session; room: string; about: string }) {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => followPicture(session, room, setUrl), [session, room]);
  // Where it is to be is kept free, so that nothing jumps.
  return <div class="picture-frame">{url !== null && <img src={url} alt={about} />}</div>;
}

/** Gives what ends it. */
function followPicture(session: Session, room: string, show: (url: string | null) => void): () => void {
  const over = new AbortController();
  let timer = 0;
  let looking = false;
  let shown: string | null = null;
  const put = (url: string | null): void => {
    show(url);
    if (shown !== null) URL.revokeObjectURL(shown);
    shown = url;
  };
  const look = async (): Promise<void> => {
    if (looking || document.visibilityState === 'hidden') return;
    looking = true;
    let nextMs = EVERY_MS;
    try {
      const picture = await session.api.roomPicture(room, WIDTH, over.signal);
      if (!over.signal.aborted) put(URL.createObjectURL(picture));
    } catch {
      // There is none, or its mixer is being started again: the last one would not be true any more.
      if (!over.signal.aborted) put(null);
      nextMs = AFTER_FAILURE_MS;
    }
    looking = false;
    if (!over.signal.aborted) timer = window.setTimeout(look, nextMs);
  };
  const seenAgain = (): void => {
    window.clearTimeout(timer);
    void look();
  };
  document.addEventListener('visibilitychange', seenAgain);
  void look();
  return () => {
    over.abort();
    window.clearTimeout(timer);
    document.removeEventListener('visibilitychange', seenAgain);
    put(null);
  };
}

function PictureTools({ session, room }: { session: Session; room: RoomView }) {
  const [open, setOpen] = useState(false);
  return (
    <div class="picture-tools">
      <LayoutChoice session={session} room={room} />
      <button type="button" onClick={() => setOpen(true)}>
        <span>Settings</span>
        <span class="unseen"> of the picture</span>
      </button>
      {open && <PictureSettings session={session} room={room} close={() => setOpen(false)} />}
    </div>
  );
}

function LayoutChoice({ session, room }: { session: Session; room: RoomView }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>Layout</label>
      <select
        id={id}
        value={room.layout}
        onChange={async ({ currentTarget: list }) => {
          const layout = list.value as LayoutName;
          if (!(await session.act((api) => api.setLayout(room.name, layout)))) list.value = room.layout;
        }}
      >
        <LayoutOptions />
      </select>
    </div>
  );
}

/** What a list of layouts has in it. */
export function LayoutOptions() {
  return Object.entries(layoutWords).map(([layout, words]) => (
    <option key={layout} value={layout}>
      {words}
    </option>
  ));
}
