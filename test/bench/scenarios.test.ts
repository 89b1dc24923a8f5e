import { describe, expect, test } from 'vitest';
import { chosenScenarios, scenario, standardNames } from './scenarios.ts';

const names = (...filters: string[]): string[] => chosenScenarios(filters, false).map(({ name }) => name);

describe('the scenarios', () => {
  test('every name in the lists means something', () => {
    for (const name of [...standardNames(false), ...standardNames(true)]) expect(scenario(name), name).not.toBeNull();
  });

  test('without a filter all of them are measured', () => {
    expect(names()).toEqual(standardNames(false));
    expect(chosenScenarios([], true).map(({ name }) => name)).toEqual(standardNames(true));
  });

  test('a filter is some parts of a name', () => {
    expect(names('g722-100')).toEqual(['g722-100-1', 'g722-100-3', 'g722-100-all']);
    expect(names('opus-10')).toEqual(['opus-10-1', 'opus-10-3', 'opus-10-all']);
    expect(names('small-rooms').every((name) => name.startsWith('small-rooms-'))).toBe(true);
    expect(names('all')).toContain('mix-500-all');
  });

  test('filters add up, and nothing is measured twice', () => {
    expect(names('pcmu-10', 'pcmu-10-3', 'opus-20-all')).toEqual([
      'pcmu-10-1',
      'pcmu-10-3',
      'pcmu-10-all',
      'opus-20-all',
    ]);
  });

  test('what is not in the list can be asked for by its whole name', () => {
    expect(chosenScenarios(['opus-300-2'], false)).toEqual([
      { name: 'opus-300-2', codecs: ['opus'], rooms: 1, callersPerRoom: 300, talkersPerRoom: 2, halfLoad: false },
    ]);
    expect(chosenScenarios(['small-rooms-7x4-mix'], false)[0]).toMatchObject({ rooms: 7, callersPerRoom: 4 });
  });

  test.each(['nonsense', 'opus-3-4', 'gsm-10-1', 'small-rooms-0x5-pcmu', ''])('%j is refused', (filter) => {
    expect(() => chosenScenarios([filter], false)).toThrow(/no scenario matches/);
  });
});
