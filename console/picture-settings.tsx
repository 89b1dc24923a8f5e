import { useId } from 'preact/hooks';
import type { RoomView } from '../server/rooms/views.ts';
import type { PictureChange } from './api.ts';
import { FormDialog, textIn } from './form-dialog.tsx';
import type { Session } from './session.ts';
import { fillWords, sizeWords, themeWords } from './words.ts';

interface PictureSettingsProps {
  session: Session;
  room: RoomView;
  close: () => void;
}

const LONGEST_TITLE = 200;

/** How the picture of the room looks, for all who see it. What somebody else changes meanwhile undoes nothing that was chosen. */
export function PictureSettings({ session, room, close }: PictureSettingsProps) {
  const id = useId();
  return (
    <FormDialog
      title="Picture of the room"
      label="Save"
      submit={(form) => session.api.changePicture(room.name, changeIn(form))}
      close={close}
    >
      <div class="field">
        <label for={`${id}title`}>Title (optional)</label>
        <input
          id={`${id}title`}
          name="title"
          maxLength={LONGEST_TITLE}
          autocomplete="off"
          defaultValue={room.videoTitle ?? ''}
        />
      </div>
      <Choice id={`${id}theme`} label="Theme" name="theme" value={room.videoTheme} words={themeWords} />
      <Choice id={`${id}fill`} label="Pictures of another shape" name="fill" value={room.videoFill} words={fillWords} />
      <Choice id={`${id}size`} label="Size" name="size" value={room.videoSize} words={sizeWords} />
      <div class="field">
        <label for={`${id}fps`}>Pictures a second</label>
        <input
          id={`${id}fps`}
          name="fps"
          type="number"
          min={5}
          max={30}
          step={1}
          required
          defaultValue={room.videoFps}
        />
      </div>
      <label class="check">
        <input type="checkbox" name="names" defaultChecked={room.videoNames} /> Show names
      </label>
      <label class="check">
        <input type="checkbox" name="hideSelf" defaultChecked={room.hideSelf} /> Nobody sees themselves
      </label>
      <p class="hint">Without their own picture, each sees another one: that takes some more of the processor.</p>
    </FormDialog>
  );
}

function changeIn(form: FormData): PictureChange {
  return {
    videoTitle: textIn(form, 'title') || null,
    videoTheme: textIn(form, 'theme') as RoomView['videoTheme'],
    videoFill: textIn(form, 'fill') as RoomView['videoFill'],
    videoSize: textIn(form, 'size') as RoomView['videoSize'],
    videoFps: Number(textIn(form, 'fps')),
    videoNames: form.has('names'),
    hideSelf: form.has('hideSelf'),
  };
}

interface ChoiceProps {
  id: string;
  label: string;
  name: string;
  value: string;
  words: Readonly<Record<string, string>>;
}

function Choice({ id, label, name, value, words }: ChoiceProps) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} name={name}>
        {Object.entries(words).map(([one, said]) => (
          <option key={one} value={one} selected={one === value}>
            {said}
          </option>
        ))}
      </select>
    </div>
  );
}
