import { describe, expect, it } from 'vitest';
import { CONFIRM_MS, Confirmation } from '../../server/ivr/confirmation.ts';
import { KeyMenu, SEQUENCE_MS } from '../../server/ivr/key-menu.ts';
import { USUAL_KEYS } from '../../server/rooms/policy.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';

/** What a run of keys means, pressed `gapMs` apart. */
function press(text: string, { moderator = false, gapMs = 300, keys = USUAL_KEYS } = {}) {
  const menu = new KeyMenu();
  return [...text].flatMap((key, index) => {
    const meaning = menu.press(key, 10_000 + index * gapMs, keys, moderator);
    return meaning === null ? [] : [meaning];
  });
}

describe('keys in a call', () => {
  it('mean what the room says', () => {
    expect(press('*6')).toEqual([{ action: 'mute' }]);
    expect(press('*#')).toEqual([{ action: 'count' }]);
    expect(press('*6*5')).toEqual([{ action: 'mute' }, { action: 'hand' }]);
    const keys = { everybody: { '*12': 'mute' as const }, moderators: { '*2': 'end' as const } };
    expect(press('*12*2', { keys, moderator: true })).toEqual([{ action: 'mute' }, { action: 'end' }]);
  });

  it('mean nothing alone, too late or wrong', () => {
    expect(press('#')).toEqual([]);
    expect(press('1234567890')).toEqual([]);
    expect(press('*6', { gapMs: SEQUENCE_MS + 1 })).toEqual([]);
    expect(press('*6', { gapMs: SEQUENCE_MS })).toEqual([{ action: 'mute' }]);
    expect(press('*A')).toEqual([]);
  });

  it('begin anew after a wrong one', () => {
    expect(press('**6')).toEqual([{ action: 'mute' }]);
    expect(press('*A*6')).toEqual([{ action: 'mute' }]);
  });

  it('are told apart by role', () => {
    expect(press('*9')).toEqual([{ notAllowed: 'end' }]);
    expect(press('*9', { moderator: true })).toEqual([{ action: 'end' }]);
  });
});

describe('"press 1 to join"', () => {
  function called() {
    const timers = new VirtualTimers();
    const heard: string[] = [];
    const confirmation = new Confirmation(timers, {
      say(prompts, said) {
        heard.push(...prompts);
        timers.set(2000, said);
      },
      hush: () => undefined,
      confirmed: () => heard.push('yes'),
      declined: () => heard.push('no'),
      unconfirmed: () => heard.push('nothing'),
    });
    confirmation.start();
    return { timers, heard, confirmation };
  }

  it('is answered with 1, at any time', () => {
    const { heard, confirmation, timers } = called();
    confirmation.key('1');
    timers.runUntilIdle();
    expect(heard).toEqual(['press-1-to-join', 'yes']);
  });

  it('is said three times to a mailbox, which then is hung up on', () => {
    const { heard, timers } = called();
    timers.advance(3 * (2000 + CONFIRM_MS));
    expect(heard).toEqual(['press-1-to-join', 'press-1-to-join', 'press-1-to-join', 'nothing']);
    expect(timers.pending).toBe(0);
  });

  it('takes another digit for a no, and neither star nor hash for anything', () => {
    const { heard, confirmation } = called();
    confirmation.key('#');
    confirmation.key('2');
    confirmation.key('1');
    expect(heard).toEqual(['press-1-to-join', 'no']);
  });
});
