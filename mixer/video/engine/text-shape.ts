/** Nobody reads more of a name. */
const MOST_UNITS = 1000;

/** One line of what can be seen: without controls, without changes of direction, with few marks on one letter. */
export function printable(text: string): string {
  return text
    .slice(0, MOST_UNITS)
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .replace(/[\p{Cf}\p{Co}\p{Cn}\p{Variation_Selector}]/gu, (character) => (JOINERS.has(character) ? character : ''))
    .replace(/(\p{M}{4})\p{M}+/gu, '$1')
    .trim();
}

/** Some scripts are not written right without them. */
const JOINERS = new Set(['\u200C', '\u200D']);

const segmenter = new Intl.Segmenter();

/** What is seen as one character each, `most` at most. */
export function graphemes(text: string, most: number): string[] {
  const found: string[] = [];
  for (const { segment } of segmenter.segment(text)) {
    if (found.length >= most) break;
    found.push(segment);
  }
  return found;
}

/** Asks for lengths from 0 to `most` until the largest that fits has been asked for. */
export async function bestLength(most: number, fits: (length: number) => Promise<boolean>): Promise<void> {
  let [from, to] = [0, most];
  while (from <= to) {
    const middle = (from + to) >> 1;
    if (await fits(middle)) from = middle + 1;
    else to = middle - 1;
  }
}
