import type { ComponentChildren } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon, type IconName } from './icons.tsx';
import { roleWords } from './words.ts';

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
  /** A value in words; default: decibels. */
  words?: (value: number) => string;
  /** When it is let go; false when that could not be done. */
  set: (value: number) => Promise<boolean>;
}

/** While it is moved, and until the server has what it was moved to, it shows where it is; else it follows `value`. */
export function Slider({ label, about, value, min, max, words = decibels, set }: SliderProps) {
  const [moving, setMoving] = useState<number | null>(null);
  /** Nobody moves it, and the server has answered: what it says next counts. */
  const settled = useRef(true);
  useEffect(() => {
    setMoving((now) => (now === value || settled.current ? null : now));
  }, [value, moving]);
  const commit = useLatest(set, (done) => {
    settled.current = true;
    if (!done) setMoving(null);
  });
  const shown = moving ?? value;
  const text = words(shown);
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
        onInput={({ currentTarget }) => {
          settled.current = false;
          setMoving(Number(currentTarget.value));
        }}
        onChange={({ currentTarget }) => commit(Number(currentTarget.value))}
      />
    </div>
  );
}

const decibels = (value: number) => (value > 0 ? `+${value} dB` : `${value} dB`);

/** Sets one value after the other: of those that come while one is on its way, the last. Then tells whether it could be. */
function useLatest(
  set: (value: number) => Promise<boolean>,
  settled: (done: boolean) => void,
): (value: number) => Promise<void> {
  const next = useRef<number | null>(null);
  const busy = useRef(false);
  return async (value) => {
    next.current = value;
    if (busy.current) return;
    busy.current = true;
    let done = true;
    while (next.current !== null) {
      const now = next.current;
      next.current = null;
      done = await set(now);
    }
    busy.current = false;
    settled(done);
  };
}

/** What a list of roles has in it. */
export function RoleOptions() {
  return Object.entries(roleWords).map(([role, words]) => (
    <option key={role} value={role}>
      {words}
    </option>
  ));
}

/** A modal dialog: the browser keeps the focus in it, ends it with Escape, and gives the focus back. */
export function Dialog({ title, close, children }: { title: string; close: () => void; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Before anything is painted: the next key is for it already.
  useLayoutEffect(() => {
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
