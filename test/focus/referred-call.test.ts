import { expect, it } from 'vitest';
import type { Callee } from '../../server/focus/focus-options.ts';
import { callReferred } from '../../server/focus/referred-call.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import type { Referral } from '../../server/sip/dialog/call.ts';
import { parseNameAddress } from '../../server/sip/message/name-address.ts';
import { flow } from '../registrar/test-registrar.ts';
import { request } from '../sip/auth/messages.ts';

function refer(referTo: string) {
  const rooms = new Rooms();
  const room = rooms.open('demo', 'created');
  const called: Callee[] = [];
  const referral = {
    ...{ request: request({ method: 'REFER' }), flow: flow(), referTo: parseNameAddress(referTo)!, referredBy: null },
    accept: () => ({ report: () => undefined }),
  } as unknown as Referral;
  const refusal = callReferred(referral, room, {
    ...{ rooms, identify: () => ({ user: 'ann' }), mayCall: () => null },
    call: (_room, callee) => void called.push(callee),
  });
  return { refusal, fields: called.map(({ headers }) => headers) };
}

it('calls with the Replaces and the PIN that the URI has, and nothing else of it', () => {
  expect(refer('<sip:board@192.0.2.9>')).toEqual({ refusal: null, fields: [[]] });
  expect(refer('<sip:board@192.0.2.9?Parley-Pin=4711&Subject=x&Replaces=a%3Bto-tag%3Db>')).toEqual({
    refusal: null,
    fields: [
      [
        ['Replaces', 'a;to-tag=b'],
        ['Parley-Pin', '4711'],
      ],
    ],
  });
});

it.each(['Parley-Pin', 'Replaces'])('calls nobody when %s has a line end in it', (name) => {
  const { refusal, fields } = refer(`<sip:board@192.0.2.9?${name}=1%0D%0AX:%20y>`);
  expect([refusal?.status, fields]).toEqual([400, []]);
});
