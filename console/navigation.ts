import { Store } from './store.ts';

/** The room in the address bar, `/rooms/demo`; null for the list of rooms. */
export function roomIn(path: string): string | null {
  const name = /^\/rooms\/([^/]+)$/.exec(path)?.[1];
  if (name === undefined) return null;
  try {
    return decodeURIComponent(name);
  } catch {
    return null;
  }
}

export const pathOf = (room: string | null): string => (room === null ? '/' : `/rooms/${encodeURIComponent(room)}`);

/** Where we are, kept with the browser's history. */
export function openNavigation(): { readonly room: Store<string | null>; go(room: string | null): void } {
  const room = new Store(roomIn(location.pathname));
  addEventListener('popstate', () => room.set(roomIn(location.pathname)));
  return {
    room,
    go(name) {
      if (name !== room.get()) history.pushState(null, '', pathOf(name));
      room.set(name);
    },
  };
}
