import { useId } from 'preact/hooks';
import type { Role } from '../server/rooms/views.ts';
import { RoleOptions } from './controls.tsx';
import { FormDialog, textIn } from './form-dialog.tsx';
import type { Session } from './session.ts';

/** Calls somebody into the room. */
export function DialOut({ session, room, close }: { session: Session; room: string; close: () => void }) {
  const id = useId();
  const submit = (form: FormData) =>
    session.api.invite(room, {
      uri: asUri(textIn(form, 'uri')),
      displayName: textIn(form, 'displayName') || null,
      role: textIn(form, 'role') as Role,
      confirm: form.has('confirm'),
    });
  return (
    <FormDialog title="Call somebody into the room" label="Call" submit={submit} close={close}>
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
    </FormDialog>
  );
}

/** People leave the scheme out. */
const asUri = (text: string) => (/^sips?:/i.test(text) ? text : `sip:${text}`);
