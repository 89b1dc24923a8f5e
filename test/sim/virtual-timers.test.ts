import { describe, expect, it } from 'vitest';
import { VirtualTimers } from './virtual-timers.ts';

describe('virtual time', () => {
  it('expires timers in the order of their time, then of their setting', () => {
    const timers = new VirtualTimers();
    const expired: string[] = [];
    const at = (ms: number, name: string) => timers.set(ms, () => expired.push(`${name} at ${timers.now()}`));
    at(30, 'c');
    at(10, 'a');
    at(10, 'b');
    at(40, 'never').clear();
    timers.advance(10);
    expect(expired).toEqual(['a at 10', 'b at 10']);
    timers.advance(100);
    expect(expired).toEqual(['a at 10', 'b at 10', 'c at 30']);
    expect(timers.now()).toBe(110);
    expect(timers.pending).toBe(0);
  });

  it('runs until nothing is set, and complains of what never ends', () => {
    const timers = new VirtualTimers();
    let count = 0;
    const again = () => timers.set(1000, () => (++count < 5 ? again() : undefined));
    again();
    timers.runUntilIdle();
    expect(count).toBe(5);
    const forever = (): unknown => timers.set(1000, forever);
    forever();
    expect(() => timers.runUntilIdle(60_000)).toThrow('1 timers still set');
  });

  it('does not count a timer twice that is cleared after it expired', () => {
    const timers = new VirtualTimers();
    const timer = timers.set(1, () => {});
    timers.advance(1);
    timer.clear();
    expect(timers.pending).toBe(0);
  });
});
