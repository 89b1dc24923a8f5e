import { useCallback, useEffect, useState } from 'preact/hooks';
import { AllRecordings } from './all-recordings.tsx';
import { ApiError } from './api.ts';
import { Icon } from './icons.tsx';
import { openNavigation } from './navigation.ts';
import { ProblemNotice, SpokenText } from './notices.tsx';
import { RoomList } from './room-list.tsx';
import { RoomPage } from './room-page.tsx';
import { Session } from './session.ts';
import { SignIn } from './sign-in.tsx';
import { useStore } from './store.ts';
import { problemText } from './words.ts';

/** For this tab alone, and gone with it. */
const TOKEN_KEY = 'parley-token';

const navigation = openNavigation();

export function App() {
  const [session, setSession] = useState<Session | null>(null);
  const [opening, setOpening] = useState(sessionStorage.getItem(TOKEN_KEY) !== null);
  const [problem, setProblem] = useState<string | null>(null);

  const leave = useCallback((why: string | null) => {
    sessionStorage.removeItem(TOKEN_KEY);
    setSession(null);
    setProblem(why);
  }, []);

  const enter = useCallback(async (token: string) => {
    try {
      const opened = await Session.open(token, leave);
      sessionStorage.setItem(TOKEN_KEY, token);
      setProblem(null);
      setSession(opened);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) sessionStorage.removeItem(TOKEN_KEY);
      setProblem(problemText(error));
    }
    setOpening(false);
  }, []);

  useEffect(() => {
    const kept = sessionStorage.getItem(TOKEN_KEY);
    if (kept !== null) void enter(kept);
  }, []);

  if (opening) return <p class="opening">Signing in …</p>;
  if (session === null) return <SignIn problem={problem} enter={enter} />;
  const signOut = () => {
    session.close();
    leave(null);
  };
  return <Console session={session} signOut={signOut} />;
}

function Console({ session, signOut }: { session: Session; signOut: () => void }) {
  const place = useStore(navigation.place);
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="top">
        <p class="brand">
          <Icon name="brand" /> Parley
        </p>
        <ConnectionState session={session} />
        <button type="button" class="quiet" onClick={signOut}>
          Sign out
        </button>
      </header>
      <ProblemNotice problem={session.problem} />
      <div class={place.at === 'rooms' ? 'columns at-list' : 'columns at-page'}>
        <RoomList session={session} current={place} go={navigation.go} />
        <main id="main" tabIndex={-1}>
          {place.at === 'rooms' && <p class="hint wide-only">Choose a room.</p>}
          {place.at === 'room' && (
            <RoomPage
              key={place.room}
              session={session}
              name={place.room}
              back={() => navigation.go({ at: 'rooms' })}
            />
          )}
          {place.at === 'recordings' && <AllRecordings session={session} back={() => navigation.go({ at: 'rooms' })} />}
        </main>
      </div>
      <SpokenText text={session.spoken.text} />
    </>
  );
}

const connectionWords = {
  connecting: 'Connecting …',
  live: 'Live',
  polling: 'Every 2 seconds',
  offline: 'No connection',
} as const;

function ConnectionState({ session }: { session: Session }) {
  const connection = useStore(session.connection);
  return (
    <p class={`connection ${connection}`} role="status">
      {connectionWords[connection]}
    </p>
  );
}
