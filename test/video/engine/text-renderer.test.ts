import { afterAll, describe, expect, it } from 'vitest';
import type { TextBitmap } from '../../../mixer/video/engine/text-renderer.ts';
import { graphemes, printable } from '../../../mixer/video/engine/text-shape.ts';
import { engine } from './some-engine.ts';

const renderer = engine.textRenderer(null);
afterAll(() => renderer.close());

const draw = (text: string, maxWidth = 400, bold = false) => renderer.render(text, 28, maxWidth, bold);
const ink = ({ alpha }: TextBitmap) => alpha.reduce((sum, value) => sum + value, 0) / 255;

describe('a text', () => {
  it('is as high as asked for, as wide as it needs, and as strong as can be', async () => {
    const bitmap = await draw('Ångström, Jäger & Co');
    expect(bitmap.height).toBe(28);
    expect(bitmap.width).toBeGreaterThan(150);
    expect(bitmap.width).toBeLessThan(400);
    expect(bitmap.alpha).toHaveLength(bitmap.width * bitmap.height);
    expect(Math.max(...bitmap.alpha)).toBe(255);
    // Neither the ring of the Å nor what hangs below the line is cut.
    expect(Math.max(...bitmap.alpha.subarray(0, bitmap.width))).toBe(0);
    expect(Math.max(...bitmap.alpha.subarray(27 * bitmap.width))).toBe(0);
  });

  it('is the same each time, and stronger in bold', async () => {
    expect(await draw('Alice')).toEqual(await draw('Alice'));
    expect(ink(await draw('Alice', 400, true))).toBeGreaterThan(1.2 * ink(await draw('Alice')));
  });

  it('stands on the same line whatever its letters', async () => {
    const lowest = ({ width, height, alpha }: TextBitmap) => {
      let y = height - 1;
      while (y > 0 && !alpha.subarray(y * width, (y + 1) * width).some((value) => value > 128)) y--;
      return y;
    };
    const lines = await Promise.all(['x', 'H', 'Ä', 'i'].map((text) => draw(text).then(lowest)));
    expect(new Set(lines).size).toBe(1);
  });

  it('ends in … where it is too long, and uses the room', async () => {
    const name = 'Bartholomäus von und zu Unterwaldhausen-Oberndorf';
    for (const width of [40, 100, 217, 380]) {
      const bitmap = await draw(name, width);
      expect(bitmap.width).toBeLessThanOrEqual(width);
      expect(bitmap.width).toBeGreaterThan(width - 30);
    }
    expect((await draw(name, 2000)).width).toBeGreaterThan(500);
    expect(await draw(name, 3)).toEqual({ width: 0, height: 0, alpha: new Uint8Array(0) });
    expect((await draw('W'.repeat(100_000), 200)).width).toBeLessThanOrEqual(200);
    expect((await draw('i'.repeat(100_000), 200)).width).toBeGreaterThan(170);
  });

  it('is nothing where there is nothing to see', async () => {
    for (const text of ['', '   ', '\n\t\u0000', '\u202E\u2066', '\u200B'])
      expect(await draw(text)).toEqual({ width: 0, height: 0, alpha: new Uint8Array(0) });
    expect((await draw('x', 0)).width).toBe(0);
    expect((await renderer.render('x', 0, 100, false)).width).toBe(0);
    expect((await renderer.render('x', Number.NaN, 100, false)).width).toBe(0);
  });

  it.each([
    ['%{gmtime} %{pts} %{e:1} \\ \' " : , ; [ ] =', '%{gmtime} %{pts} %{e:1} \\ \' " : , ; [ ] ='],
    ["':textfile=/etc/passwd:x='", "':textfile=/etc/passwd:x='"],
  ])('is written as it stands: %s', async (text, shown) => {
    const whole = await draw(text, 2000);
    const letters = await Promise.all([...shown.replaceAll(' ', '')].map((letter) => draw(letter)));
    // Side by side they have the ink of all of them.
    expect(ink(whole)).toBeCloseTo(
      letters.reduce((sum, letter) => sum + ink(letter), 0),
      -2,
    );
    expect(whole.width).toBeGreaterThan(200);
  });

  it.each([
    '日本語の名前',
    'مرحبا بالعالم',
    'שלום',
    '😀👨‍👩‍👧‍👦',
    '\uD800\uDC00x\uD800',
    'e\u0301'.repeat(40),
    '\uFFFE\uFFFF',
    'नमस्ते',
  ])('may be in any script: %s', async (text) => {
    const bitmap = await draw(text, 4000);
    expect(bitmap.alpha).toHaveLength(bitmap.width * bitmap.height);
    expect(bitmap.width).toBeLessThan(1000);
  });

  it('is written from right to left where it is', async () => {
    const columns = ({ width, height, alpha }: TextBitmap, count: number) =>
      Array.from({ length: height }, (_, y) => [...alpha.subarray(y * width, y * width + count)]).flat();
    const likeness = async (text: string, letter: string) => {
      const last = await draw(letter);
      const [found, wanted] = [columns(await draw(text), last.width), columns(last, last.width)];
      // But for the shade of a pixel here and there.
      return found.filter((value, at) => Math.abs(value - wanted[at]!) < 64).length / found.length;
    };
    // What stands first of all is the last letter, other than in Latin.
    expect(await likeness('שם', 'ם')).toBeGreaterThan(0.9);
    expect(await likeness('שם', 'ש')).toBeLessThan(0.9);
    expect(await likeness('WE', 'W')).toBeGreaterThan(0.9);
  });

  it('of random characters never harms', async () => {
    for (let i = 0; i < 60; i++) {
      const points = Array.from({ length: 12 }, (_, at) => (i * 7919 + at * 104_729 * (i + 1)) % 0x110000);
      const bitmap = await draw(String.fromCodePoint(...points), 300);
      expect(bitmap.width).toBeLessThanOrEqual(300);
    }
  });

  it('takes the font that comes along where another one cannot be read, and says so', async () => {
    const without = engine.textRenderer('/nowhere/font.ttf');
    expect(without.fontProblem).toMatch(/\/nowhere\/font.ttf/);
    expect(await without.render('x', 28, 100, false)).toEqual(await draw('x', 100));
    without.close();
    expect(renderer.fontProblem).toBeNull();
  });
});

describe('what is printed of a name', () => {
  it.each([
    ['  Alice\r\nBob\u0000 ', 'Alice Bob'],
    ['\u202Eevil', 'evil'],
    ['a\u0301\u0302\u0303\u0304\u0305\u0306\u0307', 'á\u0302\u0303\u0304\u0305'],
    ['क्‍ष', 'क्‍ष'],
    ['☎\uFE0F', '☎'],
  ])('%j is %j', (text, printed) => {
    expect(printable(text)).toBe(printed);
  });

  it('is counted in what is seen as one character', () => {
    expect(graphemes('e\u0301👨‍👩‍👧x', 10)).toEqual(['e\u0301', '👨‍👩‍👧', 'x']);
    expect(graphemes('abc', 2)).toEqual(['a', 'b']);
  });
});
