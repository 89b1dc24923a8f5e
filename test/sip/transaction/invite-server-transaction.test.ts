import { describe, it } from 'vitest';
import { type InviteServerState, stepInviteServer } from '../../../server/sip/transaction/invite-server-transaction.ts';
import { expectTransitions, type Transition } from './transition-table.ts';

const STATES: InviteServerState[] = ['initial', 'proceeding', 'completed', 'confirmed', 'accepted', 'terminated'];

const COMMON: Transition<InviteServerState>[] = [
  ['initial', 'request', 'proceeding', 'inform request'],
  ['proceeding', 'request', 'proceeding', 'send response'],
  ['proceeding', 180, 'proceeding', 'send response'],
  ['proceeding', 200, 'accepted', 'send response, set L 32000'],
  ['proceeding', 'transport-error', 'proceeding', 'inform transport-error'],
  ['completed', 'request', 'completed', 'send response'],
  ['completed', 'H 32000', 'terminated', 'inform timeout, terminate'],
  ['completed', 'transport-error', 'completed', 'inform transport-error'],
  ['confirmed', 'transport-error', 'confirmed', 'inform transport-error'],
  ['accepted', 'ack', 'accepted', 'inform ack'],
  ['accepted', 200, 'accepted', 'send response'],
  ['accepted', 'L 32000', 'terminated', 'terminate'],
  ['accepted', 'transport-error', 'accepted', 'inform transport-error'],
];

describe('INVITE server transaction (RFC 3261 §17.2.1, RFC 6026 §7.1)', () => {
  it('follows the diagram over an unreliable transport', () => {
    expectTransitions(
      stepInviteServer,
      false,
      [
        ...COMMON,
        ['proceeding', 487, 'completed', 'send response, set G 500, set H 32000'],
        ['completed', 'G 500', 'completed', 'send response, set G 1000'],
        ['completed', 'G 4000', 'completed', 'send response, set G 4000'],
        ['completed', 'ack', 'confirmed', 'clear G, clear H, set I 5000'],
        ['confirmed', 'I 5000', 'terminated', 'terminate'],
      ],
      STATES,
    );
  });

  it('follows the diagram over a reliable transport: a refusal is sent once, and I is zero', () => {
    expectTransitions(
      stepInviteServer,
      true,
      [
        ...COMMON,
        ['proceeding', 487, 'completed', 'send response, set H 32000'],
        ['completed', 'ack', 'confirmed', 'clear G, clear H, set I 0'],
        ['confirmed', 'I 0', 'terminated', 'terminate'],
      ],
      STATES,
    );
  });
});
