type Places = readonly (string | null)[];

/** With that one at place `at`, from 0; null: at none. Who was there goes where they were, if they had a place. */
export function placesWith(places: Places, id: string, at: number | null): (string | null)[] {
  const next = [...places];
  const own = next.indexOf(id);
  if (own !== -1) next[own] = at === null ? null : (next[at] ?? null);
  if (at !== null) {
    while (next.length < at) next.push(null);
    next[at] = id;
  }
  while (next.length > 0 && next.at(-1) === null) next.pop();
  return next;
}
