import { describe, expect, it } from 'vitest';
import { timerMs } from '../../mixer/timer-ms.ts';

describe('a timer for what is due', () => {
  it.each([
    [1003.4, 1000, 4],
    [1004, 1000, 4],
    [1000.1, 1000, 1],
    [1000, 1000, 0],
    [990.5, 1000, 0],
  ])('at %d, now being %d: %d ms', (dueMs, nowMs, ms) => {
    expect(timerMs(dueMs, nowMs)).toBe(ms);
  });
});
