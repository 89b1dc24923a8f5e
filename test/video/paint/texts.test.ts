import { describe, expect, it } from 'vitest';
import { Texts } from '../../../mixer/video/paint/texts.ts';
import { PretendedTexts } from './pretended.ts';

describe('texts', () => {
  it('are drawn once, one after the other', async () => {
    const renderer = new PretendedTexts();
    const texts = new Texts(renderer);
    for (let frame = 0; frame < 3; frame++) {
      expect(texts.get('Anna', 20, 100, false)).toBeNull();
      expect(texts.get('Anna', 20, 100, true)).toBeNull();
    }
    await texts.written();
    expect(texts.get('Anna', 20, 100, false)).toMatchObject({ width: 40, height: 20 });
    expect(texts.get('Anna', 20, 100, true)).toMatchObject({ width: 40, height: 20 });
    expect(renderer.drawn).toEqual(['Anna', 'Anna']);
    expect(renderer.mostAtATime).toBe(1);
  });

  it('that fail are left out, and not tried again', async () => {
    const renderer = new PretendedTexts();
    renderer.fails = true;
    const texts = new Texts(renderer);
    expect(texts.get('Anna', 20, 100, false)).toBeNull();
    await texts.written();
    expect(texts.get('Anna', 20, 100, false)).toMatchObject({ width: 0 });
    expect(renderer.drawn.length).toBe(1);
  });

  it('are kept in a bounded number, those asked for last', async () => {
    const renderer = new PretendedTexts();
    const texts = new Texts(renderer);
    const ask = async (name: string) => {
      texts.get(name, 20, 100, false);
      await texts.written();
    };
    await ask('first');
    for (let index = 0; index < 999; index++) await ask(`${index}`);
    expect(texts.get('first', 20, 100, false)).not.toBeNull();
    await ask('one more');
    expect(texts.get('first', 20, 100, false)).not.toBeNull();
    expect(texts.get('0', 20, 100, false)).toBeNull();
  });

  it('do not pile up when more are asked for than can be drawn', () => {
    const renderer = new PretendedTexts();
    renderer.hangs = true;
    const texts = new Texts(renderer);
    const given = Array.from({ length: 3000 }, (_, index) => texts.get(`${index}`, 20, 100, false));
    expect(given.filter((text) => text === null).length).toBe(1001);
    texts.close();
    expect(renderer.closed).toBe(true);
    expect(texts.get('x', 20, 100, false)).toMatchObject({ width: 0 });
  });

  it('are nothing where nothing is to be written', () => {
    const renderer = new PretendedTexts();
    const texts = new Texts(renderer);
    expect(texts.get('', 20, 100, false)).toMatchObject({ width: 0 });
    expect(texts.get('a', 20, 0, false)).toMatchObject({ width: 0 });
    expect(renderer.drawn).toEqual([]);
  });
});
