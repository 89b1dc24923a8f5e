import { useRef, useState } from 'preact/hooks';
import { Icon } from './icons.tsx';

export function SignIn({ problem, enter }: { problem: string | null; enter: (token: string) => Promise<void> }) {
  const input = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    const token = input.current?.value.trim() ?? '';
    if (token === '' || busy) return;
    setBusy(true);
    await enter(token);
    setBusy(false);
    input.current?.select();
  };
  return (
    <main class="sign-in">
      <h1>
        <Icon name="brand" /> Parley
      </h1>
      <form onSubmit={submit}>
        <label for="token">Token</label>
        <input
          ref={input}
          id="token"
          type="password"
          autocomplete="off"
          spellcheck={false}
          required
          aria-describedby="token-hint"
          aria-invalid={problem !== null}
        />
        <p id="token-hint" class="hint">
          The server printed it at its first start, and keeps it in <code>api-token</code> in its data directory. This
          tab forgets it when it is closed.
        </p>
        <p class="problem" role="alert">
          {problem}
        </p>
        <button type="submit" class="primary" aria-busy={busy}>
          Sign in
        </button>
      </form>
    </main>
  );
}
