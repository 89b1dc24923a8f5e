import { describe, expect, it } from 'vitest';
import { simulateSeveralPhones } from './simulate-several-phones.ts';

describe('a call to several phones at once, over nets that lose, double and reorder', () => {
  it('ends with one phone in the call, or none; and nothing is left', () => {
    const seen = { answered: 0, secondAnswers: 0, refused: 0, cancelled: 0 };
    for (let seed = 1; seed <= 400; seed++) {
      const { caller, phones, settled, left } = simulateSeveralPhones(seed);
      expect(left, `seed ${seed}`).toEqual({ timers: 0, calls: 0, transactions: 0 });
      expect(caller.ends, `seed ${seed}`).toHaveLength(1);
      for (const { ends } of phones) expect(ends, `seed ${seed}`).toHaveLength(1);
      expect(settled.phones, `seed ${seed}`).toBe(settled.caller ? 1 : 0);
      if (settled.caller) seen.answered++;
      if (phones.filter(({ confirmed }) => confirmed > 0).length > 1) seen.secondAnswers++;
      if (caller.ends[0]?.cause === 'rejected') seen.refused++;
      if (phones.some(({ ends }) => ends[0]?.cause === 'cancelled')) seen.cancelled++;
    }
    // The seeds reach what they are meant to reach.
    for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(0);
  });
});
