import { describe, expect, it } from 'vitest';
import { Entry, type EntryRules, type NewArrival } from '../../server/ivr/entry.ts';
import { FIRST_DIGIT_MS, NEXT_DIGIT_MS } from '../../server/ivr/pin-entry.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';

const OPEN: EntryRules = { pin: null, moderatorPin: null, lobby: false, waitForModerator: false, names: false };
const CALLER: NewArrival = { moderator: false, pin: null, invited: false };
const PROMPT_MS = 2000;

/** A caller whose prompts take two seconds each; `heard` is all that happened, in order. */
function arrive(rules: Partial<EntryRules>, arrival: Partial<NewArrival> = {}, mostWrong = Number.POSITIVE_INFINITY) {
  const timers = new VirtualTimers();
  const heard: string[] = [];
  const room = { locked: false, moderator: false, mostWrong };
  const tried: string[] = [];
  let saying = 0;
  const hush = (): void => {
    saying++;
  };
  const entry = new Entry({ ...OPEN, ...rules }, { ...CALLER, ...arrival }, timers, {
    stage: (stage) => heard.push(`(${stage})`),
    say(prompts, said) {
      heard.push(...prompts);
      const mine = ++saying;
      timers.set(PROMPT_MS * prompts.length, () => {
        if (mine === saying) said();
      });
    },
    hush,
    playMusic: () => heard.push('music'),
    recordName(recorded) {
      heard.push('record');
      timers.set(1500, recorded);
    },
    takesPins: () => tried.filter((result) => result === 'wrong').length < room.mostWrong,
    triedPin: (result) => tried.push(result),
    isLocked: () => room.locked,
    hasModerator: () => room.moderator,
    entered: (moderator) => heard.push(moderator ? 'IN as moderator' : 'IN'),
    turnedAway: (why) => heard.push(`OUT: ${why}`),
  });
  entry.start();
  const keys = (text: string): void => {
    for (const key of text) {
      timers.advance(300);
      entry.key(key);
    }
  };
  return { entry, timers, heard, keys, room, tried };
}

describe('the PIN', () => {
  it('lets in with #, also over the prompt', () => {
    const { heard, keys, timers } = arrive({ pin: '1234' });
    keys('1234#');
    expect(heard).toEqual(['(entering)', 'enter-pin', 'IN']);
    expect(timers.pending).toBe(1); // the prompt that was hushed
  });

  it('ends by a pause too', () => {
    const { heard, keys, timers } = arrive({ pin: '1234' });
    keys('1234');
    timers.advance(NEXT_DIGIT_MS - 1);
    expect(heard.at(-1)).toBe('enter-pin');
    timers.advance(1);
    expect(heard.at(-1)).toBe('IN');
  });

  it('is asked for three times, whatever is wrong with it', () => {
    const { heard, keys, timers } = arrive({ pin: '1234' });
    keys('9999#');
    timers.advance(2 * PROMPT_MS + FIRST_DIGIT_MS);
    keys('12345#');
    timers.advance(PROMPT_MS * 2);
    expect(heard).toEqual([
      ...['(entering)', 'enter-pin', 'pin-wrong', 'enter-pin-again', 'enter-pin-again'],
      ...['pin-failed', 'goodbye', 'OUT: pin-failed'],
    ]);
    keys('1234#');
    timers.runUntilIdle();
    expect(heard.at(-1)).toBe('OUT: pin-failed');
  });

  it('begins anew with *', () => {
    const { heard, keys } = arrive({ pin: '1234' });
    keys('99*1234#');
    expect(heard.at(-1)).toBe('IN');
  });

  it('makes a moderator of who knows theirs', () => {
    const { heard, keys } = arrive({ pin: '1234', moderatorPin: '9876', lobby: true });
    keys('9876#');
    expect(heard.at(-1)).toBe('IN as moderator');
  });

  it('need not be known where only moderators have one', () => {
    const one = arrive({ moderatorPin: '9876' });
    one.keys('#');
    expect(one.heard.at(-1)).toBe('IN');
    const other = arrive({ moderatorPin: '9876' });
    other.timers.advance(PROMPT_MS + FIRST_DIGIT_MS);
    expect(other.heard.at(-1)).toBe('IN');
  });

  it('comes with the call; a wrong one counts as a try', () => {
    expect(arrive({ pin: '1234' }, { pin: '1234' }).heard).toEqual(['(entering)', 'IN']);
    const { heard, keys } = arrive({ pin: '1234' }, { pin: '1111' });
    keys('2#');
    keys('3#');
    expect(heard.filter((what) => what === 'pin-wrong')).toHaveLength(2);
    expect(heard).toContain('pin-failed');
  });

  it('is told each time it was given, with what became of it; nothing at all is no try to guess', () => {
    const { keys, tried } = arrive({ pin: '1234', moderatorPin: '9876' });
    keys('##'); // the second without waiting
    expect(tried).toEqual([]);
    keys('5555#');
    expect(tried).toEqual(['wrong']);
    const other = arrive({ pin: '1234', moderatorPin: '9876' });
    other.keys('1#1234#');
    expect(other.tried).toEqual(['wrong', 'participant']);
    const moderator = arrive({ pin: '1234', moderatorPin: '9876' }, { pin: '9876' });
    expect(moderator.tried).toEqual(['moderator']);
  });

  it('is not looked at, even when right, from where too many wrong ones came', () => {
    const out = ['pin-failed', 'goodbye', 'OUT: pin-failed'];
    for (const pin of ['1234', '5555', null]) {
      const { heard, timers, tried } = arrive({ pin: '1234' }, { pin }, 0);
      timers.runUntilIdle();
      expect(heard).toEqual(['(entering)', ...out]);
      expect(tried).toEqual(['refused']);
    }
    const { heard, keys, room, timers, tried } = arrive({ pin: '1234' });
    keys('5');
    room.mostWrong = 0; // by another call
    keys('#');
    timers.runUntilIdle();
    expect(heard).toEqual(['(entering)', 'enter-pin', ...out]);
    expect(tried).toEqual(['refused']);
  });

  it('may still be left out there, where only moderators have one', () => {
    const { heard, keys, tried } = arrive({ moderatorPin: '9876' }, {}, 0);
    keys('#');
    expect(heard.at(-1)).toBe('IN');
    expect(tried).toEqual([]);
    const other = arrive({ moderatorPin: '9876' }, {}, 0);
    other.keys('9876#');
    expect(other.heard.slice(2, 4)).toEqual(['pin-failed', 'goodbye']);
  });

  it('ends the call with the wrong one that was too many', () => {
    const { heard, keys, tried } = arrive({ pin: '1234' }, {}, 1);
    keys('5555#');
    expect(heard.slice(2)).toEqual(['pin-failed', 'goodbye']);
    expect(tried).toEqual(['wrong']);
  });

  it('is not asked of whom we called', () => {
    expect(arrive({ pin: '1234' }, { invited: true }).heard).toEqual(['IN']);
  });

  it('does not open a room that was locked meanwhile', () => {
    const { heard, keys, room, timers } = arrive({ pin: '1234' });
    room.locked = true;
    keys('1234#');
    timers.runUntilIdle();
    expect(heard.slice(2)).toEqual(['room-is-locked', 'goodbye', 'OUT: room-locked']);
  });

  it('leaves nothing behind when the call ends', () => {
    const { entry, heard, keys, timers } = arrive({ pin: '1234' });
    keys('12');
    entry.stop();
    const before = [...heard];
    timers.runUntilIdle();
    expect(heard).toEqual(before);
  });
});

describe('the lobby', () => {
  it('holds until somebody admits', () => {
    const { entry, heard, timers } = arrive({ lobby: true, waitForModerator: true });
    timers.advance(60_000);
    expect(heard).toEqual(['(lobby)', 'lobby-wait', 'music']);
    entry.moderatorCame();
    expect(heard).not.toContain('IN');
    expect(entry.admit()).toBe(true);
    expect(heard.at(-1)).toBe('IN');
    expect(entry.admit()).toBe(false);
  });

  it('sends away who is refused, after saying so', () => {
    const { entry, heard, timers } = arrive({ lobby: true });
    expect(entry.refuse()).toBe(true);
    timers.advance(2 * PROMPT_MS);
    expect(heard.slice(2)).toEqual(['lobby-refused', 'goodbye', 'OUT: lobby-refused']);
  });
});

describe('waiting for the moderator', () => {
  it('ends when one comes', () => {
    const { entry, heard, timers } = arrive({ waitForModerator: true });
    timers.advance(PROMPT_MS);
    expect(heard).toEqual(['(waiting)', 'please-wait-moderator', 'music']);
    entry.moderatorCame();
    expect(heard.at(-1)).toBe('IN');
  });

  it('is not needed when one is there, or by one', () => {
    const { entry, heard } = arrive({ waitForModerator: true, names: true });
    expect(heard).toEqual(['(entering)', 'say-your-name']);
    entry.stop();
    expect(arrive({ waitForModerator: true }, { moderator: true }).heard).toEqual(['IN as moderator']);
  });
});

describe('the name', () => {
  it('is asked for after the PIN and recorded before entering', () => {
    const { heard, keys, timers } = arrive({ pin: '1234', names: true });
    keys('1234#');
    timers.advance(PROMPT_MS + 1500);
    expect(heard).toEqual(['(entering)', 'enter-pin', '(entering)', 'say-your-name', 'record', 'IN']);
  });
});

describe('an entry', () => {
  it('is needed only where something is asked', () => {
    expect(Entry.isNeeded(OPEN, CALLER)).toBe(false);
    expect(Entry.isNeeded({ ...OPEN, pin: '1234' }, CALLER)).toBe(true);
    expect(Entry.isNeeded({ ...OPEN, pin: '1234' }, { ...CALLER, invited: true })).toBe(false);
    expect(Entry.isNeeded({ ...OPEN, lobby: true }, { ...CALLER, moderator: true })).toBe(false);
    expect(Entry.isNeeded({ ...OPEN, names: true }, { ...CALLER, moderator: true })).toBe(true);
  });
});
