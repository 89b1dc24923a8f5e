import { describe, expect, it } from 'vitest';
import { FIRST_BLOCK_MS, LONGEST_BLOCK_MS, MOST_WRONG, PinAttempts, WINDOW_MS } from '../../server/ivr/pin-attempts.ts';

/** Gives wrong PINs until there is a block; how long that is. */
function guess(attempts: PinAttempts, nowMs: number, source = 'a'): number {
  for (let tries = 1; tries < MOST_WRONG; tries++) expect(attempts.wrong('board', source, nowMs)).toBe(0);
  return attempts.wrong('board', source, nowMs);
}

describe('who guesses PINs', () => {
  it('is kept out after the ninth, from that room alone, and nobody else is', () => {
    const attempts = new PinAttempts();
    expect(guess(attempts, 1000)).toBe(FIRST_BLOCK_MS);
    const left = (room: string, source: string, nowMs: number) => attempts.blockedMs(room, source, nowMs);
    expect([left('board', 'a', 1000), left('board', 'a', 60_999), left('board', 'a', 61_000)]).toEqual([60_000, 1, 0]);
    expect([left('board', 'b', 1000), left('other', 'a', 1000)]).toEqual([0, 0]);
  });

  it('is kept out twice as long each time, an hour at most', () => {
    const attempts = new PinAttempts();
    let nowMs = 0;
    const minutes: number[] = [];
    for (let round = 0; round < 9; round++) {
      const blockMs = guess(attempts, nowMs);
      minutes.push(blockMs / 60_000);
      nowMs += blockMs;
    }
    expect(minutes).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    nowMs += LONGEST_BLOCK_MS - 1;
    expect(guess(attempts, nowMs)).toBe(LONGEST_BLOCK_MS);
    nowMs += 2 * LONGEST_BLOCK_MS;
    expect(guess(attempts, nowMs)).toBe(FIRST_BLOCK_MS);
  });

  it('is not, who errs now and then', () => {
    const attempts = new PinAttempts();
    for (let nowMs = 0; nowMs < 100 * WINDOW_MS; nowMs += WINDOW_MS / (MOST_WRONG - 1)) {
      expect(attempts.wrong('board', 'a', nowMs)).toBe(0);
    }
  });

  it('is forgiven with the right one', () => {
    const attempts = new PinAttempts();
    for (let tries = 1; tries < MOST_WRONG; tries++) attempts.wrong('board', 'a', 0);
    attempts.right('board', 'a');
    expect(attempts.size).toBe(0);
    expect(guess(attempts, 0)).toBe(FIRST_BLOCK_MS);
  });

  it('fills no memory: who guessed longest ago is forgotten', () => {
    const attempts = new PinAttempts(3);
    expect(guess(attempts, 0, 'a')).toBe(FIRST_BLOCK_MS);
    for (const source of ['b', 'c', 'a', 'd']) attempts.wrong('board', source, 1);
    expect(attempts.size).toBe(3);
    expect(attempts.blockedMs('board', 'a', 2)).toBeGreaterThan(0);
    for (let source = 0; source < 100; source++) attempts.wrong('board', String(source), 3);
    expect(attempts.size).toBe(3);
    expect(attempts.blockedMs('board', 'a', 4)).toBe(0);
  });
});
