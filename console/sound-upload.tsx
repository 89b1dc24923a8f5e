import { useId, useRef, useState } from 'preact/hooks';
import type { SoundView } from '../server/sounds/sound-library.ts';
import { Dialog } from './controls.tsx';
import type { Session } from './session.ts';
import { problemText } from './words.ts';

interface SoundUploadProps {
  session: Session;
  added: (sound: SoundView) => Promise<void>;
  close: () => void;
}

/** Puts an audio file among the sounds that every room can play. */
export function SoundUpload({ session, added, close }: SoundUploadProps) {
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const file = useRef<HTMLInputElement>(null);
  const name = useRef<HTMLInputElement>(null);
  const id = useId();
  const submit = async (event: Event) => {
    event.preventDefault();
    const chosen = file.current?.files?.[0];
    if (busy || chosen === undefined || name.current === null) return;
    setBusy(true);
    try {
      await added(await session.api.addSound(name.current.value.trim() || chosen.name, chosen));
      close();
    } catch (error) {
      setProblem(problemText(error));
      setBusy(false);
    }
  };
  const suggestName = () => {
    const chosen = file.current?.files?.[0];
    if (chosen && name.current?.value === '') name.current.value = chosen.name.replace(/\.[^.]+$/, '').slice(0, 200);
  };
  return (
    <Dialog title="Add a sound" close={close}>
      <form onSubmit={submit}>
        <div class="field">
          <label for={`${id}file`}>Audio file</label>
          <input ref={file} id={`${id}file`} type="file" accept="audio/*" required onChange={suggestName} />
        </div>
        <div class="field">
          <label for={`${id}name`}>Name</label>
          <input ref={name} id={`${id}name`} maxLength={200} autocomplete="off" />
        </div>
        <p class="hint">WAV, MP3, Ogg, M4A or FLAC, up to 4 hours. Every room can play it.</p>
        <p class="problem" role="alert">
          {problem}
        </p>
        <div class="buttons">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="primary" aria-busy={busy}>
            {busy ? 'Uploading …' : 'Add'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
