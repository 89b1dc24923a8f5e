import { describe, expect, it } from 'vitest';
import { type KeptRecording, outdated } from '../../../server/recordings/keeping/retention.ts';

const NOW_MS = Date.parse('2026-11-22T12:00:00Z');

function recording(id: string, stoppedAt: string | null, bytes = 1e9, busy = false): KeptRecording {
  return { id, stoppedAt, bytes, busy };
}

describe('retention', () => {
  const four = [
    recording('running', null),
    recording('of today', '2026-11-22T11:00:00Z'),
    recording('of last week', '2026-11-15T12:00:01Z'),
    recording('older', '2026-11-15T11:59:59Z'),
  ];

  it('keeps everything without rules', () => {
    expect(outdated(four, { keepDays: 0, keepGb: 0 }, NOW_MS)).toEqual([]);
  });

  it('lets go what ended before the days, and nothing that runs', () => {
    expect(outdated(four, { keepDays: 7, keepGb: 0 }, NOW_MS)).toEqual(['older']);
    expect(outdated(four, { keepDays: 7, keepGb: 0 }, NOW_MS + 365 * 86_400_000)).toEqual([
      'older',
      'of last week',
      'of today',
    ]);
  });

  it('lets go the oldest until the rest fits; what runs counts, and stays', () => {
    expect(outdated(four, { keepDays: 0, keepGb: 4 }, NOW_MS)).toEqual([]);
    expect(outdated(four, { keepDays: 0, keepGb: 2.5 }, NOW_MS)).toEqual(['older', 'of last week']);
    expect(outdated(four, { keepDays: 0, keepGb: 0.5 }, NOW_MS)).toEqual(['older', 'of last week', 'of today']);
  });

  it('counts what age let go before it looks at the size', () => {
    expect(outdated(four, { keepDays: 7, keepGb: 3 }, NOW_MS)).toEqual(['older']);
  });

  it('leaves what is being worked on', () => {
    const busy = [recording('busy', '2026-01-01T00:00:00Z', 1e9, true), ...four];
    expect(outdated(busy, { keepDays: 7, keepGb: 0 }, NOW_MS)).toEqual(['older']);
  });
});
