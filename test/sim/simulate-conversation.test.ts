import { describe, expect, it } from 'vitest';
import { SimulatedConversation, simulateConversations } from './simulate-conversation.ts';

const DIALOG_METHODS = ['INVITE', 're-INVITE', 'UPDATE', 'PRACK', 'REFER', 'CANCEL', 'BYE'];

describe('two whole stacks over a network that loses, doubles and reorders', () => {
  it('always end in agreement, with no timer, transaction or call left', () => {
    const seen = new Map<string, number>();
    const count = (what: string, by = 1) => seen.set(what, (seen.get(what) ?? 0) + by);
    simulateConversations(1, 300, ({ caller, called, methods, settled }) => {
      for (const [method, times] of methods) count(method, times);
      for (const view of called === undefined ? [caller] : [caller, called]) {
        count(`end ${view.ends[0]?.cause}`);
        count('change accepted', view.accepted);
        for (const status of view.refusals) count(`change ${status}`);
        for (const status of view.referrals) count(`REFER ${status}`);
      }
      if (called?.ends[0]?.cause === 'cancelled') count('called end cancelled');
      if (settled !== null) count('settled');
    });
    // The seeds reach what they are meant to reach.
    for (const method of [...DIALOG_METHODS, 'ACK', 'NOTIFY', 'OPTIONS']) {
      expect(seen.get(method), method).toBeGreaterThan(50);
    }
    for (const end of ['remote-bye', 'local-bye', 'rejected', 'cancelled', 'no-answer']) {
      expect(seen.get(`end ${end}`), end).toBeGreaterThan(0);
    }
    // What is lost is made good: an answer that nobody acknowledges or a change that never succeeds is the rare exception.
    expect(seen.get('end ack-timeout') ?? 0).toBeLessThan(3);
    expect(seen.get('change 491') ?? 0).toBeLessThan(12);
    for (const what of ['called end cancelled', 'change accepted', 'change 488', 'REFER 200', 'REFER 603', 'settled']) {
      expect(seen.get(what), what).toBeGreaterThan(20);
    }
  });

  it('can be repeated: a seed stands for one run', () => {
    const [one, other] = [new SimulatedConversation(7).run(), new SimulatedConversation(7).run()];
    expect(one.methods).toEqual(other.methods);
    expect(one.settled).toEqual(other.settled);
  });
});
