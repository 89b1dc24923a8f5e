import { describe, expect, it } from 'vitest';
import { Nonces } from '../../../server/sip/auth/nonces.ts';

const ADDRESS = '192.0.2.1';

describe('a nonce', () => {
  it('is good for its time, from its address, and from nowhere else', () => {
    const nonces = new Nonces({ lifetimeMs: 1000 });
    const nonce = nonces.issue(ADDRESS, 5000);
    expect(nonces.isFresh(nonce, ADDRESS, 5000)).toBe(true);
    expect(nonces.isFresh(nonce, ADDRESS, 5999)).toBe(true);
    expect(nonces.isFresh(nonce, ADDRESS, 6000)).toBe(false);
    expect(nonces.isFresh(nonce, '192.0.2.2', 5000)).toBe(false);
    expect(new Nonces().isFresh(nonce, ADDRESS, 5000)).toBe(false);
  });

  it('cannot be made up or changed, nor written in another way', () => {
    const nonces = new Nonces();
    const nonce = nonces.issue(ADDRESS, 0);
    for (let at = 0; at < nonce.length; at++) {
      const changed = `${nonce.slice(0, at)}${nonce[at] === 'A' ? 'B' : 'A'}${nonce.slice(at + 1)}`;
      expect(nonces.isFresh(changed, ADDRESS, 0)).toBe(false);
    }
    for (const other of ['', 'x', `${nonce}=`, `${nonce}\n`, `${nonce}A`, 'n'.repeat(9999)]) {
      expect(nonces.isFresh(other, ADDRESS, 0)).toBe(false);
    }
  });

  it('is never given twice, and nothing is kept of it', () => {
    const nonces = new Nonces();
    const issued = new Set(Array.from({ length: 1000 }, () => nonces.issue(ADDRESS, 0)));
    expect(issued.size).toBe(1000);
    expect(nonces.remembered).toBe(0);
  });
});

describe('nonce counts (RFC 7616 §3.4)', () => {
  it('count up; each serves once, in any order within the last 32', () => {
    const nonces = new Nonces();
    const nonce = nonces.issue(ADDRESS, 0);
    const use = (count: number) => nonces.use(nonce, ADDRESS, count, 0);
    expect([1, 2, 2, 1].map(use)).toEqual([true, true, false, false]);
    expect([5, 3, 4, 4, 3].map(use)).toEqual([true, true, true, false, false]);
    expect([40, 8, 9, 9].map(use)).toEqual([true, false, true, false]);
    expect([0xffffffff, 40, 41].map(use)).toEqual([true, false, false]);
  });

  it('without counts, as in RFC 2069, a nonce serves once', () => {
    const nonces = new Nonces();
    const nonce = nonces.issue(ADDRESS, 0);
    expect(nonces.use(nonce, ADDRESS, null, 0)).toBe(true);
    expect(nonces.use(nonce, ADDRESS, null, 0)).toBe(false);
    expect(nonces.use(nonce, ADDRESS, 7, 0)).toBe(false);
  });

  it('are forgotten with their nonces, and what may have been forgotten is good no more', () => {
    const nonces = new Nonces({ lifetimeMs: 1000, maxRemembered: 3 });
    const issued = [0, 1, 2, 3].map((atMs) => nonces.issue(ADDRESS, atMs));
    for (const nonce of issued) expect(nonces.use(nonce, ADDRESS, 1, 10)).toBe(true);
    expect(nonces.remembered).toBe(3);
    expect(issued.map((nonce) => nonces.isFresh(nonce, ADDRESS, 10))).toEqual([false, true, true, true]);
    const late = nonces.issue(ADDRESS, 2000);
    nonces.use(late, ADDRESS, 1, 2000);
    expect(nonces.remembered).toBe(1);
  });

  it('make a nonce no good for anybody else, nor for longer', () => {
    const nonces = new Nonces({ lifetimeMs: 1000 });
    const nonce = nonces.issue(ADDRESS, 0);
    nonces.use(nonce, ADDRESS, 1, 0);
    expect(nonces.isFresh(nonce, ADDRESS, 999)).toBe(true);
    expect(nonces.isFresh(nonce, '192.0.2.99', 999)).toBe(false);
    expect(nonces.isFresh(nonce, ADDRESS, 1000)).toBe(false);
  });
});
