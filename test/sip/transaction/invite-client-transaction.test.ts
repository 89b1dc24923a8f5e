import { describe, expect, it } from 'vitest';
import { type InviteClientState, stepInviteClient } from '../../../server/sip/transaction/invite-client-transaction.ts';
import { expectTransitions, type Transition } from './transition-table.ts';

const STATES: InviteClientState[] = ['initial', 'calling', 'proceeding', 'completed', 'accepted', 'terminated'];

const COMMON: Transition<InviteClientState>[] = [
  ['calling', 'B 32000', 'terminated', 'inform timeout, terminate'],
  ['calling', 'transport-error', 'terminated', 'inform transport-error, terminate'],
  ['calling', 180, 'proceeding', 'clear A, clear B, inform response'],
  ['calling', 200, 'accepted', 'clear A, clear B, inform response, set M 32000'],
  ['proceeding', 180, 'proceeding', 'inform response'],
  ['proceeding', 200, 'accepted', 'clear A, clear B, inform response, set M 32000'],
  ['proceeding', 'transport-error', 'terminated', 'inform transport-error, terminate'],
  ['completed', 486, 'completed', 'send ack'],
  ['completed', 'transport-error', 'terminated', 'inform transport-error, terminate'],
  ['accepted', 200, 'accepted', 'inform response'],
  ['accepted', 'M 32000', 'terminated', 'terminate'],
];

describe('INVITE client transaction (RFC 3261 §17.1.1, RFC 6026 §7.2)', () => {
  it('follows the diagram over an unreliable transport', () => {
    expectTransitions(
      stepInviteClient,
      false,
      [
        ...COMMON,
        ['initial', 'start', 'calling', 'send request, set A 500, set B 32000'],
        ['calling', 'A 500', 'calling', 'send request, set A 1000'],
        ['calling', 'A 16000', 'calling', 'send request, set A 32000'],
        ['calling', 486, 'completed', 'clear A, clear B, send ack, inform response, set D 32000'],
        ['proceeding', 486, 'completed', 'clear A, clear B, send ack, inform response, set D 32000'],
        ['completed', 'D 32000', 'terminated', 'terminate'],
      ],
      STATES,
    );
  });

  it('follows the diagram over a reliable transport: nothing is sent again, and D is zero', () => {
    expectTransitions(
      stepInviteClient,
      true,
      [
        ...COMMON,
        ['initial', 'start', 'calling', 'send request, set B 32000'],
        ['calling', 486, 'completed', 'clear A, clear B, send ack, inform response, set D 0'],
        ['proceeding', 486, 'completed', 'clear A, clear B, send ack, inform response, set D 0'],
        ['completed', 'D 0', 'terminated', 'terminate'],
      ],
      STATES,
    );
  });

  it('cannot be started twice', () => {
    expect(() => stepInviteClient('calling', 'start', false)).toThrow('calling');
  });
});
