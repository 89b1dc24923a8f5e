import { describe, expect, it } from 'vitest';
import { Cast, SPEAKER_HOLD_MS } from '../../../mixer/video/layout/cast.ts';
import { SeededRandom } from '../../sim/seeded-random.ts';
import { person, sceneOf } from './scenes.ts';

const ALL = new Set(['a', 'b', 'c']);

describe('who is on screen as the speaker', () => {
  it('is the first at once, and stays two seconds', () => {
    const cast = new Cast();
    const say = (speaker: string | null, nowMs: number) =>
      cast.update(sceneOf(['a', 'b', 'c'], { speaker }), ALL, nowMs);
    expect(say(null, 0)).toBeNull();
    expect(cast.speaker).toBeNull();
    expect(say('a', 10)).toBeNull();
    expect(cast.speaker).toBe('a');
    expect(say('b', 500)).toBe(10 + SPEAKER_HOLD_MS);
    expect(cast.speaker).toBe('a');
    expect(say('b', 10 + SPEAKER_HOLD_MS)).toBeNull();
    expect(cast.spoke).toEqual(['b', 'a']);
  });

  it('does not change for a word between', () => {
    const cast = new Cast();
    const say = (speaker: string, nowMs: number) => cast.update(sceneOf(['a', 'b', 'c'], { speaker }), ALL, nowMs);
    say('a', 0);
    say('b', 700);
    expect(say('a', 900)).toBeNull();
    say('a', 5000);
    expect(cast.spoke).toEqual(['a']);
  });

  it('stays when nobody speaks', () => {
    const cast = new Cast();
    cast.update(sceneOf(['a', 'b'], { speaker: 'a' }), ALL, 0);
    cast.update(sceneOf(['a', 'b'], { speaker: null }), ALL, 60_000);
    expect(cast.speaker).toBe('a');
  });

  it('gives way at once by leaving, to who spoke before, who is not held', () => {
    const cast = new Cast();
    cast.update(sceneOf(['a', 'b', 'c'], { speaker: 'b' }), ALL, 0);
    cast.update(sceneOf(['a', 'b', 'c'], { speaker: 'a' }), ALL, 3000);
    cast.update(sceneOf(['b', 'c'], { speaker: null }), ALL, 3100);
    expect(cast.speaker).toBe('b');
    cast.update(sceneOf(['b', 'c'], { speaker: 'c' }), ALL, 3200);
    expect(cast.spoke).toEqual(['c', 'b']);
  });

  it('never changes twice within two seconds, whatever is said, and follows in the end', () => {
    const random = new SeededRandom(7);
    const cast = new Cast();
    let changedMs = Number.NEGATIVE_INFINITY;
    let shown: string | null = null;
    for (let nowMs = 0; nowMs < 600_000; nowMs += 40) {
      const speaker = ['a', 'b', 'c', null][Math.floor(random.fraction() * 4)]!;
      cast.update(sceneOf(['a', 'b', 'c'], { speaker }), ALL, nowMs);
      if (cast.speaker === shown) continue;
      expect(nowMs - changedMs).toBeGreaterThanOrEqual(SPEAKER_HOLD_MS);
      changedMs = nowMs;
      shown = cast.speaker;
    }
    expect(changedMs).toBeGreaterThan(590_000);
    const again = cast.update(sceneOf(['a', 'b', 'c'], { speaker: shown === 'c' ? 'a' : 'c' }), ALL, changedMs + 1);
    cast.update(sceneOf(['a', 'b', 'c'], { speaker: 'c' }), ALL, again!);
    expect(cast.speaker).toBe('c');
  });
});

describe('who is there', () => {
  it('says by its version when something has changed', () => {
    const cast = new Cast();
    const scene = sceneOf(['a', 'b']);
    cast.update(scene, new Set(['a']), 0);
    const { version } = cast;
    cast.update({ ...scene, title: 'other' }, new Set(['a', 'gone']), 40);
    expect(cast.version).toBe(version);
    cast.update(scene, new Set(['a', 'b']), 80);
    expect(cast.version).not.toBe(version);
    expect([...cast.withPicture]).toEqual(['a', 'b']);
  });

  it('takes no picture of a camera that is turned off, and no card of a listener', () => {
    const cast = new Cast();
    const listener = person('l', { hasCard: false });
    cast.update(sceneOf([person('a', { camera: false }), 'b', listener]), ALL, 0);
    expect([...cast.withPicture]).toEqual(['b']);
    expect(cast.present).toEqual(['a', 'b']);
    cast.update(sceneOf(['b', listener]), new Set(['l']), 40);
    expect(cast.present).toEqual(['b', 'l']);
  });
});
