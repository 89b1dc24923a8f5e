import { describe, expect, it } from 'vitest';
import { FailureBans } from '../../server/guard/failure-bans.ts';

const POLICY = { afterFailures: 6, windowMs: 60_000, banMs: 600_000 };

describe('a sender of wrong passwords', () => {
  it('is slowed, then banned for a while', () => {
    const bans = new FailureBans(POLICY);
    const delays: number[] = [];
    for (let failure = 1; failure < 6; failure++) {
      expect(bans.failed('a', failure)).toBe(false);
      delays.push(bans.delayMs('a', failure));
    }
    expect(delays).toEqual([0, 0, 250, 500, 1000]);
    expect(bans.isBanned('a', 5)).toBe(false);
    expect(bans.failed('a', 6)).toBe(true);
    expect([bans.isBanned('a', 6), bans.isBanned('b', 6), bans.banned(6), bans.bans]).toEqual([true, false, 1, 1]);
    expect([bans.isBanned('a', 600_005), bans.isBanned('a', 600_006), bans.banned(600_006)]).toEqual([true, false, 0]);
  });

  it('who errs now and then is not', () => {
    const bans = new FailureBans(POLICY);
    for (let atMs = 0; atMs < 3_600_000; atMs += 12_500) expect(bans.failed('a', atMs)).toBe(false);
  });

  it('is banned again when it goes on', () => {
    const bans = new FailureBans(POLICY);
    for (let failure = 0; failure < 6; failure++) bans.failed('a', 0);
    const again = Array.from({ length: 6 }, () => bans.failed('a', 600_001));
    expect(again).toEqual([false, false, false, false, false, true]);
  });

  it('waits for 4 s at most', () => {
    const bans = new FailureBans({ ...POLICY, afterFailures: 1000 });
    for (let failure = 0; failure < 900; failure++) bans.failed('a', 0);
    expect(bans.delayMs('a', 0)).toBe(4000);
  });

  it('is not banned for longer by what was still on its way', () => {
    const bans = new FailureBans(POLICY);
    for (let failure = 0; failure < 60; failure++) bans.failed('a', 0);
    expect([bans.bans, bans.isBanned('a', 600_000)]).toEqual([1, false]);
    expect(bans.failed('a', 600_000)).toBe(false);
  });

  it('is not forgotten for the many who came after, as long as it goes on', () => {
    const bans = new FailureBans(POLICY, 100);
    for (let failure = 0; failure < 5; failure++) {
      bans.failed('a', failure);
      for (let sender = 0; sender < 90; sender++) bans.failed(`${failure} ${sender}`, failure);
    }
    expect(bans.failed('a', 5)).toBe(true);
  });

  it('from as many addresses as there are costs no more for it', () => {
    const bans = new FailureBans(POLICY);
    for (let sender = 0; sender < 65_536; sender++) bans.failed(String(sender), 0);
    const startMs = performance.now();
    for (let sender = 0; sender < 20_000; sender++) bans.failed(`new ${sender}`, 1);
    // One look through all of them takes some ms; 20,000 of those would take minutes.
    expect(performance.now() - startMs).toBeLessThan(5000);
  });

  it('cannot make us remember more than so many', () => {
    const bans = new FailureBans(POLICY, 100);
    for (let failure = 0; failure < 6; failure++) bans.failed('first', 0);
    for (let sender = 0; sender < 10_000; sender++) bans.failed(String(sender), sender * 10);
    expect(bans.banned(0)).toBeLessThanOrEqual(1);
    expect(bans.failed('one more', 200_000)).toBe(false);
  });
});
