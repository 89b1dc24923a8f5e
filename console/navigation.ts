import { Store } from './store.ts';

/** A page of the console. */
export type Place = { at: 'rooms' } | { at: 'room'; room: string } | { at: 'recordings' };

/** The place in the address bar: `/rooms/demo`, `/recordings`; what is none leads to the list of rooms. */
export function placeIn(path: string): Place {
  if (path === '/recordings') return { at: 'recordings' };
  const name = /^\/rooms\/([^/]+)$/.exec(path)?.[1];
  if (name === undefined) return { at: 'rooms' };
  try {
    return { at: 'room', room: decodeURIComponent(name) };
  } catch {
    return { at: 'rooms' };
  }
}

export function pathOf(place: Place): string {
  if (place.at === 'recordings') return '/recordings';
  return place.at === 'rooms' ? '/' : `/rooms/${encodeURIComponent(place.room)}`;
}

/** Where we are, kept with the browser's history. */
export function openNavigation(): { readonly place: Store<Place>; go(place: Place): void } {
  const place = new Store(placeIn(location.pathname));
  addEventListener('popstate', () => place.set(placeIn(location.pathname)));
  return {
    place,
    go(next) {
      if (pathOf(next) !== pathOf(place.get())) history.pushState(null, '', pathOf(next));
      place.set(next);
    },
  };
}
