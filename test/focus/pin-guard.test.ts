import { Writable } from 'node:stream';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { PinGuard, type PinSource } from '../../server/focus/pin-guard.ts';
import { flow } from '../registrar/test-registrar.ts';
import { request } from '../sip/auth/messages.ts';

const TRUNK = '192.0.2.20';
const OFFICE = '192.0.2.30';

function guarded() {
  const logged: Array<Record<string, unknown>> = [];
  const stream = new Writable({
    write(line, _encoding, done) {
      logged.push(JSON.parse(String(line)));
      done();
    },
  });
  const clock = { nowMs: 0 };
  const guard = new PinGuard({
    log: pino({ base: null, timestamp: false }, stream),
    now: () => clock.nowMs,
    isTrusted: (address) => address === TRUNK,
    identify: (_request, { remotePort }) =>
      remotePort === 5555 ? { user: 'alice' } : { status: 401, reason: 'Unauthorized' },
  });
  const from = (remoteAddress: string, headers: Array<readonly [string, string]> = [], remotePort = 5060) =>
    guard.sourceOf({ request: request({ headers }), flow: { ...flow(), remoteAddress, remotePort } }, true);
  const guess = (source: PinSource): void => {
    for (let tries = 0; tries < 9; tries++) guard.wrong('board', source);
  };
  return { guard, logged, clock, from, guess };
}

const asserted = (user: string) => [['P-Asserted-Identity', `<sip:${user}@trunk.example.com>`]] as const;

describe('whose wrong PINs are counted together', () => {
  it('those of an address, or of a network of IPv6', () => {
    const { from, guard, guess } = guarded();
    guess(from('2001:db8:1:2::1'));
    expect(guard.takes('board', from('2001:db8:1:2:ffff::9'))).toBe(false);
    expect(guard.takes('board', from('2001:db8:1:3::1'))).toBe(true);
    expect(guard.takes('other', from('2001:db8:1:2::1'))).toBe(true);
  });

  it('those of a number behind a trunk, also a hidden one; the others still get in', () => {
    const { from, guard, guess } = guarded();
    guess(from(TRUNK, [...asserted('+15551'), ['Privacy', 'id']]));
    expect(guard.takes('board', from(TRUNK, [...asserted('+15551')]))).toBe(false);
    expect(guard.takes('board', from(TRUNK, [...asserted('+15552')]))).toBe(true);
    expect(from(TRUNK, [...asserted('x'.repeat(10_000))]).key.length).toBeLessThan(200);
  });

  it('not those of whoever else asserts a number', () => {
    const { from } = guarded();
    expect(from(OFFICE, [...asserted('+15551')])).toEqual(from(OFFICE));
  });

  it('those of a user who is signed in, apart from the address', () => {
    const { from, guard, guess } = guarded();
    guess(from(OFFICE));
    expect(guard.takes('board', from(OFFICE))).toBe(false);
    const alice = from(OFFICE, [], 5555);
    expect(guard.takes('board', alice)).toBe(true);
    guess(alice);
    expect(guard.takes('board', alice)).toBe(false);
  });
});

describe('what is told', () => {
  it('a block, and each PIN that is refused, with the address and for how long', () => {
    const { clock, from, guard, guess, logged } = guarded();
    guess(from(OFFICE));
    clock.nowMs = 1500;
    guard.refused('board', from(OFFICE));
    const line = { level: 40, address: OFFICE, room: 'board', reason: 'too many wrong PINs' };
    expect(logged).toEqual([
      { ...line, seconds: 60, msg: 'pins blocked' },
      { ...line, seconds: 59, msg: 'pin refused' },
    ]);
    expect(guard.counts).toEqual({ right: 0, wrong: 9, refused: 1 });
  });

  it('no address that could be banned, where others call from there', () => {
    const { from } = guarded();
    expect(from(TRUNK, [...asserted('+15551')]).peer).toEqual({ peer: TRUNK, caller: '+15551' });
    expect(from(OFFICE, [], 5555).peer).toEqual({ peer: OFFICE, caller: 'alice' });
  });
});

describe('a right PIN', () => {
  it('ends the count, unless there is a better one to guess', () => {
    const { from, guard } = guarded();
    const source = from(OFFICE);
    for (let tries = 0; tries < 8; tries++) guard.wrong('board', source);
    guard.right('board', source, false);
    guard.wrong('board', source);
    expect(guard.takes('board', source)).toBe(false);
    guard.right('board', source, true);
    expect(guard.takes('board', source)).toBe(true);
    expect(guard.counts.right).toBe(2);
  });
});
