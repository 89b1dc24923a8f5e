import { describe, expect, it } from 'vitest';
import { PERSON_COLOURS, personColour, yuv } from '../../../mixer/video/paint/colours.ts';
import { initialsOf, shownName } from '../../../mixer/video/paint/names.ts';

describe('initials', () => {
  it.each([
    ['Anna Lindqvist', 'AL'],
    ['anna', 'A'],
    ['Dr. Katharina von Hohenstein-Wallenberg', 'KH'],
    ['Béla  Kovács (Berlin)', 'BK'],
    ['émile zola', 'ÉZ'],
    ['ßeta', 'S'],
    ['李 伟', '李伟'],
    ['Иван Петров', 'ИП'],
    ['محمد علي', 'مع'],
    ['nurse.station@clinic.example', 'NS'],
    ['sip:alice@example.com', 'A'],
    ['"Bob"', 'B'],
    ['🎉 Party 🎉', 'P'],
    ['🎉🎉', ''],
    ['', ''],
    ['   ', ''],
    ['+49 30 901820', '20'],
    ['tel:+1-212-555-0143', '43'],
    ['7', '7'],
    ['*61', '61'],
    ['Dr.', 'D'],
    ['Room 5', 'R5'],
    ['((((', ''],
  ])('of %s are %s', (name, initials) => {
    expect(initialsOf(name)).toBe(initials);
  });
});

describe('names as shown', () => {
  it('are one line without what cannot be drawn', () => {
    expect(shownName(' Anna\n\tLind\u0000qvist ')).toBe('Anna Lindqvist');
    expect(shownName('Anna 👩🏽‍💻🇩🇪1️⃣')).toBe('Anna 1');
    expect(shownName('Acme™ 2*3#')).toBe('Acme™ 2*3#');
    expect(shownName('abc\u202Egpj.exe\u200B')).toBe('abcgpj.exe');
    expect(shownName('\uD800x')).toBe('x');
  });

  it('are never long, and take no time', () => {
    const before = process.cpuUsage();
    for (const part of ['a', '((', '𐍈', '👩🏽‍💻', '\u202E', 'e\u0301', ' .']) {
      expect(Array.from(shownName(part.repeat(100_000))).length).toBeLessThanOrEqual(120);
      expect(initialsOf(part.repeat(100_000)).length).toBeLessThanOrEqual(4);
    }
    // Of the processor: a busy machine may let it wait.
    expect(process.cpuUsage(before).user).toBeLessThan(1_000_000);
  });
});

describe('colours', () => {
  it('of persons are theirs on each machine, and not all the same', () => {
    expect(personColour('Anna Lindqvist')).toEqual(yuv(0xa8458f));
    const used = new Set(Array.from({ length: 200 }, (_, index) => JSON.stringify(personColour(`Person ${index}`))));
    expect(used.size).toBe(PERSON_COLOURS.length);
  });

  it('let white be read on them', () => {
    const linear = (value: number) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    for (const rgb of PERSON_COLOURS) {
      const [red, green, blue] = [rgb >> 16, (rgb >> 8) & 0xff, rgb & 0xff].map((value) => linear(value / 255));
      const luminance = 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
      expect(1.05 / (luminance + 0.05), rgb.toString(16)).toBeGreaterThanOrEqual(4.5);
    }
  });

  it('are those of BT.601, limited range', () => {
    expect(yuv(0x000000)).toEqual({ y: 16, u: 128, v: 128 });
    expect(yuv(0xffffff)).toEqual({ y: 235, u: 128, v: 128 });
    expect(yuv(0xff0000)).toEqual({ y: 81, u: 90, v: 240 });
    expect(yuv(0x00ff00)).toEqual({ y: 145, u: 54, v: 34 });
    expect(yuv(0x0000ff)).toEqual({ y: 41, u: 240, v: 110 });
  });
});
