import { z } from 'zod';

/** Lists come in pieces of at most so many. */
export const MAX_PAGE = 1000;

const decoded = (cursor: string) => Buffer.from(cursor, 'base64url').toString();

/** The query of every list. */
export const pageQuery = z.strictObject({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(MAX_PAGE)
    .default(MAX_PAGE)
    .meta({ description: 'How many to show at most.' }),
  cursor: z
    .string()
    .min(1)
    .refine((text) => Buffer.from(decoded(text)).toString('base64url') === text, 'This is no `nextCursor`.')
    .optional()
    .meta({ description: 'Goes on after the page that had this as `nextCursor`.' }),
});

export const nextCursor = z
  .string()
  .nullable()
  .meta({ description: 'For `cursor`, to get what follows; null when that was all.' });

export interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}

/**
 * The items after the cursor, by their keys in the order of code units. What comes and goes between two pages is in them
 * or not; what stays is shown once.
 * @param keyOf unique, and the same for good
 */
export function page<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  { limit, cursor }: z.output<typeof pageQuery>,
): Page<Item> {
  const after = cursor === undefined ? null : decoded(cursor);
  const keyed = items.map((item) => ({ key: keyOf(item), item }));
  const following = after === null ? keyed : keyed.filter(({ key }) => key > after);
  following.sort((a, b) => (a.key < b.key ? -1 : 1));
  const shown = following.slice(0, limit);
  const last = following.length > limit ? shown.at(-1) : undefined;
  return {
    items: shown.map(({ item }) => item),
    nextCursor: last ? Buffer.from(last.key).toString('base64url') : null,
  };
}
