import { Icon } from './icons.tsx';
import { type Store, useStore } from './store.ts';

/** What went wrong; the place for it is always there, as screen readers want it. */
export function ProblemNotice({ problem }: { problem: Store<string | null> }) {
  const text = useStore(problem);
  return (
    <div class="notices" role="alert">
      {text !== null && (
        <div class="notice">
          <p>{text}</p>
          <button type="button" class="quiet" onClick={() => problem.set(null)}>
            <Icon name="close" />
            <span class="unseen">Close this message</span>
          </button>
        </div>
      )}
    </div>
  );
}

/** For screen readers alone, between other things. */
export function SpokenText({ text }: { text: Store<string> }) {
  const said = useStore(text);
  return (
    <div class="unseen" aria-live="polite" data-testid="spoken">
      {said}
    </div>
  );
}
