import { describe, expect, it } from 'vitest';
import { PortPool } from '../../mixer/net/port-pool.ts';

describe('media ports', () => {
  it('are pairs that begin on an even port and lie within the range', () => {
    const pool = new PortPool(1001, 1007, 5000);
    expect([pool.take(0), pool.take(0), pool.take(0), pool.take(0)]).toEqual([1002, 1004, 1006, null]);
    expect(pool.portsInUse).toBe(6);
  });

  it('rest after use, then come back behind all others', () => {
    const pool = new PortPool(1000, 1005, 5000);
    expect(pool.take(0)).toBe(1000);
    pool.release(1000, 100);
    expect(pool.portsResting(100)).toBe(2);
    expect([pool.take(200), pool.take(200), pool.take(5099)]).toEqual([1002, 1004, null]);
    expect(pool.take(5100)).toBe(1000);
    expect(pool.portsResting(5100)).toBe(0);
  });

  it('can be claimed for a leg that had them before, but not twice', () => {
    const pool = new PortPool(1000, 1003, 5000);
    expect(pool.claim(1000)).toBe(true);
    expect(pool.claim(1000)).toBe(false);
    expect([pool.take(0), pool.take(0)]).toEqual([1002, null]);
    pool.release(1002, 0);
    expect(pool.claim(1002)).toBe(true);
    expect(pool.portsResting(0)).toBe(0);
  });

  it('are given back once, however often they are released', () => {
    const pool = new PortPool(1000, 1001, 10);
    pool.take(0);
    pool.release(1000, 0);
    pool.release(1000, 0);
    expect([pool.take(20), pool.take(20)]).toEqual([1000, null]);
  });

  it('are all handed out again and again, however many calls there are', () => {
    const pool = new PortPool(2000, 2019, 100);
    const taken = new Set<number>();
    for (let call = 0; call < 5000; call++) {
      const port = pool.take(call * 20);
      expect(port).not.toBeNull();
      taken.add(port!);
      pool.release(port!, call * 20);
    }
    expect(taken.size).toBe(10);
  });
});
