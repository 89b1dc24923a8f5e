import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../sim/seeded-random.ts';
import { people, person, ShownRoom, sceneOf } from './scenes.ts';

describe('auto', () => {
  it('takes the layout that suits so many', () => {
    const room = new ShownRoom('auto', sceneOf([]));
    const shapes = [0, 1, 2, 3, 9, 10, 60].map((count) => {
      const tiles = room.tiles({ participants: people(count).map((leg) => person(leg)) });
      return [tiles.length, tiles.filter(({ large }) => large).length];
    });
    expect(shapes).toEqual([
      [0, 0],
      [1, 1],
      [2, 0],
      [3, 0],
      [9, 0],
      [9, 1],
      [9, 1],
    ]);
  });

  it('shows who is in the spotlight large', () => {
    const room = new ShownRoom('auto', sceneOf(people(5), { speaker: 'p1' }));
    expect(room.tiles()[0]!.large).toBe(false);
    expect(room.tiles({ spotlight: ['p3'] })[0]).toMatchObject({ leg: 'p3', large: true });
    const two = room.tiles({ spotlight: ['p3', 'p2', 'gone'] });
    expect(two.filter(({ large }) => large).map(({ leg }) => leg)).toEqual(['p3', 'p2']);
  });
});

describe('grid', () => {
  it('lets nobody move when somebody speaks', () => {
    const room = new ShownRoom('grid', sceneOf(people(9)));
    const before = room.show();
    for (const speaker of people(9)) expect(room.show({ speaker })).toEqual(before);
  });

  it('closes the place of who leaves, and puts who comes at the end', () => {
    const room = new ShownRoom('grid', sceneOf(people(5)));
    room.show();
    expect(room.show({ participants: ['p0', 'p2', 'p3', 'p4'].map((leg) => person(leg)) })).toEqual([
      'p0',
      'p2',
      'p3',
      'p4',
    ]);
    const come = ['p0', 'p2', 'p3', 'p4', 'p9'].map((leg) => person(leg));
    expect(room.show({ participants: come })).toEqual(['p0', 'p2', 'p3', 'p4', 'p9']);
    const changed = ['p0', 'p3', 'p4', 'p9', 'p8'].map((leg) => person(leg));
    expect(room.show({ participants: changed })).toEqual(['p0', 'p8', 'p3', 'p4', 'p9']);
  });

  it('shows pictures before cards, and moves nobody for a picture that stops', () => {
    const room = new ShownRoom('grid', sceneOf(people(4)));
    room.pictures = ['p1', 'p3'];
    expect(room.show()).toEqual(['p1', 'p3', 'p0', 'p2']);
    room.pictures = ['p1', 'p2', 'p3'];
    expect(room.show()).toEqual(['p1', 'p3', 'p2', 'p0']);
    room.pictures = ['p2', 'p3'];
    expect(room.show()).toEqual(['p1', 'p3', 'p2', 'p0']);
    room.pictures = ['p1', 'p2', 'p3'];
    expect(room.show()).toEqual(['p1', 'p3', 'p2', 'p0']);
    const participants = [...people(4), 'p7'].map((leg) => person(leg));
    room.pictures = ['p1', 'p2', 'p3', 'p7'];
    expect(room.show({ participants })).toEqual(['p1', 'p3', 'p2', 'p7', 'p0']);
  });

  it('shows 49 of many: who speaks takes the place of who was silent longest', () => {
    const room = new ShownRoom('grid', sceneOf(people(60)));
    const before = room.show();
    expect(before).toEqual(people(49));
    for (const speaker of people(48)) room.show({ speaker });
    const after = room.show({ speaker: 'p55' });
    expect(after).toEqual(before.map((leg) => (leg === 'p48' ? 'p55' : leg)));
    const later = room.show({ speaker: 'p56' });
    expect(later).toEqual(after.map((leg) => (leg === 'p0' ? 'p56' : leg)));
  });

  it('shows who is in the spotlight first, and puts them back afterwards', () => {
    const room = new ShownRoom('grid', sceneOf(people(5)));
    expect(room.show({ spotlight: ['p3', 'p1'] })).toEqual(['p3', 'p1', 'p0', 'p2', 'p4']);
    expect(room.show({ spotlight: [] })).toEqual(people(5));
  });

  it('leaves out who does not want to see themselves', () => {
    const room = new ShownRoom('grid', sceneOf(people(4), { spotlight: ['p2'] }), 'p2');
    expect(room.show()).toEqual(['p0', 'p1', 'p3']);
  });

  it('changes at most as many places as people change, whatever happens', () => {
    const random = new SeededRandom(3);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random.fraction() * from.length)]!;
    const room = new ShownRoom('grid', sceneOf(people(20)));
    let before = room.show();
    for (let step = 0; step < 500; step++) {
      const legs = room.scene.participants.map(({ leg }) => leg);
      const leaves = legs.length > 2 && random.fraction() < 0.5 ? pick(legs) : null;
      const comes = leaves === null && legs.length < 45 ? `q${step}` : null;
      const now = [...legs.filter((leg) => leg !== leaves), ...(comes === null ? [] : [comes])];
      const after = room.show({ participants: now.map((leg) => person(leg)), speaker: pick(now) }, 100);
      expect(after).toEqual([...before.filter((leg) => leg !== leaves), ...(comes === null ? [] : [comes])]);
      before = after;
    }
  });
});

describe('fixed places', () => {
  it('are kept, also for who is not there', () => {
    const room = new ShownRoom('auto', sceneOf(people(4)));
    expect(room.show({ places: ['p3', null, 'gone', 'p0'] })).toEqual(['p3', 'p1', null, 'p0', 'p2']);
    const fewer = ['p0', 'p3'].map((leg) => person(leg));
    expect(room.show({ participants: fewer })).toEqual(['p3', null, null, 'p0']);
  });

  it('are good for both sides, and for no one twice', () => {
    const room = new ShownRoom('side-by-side', sceneOf(people(4), { speaker: 'p3' }));
    expect(room.show({ places: ['p2', null] })).toEqual(['p2', 'p3']);
    expect(room.show({ places: ['p2', 'p2', 'p1'] })).toEqual(['p2', 'p3']);
    expect(room.show({ places: [null, 'p1', 'p0'] })).toEqual(['p3', 'p1']);
  });

  it('are 49 at most', () => {
    const room = new ShownRoom('grid', sceneOf(people(70), { places: people(70).reverse() }));
    expect(room.show()).toEqual(people(70).reverse().slice(0, 49));
  });
});

describe('speaker', () => {
  it('changes places with who spoke before; all others stay', () => {
    const room = new ShownRoom('speaker', sceneOf(people(6)));
    expect(room.show({ speaker: 'p2' })).toEqual(['p2', 'p0', 'p1', 'p3', 'p4', 'p5']);
    expect(room.show({ speaker: 'p4' })).toEqual(['p4', 'p0', 'p1', 'p3', 'p2', 'p5']);
    expect(room.show({ speaker: 'p0' }, 100)).toEqual(['p4', 'p0', 'p1', 'p3', 'p2', 'p5']);
    expect(room.show({}, 2000)).toEqual(['p0', 'p4', 'p1', 'p3', 'p2', 'p5']);
  });

  it('has eight in the strip, of many, and those who spoke last among them', () => {
    const room = new ShownRoom('speaker', sceneOf(people(30)));
    for (const speaker of ['p20', 'p21', 'p22']) room.show({ speaker });
    const shown = room.show({ speaker: 'p23' });
    expect(shown.length).toBe(9);
    expect(shown[0]).toBe('p23');
    expect(shown).toEqual(expect.arrayContaining(['p20', 'p21', 'p22']));
  });

  it('shows who speaks without a picture, too, but begins with who has one', () => {
    const room = new ShownRoom('speaker', sceneOf(people(20)));
    room.pictures = people(20).slice(5);
    expect(room.show()[0]).toBe('p5');
    expect(room.show({ speaker: 'p1' })[0]).toBe('p1');
    expect(room.show({ speaker: 'p6' })).toContain('p1');
  });

  it('is who spoke before, for the speaker who does not see themselves', () => {
    const scene = sceneOf(people(4));
    const room = new ShownRoom('speaker', scene, 'p1');
    room.show({ speaker: 'p3' });
    expect(room.show({ speaker: 'p1' })).toEqual(['p3', 'p0', 'p2']);
  });
});

describe('two of many', () => {
  it('stay on their side while the other changes', () => {
    const room = new ShownRoom('side-by-side', sceneOf(people(5)));
    expect(room.show({ speaker: 'p0' })).toEqual(['p0', 'p1']);
    expect(room.show({ speaker: 'p1' })).toEqual(['p0', 'p1']);
    expect(room.show({ speaker: 'p2' })).toEqual(['p2', 'p1']);
    expect(room.show({ speaker: 'p3' })).toEqual(['p2', 'p3']);
  });

  it('are large and small with picture-in-picture', () => {
    const room = new ShownRoom('picture-in-picture', sceneOf(people(5)));
    room.show({ speaker: 'p2' });
    expect(room.show({ speaker: 'p4' })).toEqual(['p4', 'p2']);
    expect(room.show({ spotlight: ['p0'] })).toEqual(['p0', 'p4']);
  });
});

describe('slides', () => {
  it('come first, with a strip of people', () => {
    const room = new ShownRoom('grid', sceneOf(people(20), { slides: 'p1' }));
    expect(room.show().length).toBe(20);
    room.slidesAspect = 4 / 3;
    const tiles = room.tiles({ speaker: 'p19' });
    expect(tiles[0]).toMatchObject({ leg: 'p1', kind: 'slides' });
    expect(tiles.length).toBe(9);
    expect(tiles.map(({ leg }) => leg)).toContain('p19');
  });

  it('have only who speaks beside them in the layouts of two, and nobody in that of one', () => {
    const shown = (['single', 'side-by-side', 'picture-in-picture'] as const).map((layout) => {
      const room = new ShownRoom(layout, sceneOf(people(4), { slides: 'p1', speaker: 'p2' }));
      room.slidesAspect = 16 / 9;
      return room.show();
    });
    expect(shown).toEqual([['p1'], ['p1', 'p2'], ['p1', 'p2']]);
  });
});

it('gives the same tiles again until something changes', () => {
  const room = new ShownRoom('grid', sceneOf(people(4)));
  const tiles = room.tiles();
  expect(
    room.tiles({ title: 'other', participants: room.scene.participants.map((one) => ({ ...one, talking: true })) }),
  ).toBe(tiles);
  expect(room.tiles({ participants: people(5).map((leg) => person(leg)) })).not.toBe(tiles);
});
