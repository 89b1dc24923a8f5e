import { describe, expect, it } from 'vitest';
import { policyConflict, policyShape, saidOf, USUAL_POLICY } from '../../server/rooms/policy.ts';

const isRight = (key: keyof typeof policyShape, value: unknown) => policyShape[key].safeParse(value).success;

describe('a policy', () => {
  it('is right as usual', () => {
    for (const key of Object.keys(policyShape) as (keyof typeof policyShape)[]) {
      expect(isRight(key, USUAL_POLICY[key]), key).toBe(true);
    }
    expect(policyConflict(USUAL_POLICY)).toBeNull();
  });

  it.each([
    ['pin', ['123', '12345678901234567', '12a4', 1234, '']],
    ['maxParticipants', [0, 1.5, 10_001]],
    ['notBefore', ['tomorrow', '2026-03-01', '2026-03-01T09:00:00']],
    ['language', ['fr', null]],
    ['welcomeSound', ['../secret', 'A', '']],
    ['welcome', ['', 'x'.repeat(1001)]],
  ] as const)('has no such %s', (key, values) => {
    for (const value of values) expect(isRight(key, value), String(value)).toBe(false);
  });

  it('has keys that can be told apart', () => {
    const keys = (everybody: object, moderators: object = {}) => isRight('keys', { everybody, moderators });
    expect(keys({ '*6': 'mute' }, { '*99': 'end' })).toBe(true);
    expect(keys({ '*6': 'mute' }, { '*66': 'end' })).toBe(false);
    expect(keys({ '*6': 'mute' }, { '*6': 'end' })).toBe(false);
    expect(keys({ '#6': 'mute' })).toBe(false);
    expect(keys({ '*': 'mute' })).toBe(false);
    expect(keys({ '*6': 'end' })).toBe(false);
    expect(keys({ '*6': 'explode' })).toBe(false);
  });

  it('does not contradict itself', () => {
    expect(policyConflict({ ...USUAL_POLICY, pin: '1234', moderatorPin: '1234' })?.member).toBe('moderatorPin');
    const [early, late] = ['2026-03-01T10:00:00+01:00', '2026-03-01T09:30:00Z'];
    expect(policyConflict({ ...USUAL_POLICY, notBefore: late, notAfter: early })?.member).toBe('notAfter');
    expect(policyConflict({ ...USUAL_POLICY, notBefore: early, notAfter: late })).toBeNull();
  });

  it('leaves out what was not said', () => {
    expect(saidOf({ locked: true, pin: undefined, welcome: null })).toEqual({ locked: true, welcome: null });
  });
});
