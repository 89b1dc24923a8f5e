import { useEffect, useRef } from 'preact/hooks';
import { Icon } from './icons.tsx';

/** What the page is about, also for the tab. Has the focus at first: who came by a link is told where they are. */
export function PageHeading({ title, back }: { title: string; back: () => void }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} – Parley`;
    return () => {
      document.title = 'Parley';
    };
  }, [title]);
  useEffect(() => heading.current?.focus(), []);
  return (
    <>
      <button type="button" class="quiet back narrow-only" onClick={back}>
        <Icon name="back" /> All rooms
      </button>
      <h1 id="page-heading" ref={heading} tabIndex={-1}>
        {title}
      </h1>
    </>
  );
}
