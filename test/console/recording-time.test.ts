import { describe, expect, test } from 'vitest';
import { RecordingTimes } from '../../console/recording-time.ts';
import { event, recording, room } from './views.ts';

const START = Date.parse('2026-01-02T03:00:00.000Z');
const at = (seconds: number) => new Date(START + seconds * 1000).toISOString();

describe('how long a recording has run', () => {
  function timesWithClock(aheadMs = 0) {
    let nowMs = START - aheadMs;
    const times = new RecordingTimes(() => nowMs);
    const told = (seconds: number, state: 'recording' | 'paused' | 'stopped' | 'failed') => {
      nowMs = START - aheadMs + seconds * 1000;
      times.event(
        event('recording-changed', { at: at(seconds), recording: recording('one', { state, startedAt: at(0) }) }),
      );
    };
    const ranMs = (seconds: number) => {
      nowMs = START - aheadMs + seconds * 1000;
      return times.of('one');
    };
    return { times, told, ranMs };
  }

  test('counts from its start, and stands while it is paused', () => {
    const { told, ranMs } = timesWithClock();
    told(0, 'recording');
    expect(ranMs(5)).toBe(5_000);
    told(10, 'paused');
    expect(ranMs(60)).toBe(10_000);
    told(100, 'recording');
    expect(ranMs(103)).toBe(13_000);
    told(104, 'recording');
    expect(ranMs(106)).toBe(16_000);
    told(107, 'paused');
    told(109, 'paused');
    expect(ranMs(200)).toBe(17_000);
  });

  test('is not known of one that has ended, nor of one that was never seen', () => {
    const { told, ranMs, times } = timesWithClock();
    expect(ranMs(1)).toBeNull();
    told(0, 'recording');
    told(5, 'stopped');
    expect(ranMs(6)).toBeNull();
    told(7, 'recording');
    times.state([]);
    expect(ranMs(8)).toBeNull();
  });

  test("goes by the server's clock, of which events tell", () => {
    const { told, ranMs } = timesWithClock(3_600_000);
    told(0, 'recording');
    expect(ranMs(5)).toBe(5_000);
  });

  test('counts what was found running from its start, and what was found paused up to then', () => {
    const { times, ranMs } = timesWithClock();
    const of = (state: 'recording' | 'paused') =>
      room('demo', { recordings: [recording('one', { state, startedAt: at(-20) })] });
    times.state([of('recording')]);
    expect(ranMs(5)).toBe(25_000);
    times.state([of('recording')]);
    expect(ranMs(6)).toBe(26_000);
    times.state([of('paused')]);
    expect(ranMs(60)).toBe(26_000);
  });
});
