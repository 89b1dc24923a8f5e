import { describe, expect, it } from 'vitest';
import { DnsCache } from '../../../server/sip/resolve/dns-cache.ts';
import { VirtualTimers } from '../../sim/virtual-timers.ts';
import { VirtualDns } from './virtual-dns.ts';

function cached(zone: string, ttlSeconds: number | null = 300) {
  const timers = new VirtualTimers();
  const dns = new VirtualDns(zone);
  dns.ttlSeconds = ttlSeconds;
  const cache = new DnsCache(dns, timers);
  const askedAfter = async (seconds: number): Promise<number> => {
    timers.advance(seconds * 1000);
    await cache.query('a', 'example.com');
    return dns.asked.length;
  };
  return { timers, dns, cache, askedAfter };
}

describe('answers of the DNS', () => {
  it('are kept as long as they say, whatever the case of the name', async () => {
    const { cache, dns, askedAfter } = cached('example.com A 192.0.2.1');
    expect(await cache.query('a', 'EXAMPLE.com')).toMatchObject({ records: [] });
    expect(dns.asked).toHaveLength(1);
    expect(await askedAfter(0)).toBe(1);
    const other = cached('example.com A 192.0.2.1');
    expect([await other.askedAfter(0), await other.askedAfter(299), await other.askedAfter(1)]).toEqual([1, 1, 2]);
  });

  it.each([
    ['five seconds at least', 0, 5],
    ['an hour at most', 1_000_000, 3_600],
    ['a minute, when they do not say', null, 60],
  ])('are kept %s', async (_bound, ttlSeconds, keptSeconds) => {
    const { askedAfter } = cached('example.com A 192.0.2.1', ttlSeconds);
    expect([await askedAfter(0), await askedAfter(keptSeconds - 1), await askedAfter(1)]).toEqual([1, 1, 2]);
  });

  it('that there is nothing are kept for half a minute, that nobody knows for five seconds', async () => {
    const nothing = cached('');
    expect([await nothing.askedAfter(0), await nothing.askedAfter(29), await nothing.askedAfter(1)]).toEqual([1, 1, 2]);
    const silent = cached('example.com A !');
    expect([await silent.askedAfter(0), await silent.askedAfter(4), await silent.askedAfter(1)]).toEqual([1, 1, 2]);
  });

  it('are asked for once by all who ask at the same time', async () => {
    const { cache, dns } = cached('example.com A 192.0.2.1');
    const answers = await Promise.all([cache.query('a', 'example.com'), cache.query('a', 'example.com')]);
    expect(answers[0]).toBe(answers[1]);
    expect(dns.asked).toHaveLength(1);
  });

  it('are not waited for longer than five seconds', async () => {
    const timers = new VirtualTimers();
    const cache = new DnsCache({ query: () => new Promise(() => {}) }, timers);
    const answer = cache.query('srv', '_sip._udp.example.com');
    timers.advance(5_000);
    expect(await answer).toBeNull();
    const failing = new DnsCache({ query: () => Promise.reject(new Error('broken')) }, timers);
    expect(await failing.query('a', 'example.com')).toBeNull();
    expect(timers.pending).toBe(0);
  });
});
