import { useId, useRef } from 'preact/hooks';
import type { SoundView } from '../server/sounds/sound-library.ts';
import { FormDialog, textIn } from './form-dialog.tsx';
import type { Session } from './session.ts';

interface SoundUploadProps {
  session: Session;
  added: (sound: SoundView) => Promise<void>;
  close: () => void;
}

/** Puts an audio file among the sounds that every room can play. */
export function SoundUpload({ session, added, close }: SoundUploadProps) {
  const file = useRef<HTMLInputElement>(null);
  const name = useRef<HTMLInputElement>(null);
  const id = useId();
  const submit = async (form: FormData) => {
    const chosen = file.current?.files?.[0];
    if (chosen !== undefined) await added(await session.api.addSound(textIn(form, 'name') || chosen.name, chosen));
  };
  const suggestName = () => {
    const chosen = file.current?.files?.[0];
    if (chosen && name.current?.value === '') name.current.value = chosen.name.replace(/\.[^.]+$/, '').slice(0, 200);
  };
  return (
    <FormDialog title="Add a sound" label="Add" busyLabel="Uploading …" submit={submit} close={close}>
      <div class="field">
        <label for={`${id}file`}>Audio file</label>
        <input ref={file} id={`${id}file`} type="file" accept="audio/*" required onChange={suggestName} />
      </div>
      <div class="field">
        <label for={`${id}name`}>Name</label>
        <input ref={name} id={`${id}name`} name="name" maxLength={200} autocomplete="off" />
      </div>
      <p class="hint">WAV, MP3, Ogg, M4A or FLAC, up to 4 hours. Every room can play it.</p>
    </FormDialog>
  );
}
