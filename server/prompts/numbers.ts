/** Numbers as one says them, put together from files: `number-0` to `number-99`, hundreds and thousands. */

import type { Language } from '../rooms/policy.ts';

/** As many as a room can hold. */
export const LARGEST_NUMBER = 10_000;

/**
 * Ids of the prompts that say a number: `number-300-and`, `number-14` for "three hundred and fourteen" (English is
 * British, with "and"); `number-300`, `number-14` for "dreihundert vierzehn".
 *
 * @param n whole, 0 to `LARGEST_NUMBER`
 * @throws RangeError for any other
 */
export function numberIds(language: Language, n: number): string[] {
  if (!Number.isInteger(n) || n < 0 || n > LARGEST_NUMBER) {
    throw new RangeError(`only whole numbers from 0 to ${LARGEST_NUMBER} can be said, not ${n}`);
  }
  const belowHundred = n % 100;
  const hundreds = (n % 1000) - belowHundred;
  const thousands = n - hundreds - belowHundred;
  /** "and" stands once, before what is below a hundred. */
  const and = language === 'en' && belowHundred > 0 ? '-and' : '';
  const ids: string[] = [];
  if (thousands > 0) ids.push(`number-${thousands}${hundreds > 0 ? '' : and}`);
  if (hundreds > 0) ids.push(`number-${hundreds}${and}`);
  if (belowHundred > 0 || n === 0) ids.push(`number-${belowHundred}`);
  return ids;
}
