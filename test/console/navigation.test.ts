import { describe, expect, test } from 'vitest';
import { type Place, pathOf, placeIn } from '../../console/navigation.ts';

describe('places of the console', () => {
  test.each<[string, Place]>([
    ['/', { at: 'rooms' }],
    ['/recordings', { at: 'recordings' }],
    ['/rooms/demo', { at: 'room', room: 'demo' }],
    ['/rooms/a%20b%2Fc', { at: 'room', room: 'a b/c' }],
    ['/rooms/recordings', { at: 'room', room: 'recordings' }],
  ])('%s', (path, place) => {
    expect(placeIn(path)).toEqual(place);
    expect(pathOf(place)).toBe(path);
  });

  test('what is no place leads to the list of rooms', () => {
    for (const path of ['/rooms/', '/rooms/%E0%A4%A', '/recordings/one', '/nowhere']) {
      expect(placeIn(path)).toEqual({ at: 'rooms' });
    }
  });
});
