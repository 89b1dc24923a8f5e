import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { assetsDirectory } from '../../server/prompts/assets-directory.ts';
import { LARGEST_NUMBER, numberIds } from '../../server/prompts/numbers.ts';
import type { Language } from '../../server/rooms/policy.ts';

const texts = (language: Language): Record<string, string> =>
  JSON.parse(readFileSync(join(assetsDirectory(), 'prompts', language, 'prompts.json'), 'utf8'));
const TEXTS = { en: texts('en'), de: texts('de') };

/** What the prompts say, one after the other; German numbers are one word. */
function said(language: Language, n: number): string {
  const words = numberIds(language, n).map((id) => TEXTS[language][id]?.replace(/,$/, '') ?? `(no ${id})`);
  return words.join(language === 'en' ? ' ' : '');
}

const KNOWN: [n: number, en: string, de: string][] = [
  [0, 'zero', 'null'],
  [1, 'one', 'eins'],
  [7, 'seven', 'sieben'],
  [10, 'ten', 'zehn'],
  [11, 'eleven', 'elf'],
  [12, 'twelve', 'zwölf'],
  [14, 'fourteen', 'vierzehn'],
  [16, 'sixteen', 'sechzehn'],
  [17, 'seventeen', 'siebzehn'],
  [20, 'twenty', 'zwanzig'],
  [21, 'twenty-one', 'einundzwanzig'],
  [30, 'thirty', 'dreißig'],
  [40, 'forty', 'vierzig'],
  [67, 'sixty-seven', 'siebenundsechzig'],
  [71, 'seventy-one', 'einundsiebzig'],
  [99, 'ninety-nine', 'neunundneunzig'],
  [100, 'one hundred', 'einhundert'],
  [101, 'one hundred and one', 'einhunderteins'],
  [105, 'one hundred and five', 'einhundertfünf'],
  [110, 'one hundred and ten', 'einhundertzehn'],
  [321, 'three hundred and twenty-one', 'dreihunderteinundzwanzig'],
  [999, 'nine hundred and ninety-nine', 'neunhundertneunundneunzig'],
  [1000, 'one thousand', 'eintausend'],
  [1001, 'one thousand and one', 'eintausendeins'],
  [1100, 'one thousand one hundred', 'eintausendeinhundert'],
  [1212, 'one thousand two hundred and twelve', 'eintausendzweihundertzwölf'],
  [7070, 'seven thousand and seventy', 'siebentausendsiebzig'],
  [9999, 'nine thousand nine hundred and ninety-nine', 'neuntausendneunhundertneunundneunzig'],
  [10_000, 'ten thousand', 'zehntausend'],
];

describe('a spoken number', () => {
  it.each(KNOWN)('%i is "%s" and "%s"', (n, en, de) => {
    expect(said('en', n)).toBe(en);
    expect(said('de', n)).toBe(de);
  });

  it('has a prompt for each part, and is like no other, from 0 to the largest', () => {
    for (const language of ['en', 'de'] as const) {
      const all = new Set<string>();
      for (let n = 0; n <= LARGEST_NUMBER; n++) {
        const text = said(language, n);
        expect(text).not.toContain('(no ');
        all.add(text);
      }
      expect(all.size).toBe(LARGEST_NUMBER + 1);
    }
  });

  it.each([-1, 1.5, 10_001, Number.NaN, Number.POSITIVE_INFINITY])('cannot be %d', (n) => {
    expect(() => numberIds('en', n)).toThrow(/whole numbers from 0 to 10000 can be said/);
  });
});
