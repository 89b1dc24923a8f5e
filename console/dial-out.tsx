import { useId, useState } from 'preact/hooks';
import type { Role } from '../server/rooms/views.ts';
import { Dialog, RoleOptions } from './controls.tsx';
import type { Session } from './session.ts';
import { problemText } from './words.ts';

/** Calls somebody into the room. */
export function DialOut({ session, room, close }: { session: Session; room: string; close: () => void }) {
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const id = useId();
  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy || !(event.currentTarget instanceof HTMLFormElement)) return;
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim();
    setBusy(true);
    try {
      await session.api.invite(room, {
        uri: asUri(text('uri')),
        displayName: text('displayName') || null,
        role: text('role') as Role,
        confirm: form.has('confirm'),
      });
      close();
    } catch (error) {
      setProblem(problemText(error));
      setBusy(false);
    }
  };
  return (
    <Dialog title="Call somebody into the room" close={close}>
      <form onSubmit={submit}>
        <div class="field">
          <label for={`${id}uri`}>SIP address</label>
          <input
            id={`${id}uri`}
            name="uri"
            required
            autocomplete="off"
            inputMode="url"
            placeholder="sip:ann@example.com"
          />
        </div>
        <div class="field">
          <label for={`${id}name`}>Name (optional)</label>
          <input id={`${id}name`} name="displayName" maxLength={200} autocomplete="off" />
        </div>
        <div class="field">
          <label for={`${id}role`}>Role</label>
          <select id={`${id}role`} name="role">
            <RoleOptions />
          </select>
        </div>
        <label class="check">
          <input type="checkbox" name="confirm" /> They must press 1 to join
        </label>
        <p class="problem" role="alert">
          {problem}
        </p>
        <div class="buttons">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="primary" aria-busy={busy}>
            Call
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** People leave the scheme out. */
const asUri = (text: string) => (/^sips?:/i.test(text) ? text : `sip:${text}`);
