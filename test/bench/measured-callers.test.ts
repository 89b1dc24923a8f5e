import { describe, expect, it } from 'vitest';
import { isMeasured, isObserved } from './measured-callers.ts';

const seats = (rooms: number, callersPerRoom: number, talkersPerRoom: number) => {
  const load = { codecs: ['PCMU'] as const, rooms, callersPerRoom, talkersPerRoom };
  const found = { observed: [] as string[], measured: [] as string[] };
  for (let room = 0; room < rooms; room++) {
    for (let seat = 0; seat < callersPerRoom; seat++) {
      if (isObserved(load, room, seat)) found.observed.push(`${room}/${seat}`);
      if (isMeasured(load, room, seat)) found.measured.push(`${room}/${seat}`);
    }
  }
  return found;
};

describe('callers by whom delay is measured', () => {
  it('are, of one room, who talks with markers and the next twelve', () => {
    const { observed, measured } = seats(1, 100, 3);
    expect(observed).toEqual(Array.from({ length: 12 }, (_, index) => `0/${index + 3}`));
    expect(measured).toEqual(Array.from({ length: 15 }, (_, index) => `0/${index}`));
  });

  it('are, where all talk, those with markers and who talks without', () => {
    const { observed, measured } = seats(1, 20, 20);
    expect(observed).toEqual(Array.from({ length: 12 }, (_, index) => `0/${index + 3}`));
    expect(measured).toHaveLength(15);
  });

  it('are of twelve rooms one listener each, and who talks there', () => {
    const { observed, measured } = seats(100, 5, 2);
    expect(observed).toEqual(Array.from({ length: 12 }, (_, room) => `${room}/2`));
    expect(measured).toHaveLength(36);
  });

  it('are of five rooms twelve listeners, and who talks in the four rooms where these are', () => {
    const { observed, measured } = seats(5, 6, 1);
    expect(observed).toHaveLength(12);
    expect(observed.at(-1)).toBe('3/3');
    expect(measured).toHaveLength(16);
  });

  it('are nobody where nobody only listens', () => {
    expect(seats(2, 3, 3)).toEqual({ observed: [], measured: [] });
  });
});
