/** What of a name is shown. Names come from the network: they may be anything. */

/** Longer ones are cut before they are drawn; so much fits nowhere. */
const LONGEST = 120;
const DIGITS_OF_NUMBER = 2;
/** Pictographs, which no font of ours has, and what joins and varies them. */
const PICTOGRAPHS =
  /\u200D?(?:\p{Extended_Pictographic}|\p{Regional_Indicator}|\p{Emoji_Modifier})|[\u20E3\uFE0E\uFE0F]|[\u{E0020}-\u{E007F}]/gu;
/** Pictographs by their property, letters by use. */
const LETTERLIKE = /[©®™]/u;
/** Control characters, and marks that turn the direction of what follows. */
const INVISIBLE = /[\p{Cc}\p{Cs}\p{Co}\p{Cn}\u200B\u200E\u200F\u202A-\u202E\u2060-\u206F\uFEFF]/gu;
const IN_BRACKETS = /\([^)]*\)|\[[^\]]*\]|<[^>]*>/g;
const PHONE_NUMBER = /^(?:tel:)?[+*#\d][\d\s().*#/-]*$/;
const TITLE = /^(?:dr|prof|mr|mrs|ms|herr|frau|ing|dipl)\.?$/i;

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** On one line, without what cannot be drawn. */
export function shownName(name: string): string {
  const clean = name
    .slice(0, 4 * LONGEST)
    .replace(/\s+/gu, ' ')
    .replace(INVISIBLE, '')
    .replace(PICTOGRAPHS, (character) => (LETTERLIKE.test(character) ? character : ''))
    .replace(/ {2,}/g, ' ')
    .trim();
  return clean.length <= LONGEST ? clean : Array.from(clean).slice(0, LONGEST).join('');
}

/** Of the first and the last name, or the last digits of a telephone number; empty: there is nothing to take. */
export function initialsOf(name: string): string {
  const shown = shownName(name).replace(/^sips?:/i, '');
  if (PHONE_NUMBER.test(shown)) return shown.replace(/\D/g, '').slice(-DIGITS_OF_NUMBER);
  const user = shown.includes(' ') ? shown : shown.replace(/@.*$/, '');
  const words = user
    .replace(IN_BRACKETS, ' ')
    .split(/[\s,;/_."'„“”«»]+/u)
    .filter((word) => /[\p{L}\p{N}]/u.test(word));
  const named = words.filter((word) => !TITLE.test(word));
  const [first, ...others] = named.length > 0 ? named : words;
  const last = others.at(-1);
  return firstLetter(first) + firstLetter(last);
}

function firstLetter(word: string | undefined): string {
  if (word === undefined) return '';
  for (const { segment } of graphemes.segment(word)) {
    // Some letters become two when they are large, such as ß.
    if (/^[\p{L}\p{N}]/u.test(segment)) return Array.from(segment.toUpperCase())[0] ?? '';
  }
  return '';
}
