import { useId, useRef, useState } from 'preact/hooks';
import type { RoomView } from '../server/rooms/views.ts';
import { Icon } from './icons.tsx';
import type { Session } from './session.ts';
import { deliveriesText, nameOf } from './words.ts';

/** Sends a text to the phones of all who are in the room, or of one who is there or waits. */
export function SendText({ session, room }: { session: Session; room: RoomView }) {
  const input = useRef<HTMLInputElement>(null);
  const [to, setTo] = useState<{ id: string; name: string } | null>(null);
  const [busy, setBusy] = useState(false);
  const [result, setResult] = useState('');
  const id = useId();
  const reachable = room.participants.filter(({ state }) => state !== 'connecting' && state !== 'disconnecting');
  // What is meant for one goes to nobody else when that one leaves meanwhile.
  const hasLeft = to !== null && !reachable.some((view) => view.id === to.id);
  const choose = (chosen: string) => {
    const view = reachable.find((one) => one.id === chosen);
    setTo(view === undefined ? null : { id: view.id, name: nameOf(view) });
  };
  const submit = async (event: Event) => {
    event.preventDefault();
    const field = input.current;
    const text = field?.value.trim() ?? '';
    if (busy || field === null || text === '') return;
    setBusy(true);
    setResult('');
    const done = await session.act(async (api) => {
      const deliveries = await api.sendMessage(room.name, text, to === null ? null : [to.id]);
      setResult(deliveriesText(deliveries, room.participants));
    });
    if (done) field.value = '';
    setBusy(false);
  };
  return (
    <section aria-labelledby="text-heading" data-focus-home="text-heading">
      <h2 id="text-heading" tabIndex={-1}>
        Send a text
      </h2>
      <form class="panel send-text" onSubmit={submit}>
        <div class="field">
          <label for={`${id}to`}>To</label>
          <select id={`${id}to`} value={to?.id ?? ''} onChange={({ currentTarget }) => choose(currentTarget.value)}>
            <option value="">All who are here</option>
            {reachable.map((view) => (
              <option key={view.id} value={view.id}>
                {nameOf(view)}
              </option>
            ))}
            {hasLeft && <option value={to.id}>{`${to.name} (has left)`}</option>}
          </select>
        </div>
        <div class="field">
          <label for={`${id}text`}>Text</label>
          <input ref={input} id={`${id}text`} maxLength={1000} required autocomplete="off" />
        </div>
        <button type="submit" aria-busy={busy}>
          <Icon name="send" />
          <span>Send</span>
          <span class="unseen"> the text</span>
        </button>
        <p class="hint" role="status">
          {result}
        </p>
      </form>
    </section>
  );
}
