import { beforeEach, describe, expect, it } from 'vitest';
import { Presenter } from '../../server/rooms/presenter.ts';
import { seededRandom } from '../sdp/random-description.ts';

let presenter: Presenter;

beforeEach(() => {
  presenter = new Presenter();
});

describe('those who just send slides', () => {
  it('are shown as they begin, the newest first; when it ends, the one before who still sends', () => {
    expect(presenter.current).toBeNull();
    presenter.told('a', true);
    presenter.told('b', true);
    expect(presenter.current).toBe('b');
    // Nothing new.
    presenter.told('a', true);
    expect(presenter.current).toBe('b');
    presenter.told('b', false);
    expect(presenter.current).toBe('a');
    presenter.told('b', true);
    presenter.left('a');
    expect(presenter.current).toBe('b');
    presenter.left('b');
    expect(presenter.current).toBeNull();
  });

  it('take the floor from a phone that has it', () => {
    presenter.asksFirst('phone', true);
    presenter.giveFloor('phone');
    presenter.told('phone', true);
    expect([presenter.current, presenter.floor]).toEqual(['phone', 'phone']);
    presenter.told('a', true);
    expect([presenter.current, presenter.floor]).toEqual(['a', null]);
    presenter.told('a', false);
    expect(presenter.current).toBeNull();
  });
});

describe('a phone that asks for the floor', () => {
  beforeEach(() => presenter.asksFirst('phone', true));

  it('is shown only while having it', () => {
    presenter.told('phone', true);
    expect(presenter.current).toBeNull();
    presenter.giveFloor('phone');
    expect(presenter.current).toBe('phone');
    presenter.giveFloor(null);
    expect(presenter.current).toBeNull();
  });

  it('is shown once its slides come: until then those of others are', () => {
    presenter.told('a', true);
    presenter.giveFloor('phone');
    expect([presenter.current, presenter.floor]).toEqual(['a', 'phone']);
    presenter.told('phone', true);
    expect(presenter.current).toBe('phone');
    // They stop for a moment, and go on.
    presenter.told('phone', false);
    expect([presenter.current, presenter.floor]).toEqual(['a', 'phone']);
    presenter.told('phone', true);
    expect(presenter.current).toBe('phone');
    presenter.giveFloor(null);
    expect(presenter.current).toBe('a');
  });

  it('gives way to another that gets it', () => {
    presenter.asksFirst('other', true);
    presenter.giveFloor('phone');
    presenter.told('phone', true);
    presenter.giveFloor('other');
    expect(presenter.current).toBeNull();
    presenter.told('other', true);
    expect(presenter.current).toBe('other');
  });

  it('has lost it when it leaves', () => {
    presenter.giveFloor('phone');
    presenter.left('phone');
    expect(presenter.floor).toBeNull();
    // In another room, or in another call: nothing is known of it.
    presenter.told('phone', true);
    expect(presenter.current).toBe('phone');
  });

  it('need not ask any more, once it has no floor control', () => {
    presenter.told('phone', true);
    presenter.asksFirst('phone', false);
    presenter.told('phone', false);
    presenter.told('phone', true);
    expect(presenter.current).toBe('phone');
  });
});

it('never shows one who sends nothing, or must ask and has not the floor', () => {
  const random = seededRandom(7);
  const ids = ['a', 'b', 'c', 'd'];
  const [sending, asking] = [new Set<string>(), new Set<string>()];
  const note = (set: Set<string>, id: string, is: boolean): boolean => (is ? set.add(id) : set.delete(id)) !== false;
  for (let step = 0; step < 20_000; step++) {
    const id = ids[Math.floor(random() * ids.length)]!;
    const [kind, is] = [random(), random() < 0.5];
    if (kind < 0.4) {
      note(sending, id, is);
      presenter.told(id, is);
    } else if (kind < 0.5) {
      note(asking, id, is);
      presenter.asksFirst(id, is);
    } else if (kind < 0.9) {
      presenter.giveFloor(is && asking.has(id) ? id : null);
    } else {
      sending.delete(id);
      asking.delete(id);
      presenter.left(id);
    }
    const { current, floor } = presenter;
    if (current === null) continue;
    expect(sending.has(current)).toBe(true);
    expect(!asking.has(current) || current === floor).toBe(true);
  }
});
