import { describe, expect, it } from 'vitest';
import { type Outcome, SimulatedCall, simulateCalls } from './simulate-call.ts';

describe('two stacks over a network that loses, doubles and reorders', () => {
  it('always end in agreement, with no timer, transaction or call left', () => {
    const seen = new Map<string, number>();
    const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);
    simulateCalls(1, 300, (outcome: Outcome) => {
      count(`INVITE ${outcome.inviteStatus}`);
      for (const { status } of outcome.reinvites) count(`re-INVITE ${status}`);
      for (const { ends } of outcome.records) count(`end ${ends[0]?.cause}`);
    });
    // The seeds reach what they are meant to reach.
    for (const what of ['INVITE 200', 'INVITE 486', 'INVITE 487', 're-INVITE 200', 're-INVITE 488']) {
      expect(seen.get(what), what).toBeGreaterThan(0);
    }
    for (const end of ['remote-bye', 'local-bye', 'rejected', 'cancelled']) {
      expect(seen.get(`end ${end}`), end).toBeGreaterThan(0);
    }
  });

  it('can be repeated: a seed stands for one run', () => {
    const [one, other] = [new SimulatedCall(7).run(), new SimulatedCall(7).run()];
    expect(one.messages).toBe(other.messages);
    expect(one.reinvites).toEqual(other.reinvites);
  });
});
