import { describe, expect, test } from 'vitest';
import { placesWith } from '../../console/places.ts';

describe('fixed places', () => {
  test.each([
    ['the first of all', [], 'a', 0, ['a']],
    ['one behind free ones', [], 'a', 2, [null, null, 'a']],
    ['to a free one', ['a', null, 'b'], 'b', 1, ['a', 'b']],
    ['of somebody who had none, and loses it', ['a', 'b'], 'c', 1, ['a', 'c']],
    ['changed with who is there', ['a', 'b', 'c'], 'c', 0, ['c', 'b', 'a']],
    ['given up', ['a', 'b', 'c'], 'b', null, ['a', null, 'c']],
    ['given up, the last', [null, 'b'], 'b', null, []],
    ['given up by who has none', ['a'], 'b', null, ['a']],
  ] as const)('%s', (_, places, id, at, expected) => {
    expect(placesWith(places, id, at)).toEqual(expected);
  });
});
