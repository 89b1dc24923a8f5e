import { describe, expect, it } from 'vitest';
import { type KeyMeans, PressedKeys } from '../../server/focus/pressed-keys.ts';

type Told = readonly [atMs: number, key: string, means: KeyMeans, durationMs?: number];

/** The moments at which a key counted. */
function counted(...told: Told[]): number[] {
  const keys = new PressedKeys();
  return told.flatMap(([atMs, key, means, durationMs = 100]) =>
    keys.isNew(key, means, durationMs, atMs) ? [atMs] : [],
  );
}

describe('a key', () => {
  it('that comes by INFO and in the media counts once, whichever comes first', () => {
    expect(counted([0, '5', 'info'], [150, '5', 'media'])).toEqual([0]);
    expect(counted([0, '5', 'media'], [450, '5', 'info', 0])).toEqual([0]);
  });

  it('pressed again after 300 ms counts again, by one means or by both', () => {
    expect(counted([0, '5', 'media'], [300, '5', 'media'])).toEqual([0, 300]);
    expect(counted([0, '5', 'info'], [300, '5', 'info'])).toEqual([0, 300]);
    expect(
      counted([0, '5', 'info'], [120, '5', 'media'], [300, '5', 'info'], [420, '5', 'media'], [600, '5', 'media']),
    ).toEqual([0, 300, 600]);
    expect(
      counted([0, '5', 'info'], [300, '5', 'info'], [320, '5', 'media'], [620, '5', 'media'], [900, '5', 'info']),
    ).toEqual([0, 300, 900]);
  });

  it('is not taken for another one', () => {
    expect(counted([0, '5', 'info'], [100, '6', 'media'], [200, '5', 'media'])).toEqual([0, 100]);
  });

  it('that was down for long counts once, though INFO told it when it was pressed', () => {
    expect(counted([0, '#', 'info', 0], [3000, '#', 'media', 2950])).toEqual([0]);
  });

  it('counts again when the other means tells it more than half a second apart', () => {
    expect(counted([0, '5', 'info', 0], [700, '5', 'media', 100])).toEqual([0, 700]);
  });

  it('is remembered among others only as long as it may come a second time', () => {
    const flood = Array.from({ length: 1000 }, (_, index): Told => [index, String(index % 10), 'info', 0]);
    expect(counted(...flood)).toHaveLength(1000);
  });
});
