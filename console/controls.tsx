import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Icon, type IconName } from './icons.tsx';

interface ActionProps {
  label: string;
  /** Whom or what it is about: for those who hear the button without its surroundings. */
  about?: string;
  icon?: IconName;
  kind?: 'primary' | 'danger' | 'quiet' | 'active' | undefined;
  act: () => Promise<unknown> | undefined;
}

/** A button for something that takes its time; keeps the focus meanwhile, and does it once. */
export function Action({ label, about, icon, kind, act }: ActionProps) {
  const [busy, setBusy] = useState(false);
  const press = async () => {
    if (busy) return;
    setBusy(true);
    await act();
    setBusy(false);
  };
  return (
    <button type="button" class={kind} aria-busy={busy} onClick={press}>
      {icon && <Icon name={icon} />}
      <span>{label}</span>
      {about !== undefined && <span class="unseen"> {about}</span>}
    </button>
  );
}

interface SliderProps {
  label: string;
  about: string;
  value: number;
  min: number;
  max: number;
  /** When it is let go; false when that could not be done. */
  set: (value: number) => Promise<boolean>;
}

/** Decibels. While it is moved, and until the server has what it was moved to, it shows where it is. */
export function Slider({ label, about, value, min, max, set }: SliderProps) {
  const [moving, setMoving] = useState<number | null>(null);
  useEffect(() => setMoving((now) => (now === value ? null : now)), [value]);
  const commit = useLatest(set, () => setMoving(null));
  const shown = moving ?? value;
  const text = shown > 0 ? `+${shown} dB` : `${shown} dB`;
  const id = useId();
  return (
    <div class="field">
      <label for={id}>
        {label}
        <span class="unseen"> {about}</span>
        <output for={id}>{text}</output>
      </label>
      <input
        id={id}
        type="range"
        min={min}
        max={max}
        step={1}
        value={shown}
        aria-valuetext={text}
        onInput={({ currentTarget }) => setMoving(Number(currentTarget.value))}
        onChange={({ currentTarget }) => commit(Number(currentTarget.value))}
      />
    </div>
  );
}

/** Sets one value after the other: of those that come while one is on its way, the last. */
function useLatest(set: (value: number) => Promise<boolean>, failed: () => void): (value: number) => Promise<void> {
  const next = useRef<number | null>(null);
  const busy = useRef(false);
  return async (value) => {
    next.current = value;
    if (busy.current) return;
    busy.current = true;
    while (next.current !== null) {
      const now = next.current;
      next.current = null;
      if (!(await set(now))) failed();
    }
    busy.current = false;
  };
}

/** A modal dialog: the browser keeps the focus in it, ends it with Escape, and gives the focus back. */
export function Dialog({ title, close, children }: { title: string; close: () => void; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={close}>
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  text: string;
  label: string;
  act: () => Promise<unknown>;
  close: () => void;
}

/** Asks before something that cannot be undone. */
export function Confirm({ title, text, label, act, close }: ConfirmProps) {
  return (
    <Dialog title={title} close={close}>
      <p>{text}</p>
      <div class="buttons">
        <button type="button" onClick={close}>
          Cancel
        </button>
        <Action
          label={label}
          kind="danger"
          act={async () => {
            await act();
            close();
          }}
        />
      </div>
    </Dialog>
  );
}
