import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Dialog } from './controls.tsx';
import { problemText } from './words.ts';

interface FormDialogProps {
  title: string;
  /** Of the button that sends it; and while that is under way, where it may take long. */
  label: string;
  busyLabel?: string;
  /** Does what is said in it; the dialog stays, and says why, where that cannot be done. */
  submit: (form: FormData) => Promise<unknown>;
  close: () => void;
  children: ComponentChildren;
}

/** Asks for something to be filled in. */
export function FormDialog({ title, label, busyLabel = label, submit, close, children }: FormDialogProps) {
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const send = async (event: Event) => {
    event.preventDefault();
    if (busy || !(event.currentTarget instanceof HTMLFormElement)) return;
    setBusy(true);
    try {
      await submit(new FormData(event.currentTarget));
      close();
    } catch (error) {
      setProblem(problemText(error));
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} close={close}>
      <form onSubmit={send}>
        {children}
        <p class="problem" role="alert">
          {problem}
        </p>
        <div class="buttons">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="primary" aria-busy={busy}>
            {busy ? busyLabel : label}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** What was written there, without the spaces around it. */
export const textIn = (form: FormData, name: string): string => String(form.get(name) ?? '').trim();
