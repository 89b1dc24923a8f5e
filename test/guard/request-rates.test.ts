import { describe, expect, it } from 'vitest';
import { type RateVerdict, RequestRates } from '../../server/guard/request-rates.ts';
import { senderOf } from '../../server/guard/sender.ts';

function verdicts(rates: RequestRates, count: number, nowMs: number, inDialog = false, sender = 'a'): RateVerdict[] {
  return Array.from({ length: count }, () => rates.take(sender, 10, inDialog, nowMs));
}

const passed = (list: readonly RateVerdict[]) => list.filter((verdict) => verdict === 'pass').length;

describe('the rate of one sender', () => {
  it('is what was set, for as long as it likes', () => {
    const rates = new RequestRates();
    for (let atMs = 0; atMs < 60_000; atMs += 100) expect(verdicts(rates, 1, atMs)).toEqual(['pass']);
  });

  it('twice as much gets half of it through: the rest is refused', () => {
    const rates = new RequestRates();
    const all: RateVerdict[] = [];
    for (let atMs = 0; atMs < 60_000; atMs += 50) all.push(...verdicts(rates, 1, atMs));
    expect(passed(all)).toBeGreaterThanOrEqual(600);
    expect(passed(all)).toBeLessThanOrEqual(620);
    expect(all).not.toContain('drop');
  });

  it('much too much is not even answered', () => {
    const all = verdicts(new RequestRates(), 1000, 0);
    expect([passed(all), all.filter((verdict) => verdict === 'refuse').length]).toEqual([10, 10]);
    expect(all.at(-1)).toBe('drop');
  });

  it('leaves half for requests within dialogs, so that calls go on', () => {
    const rates = new RequestRates();
    verdicts(rates, 1000, 0);
    expect(passed(verdicts(rates, 20, 0, true))).toBe(10);
  });

  it('is nobody else’s', () => {
    const rates = new RequestRates();
    verdicts(rates, 1000, 0);
    expect(verdicts(rates, 1, 0, false, 'b')).toEqual(['pass']);
  });

  it('is kept for so many senders at most', () => {
    const rates = new RequestRates(100);
    for (let sender = 0; sender < 10_000; sender++) rates.take(String(sender), 10, false, 0);
    expect(rates.senders).toBe(100);
  });
});

describe('a sender', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:0:1::1', '2001:db8:0:1::/64'],
    ['2001:db8:0:1:ffff:ffff:ffff:ffff', '2001:db8:0:1::/64'],
    ['2001:DB8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['2001:db8::', '2001:db8:0:0::/64'],
  ])('%s is %s', (address, sender) => expect(senderOf(address)).toBe(sender));
});
