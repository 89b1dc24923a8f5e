import { describe, it } from 'vitest';
import {
  type NonInviteServerState,
  stepNonInviteServer,
} from '../../../server/sip/transaction/non-invite-server-transaction.ts';
import { expectTransitions, type Transition } from './transition-table.ts';

const STATES: NonInviteServerState[] = ['initial', 'trying', 'proceeding', 'completed', 'terminated'];

const COMMON: Transition<NonInviteServerState>[] = [
  ['initial', 'request', 'trying', 'inform request'],
  ['trying', 100, 'proceeding', 'send response'],
  ['trying', 'transport-error', 'terminated', 'inform transport-error, terminate'],
  ['proceeding', 'request', 'proceeding', 'send response'],
  ['proceeding', 100, 'proceeding', 'send response'],
  ['proceeding', 'transport-error', 'terminated', 'inform transport-error, terminate'],
  ['completed', 'request', 'completed', 'send response'],
  ['completed', 'transport-error', 'terminated', 'inform transport-error, terminate'],
];

describe('non-INVITE server transaction (RFC 3261 §17.2.2)', () => {
  it('follows the diagram over an unreliable transport', () => {
    expectTransitions(
      stepNonInviteServer,
      false,
      [
        ...COMMON,
        ['trying', 200, 'completed', 'send response, set J 32000'],
        ['proceeding', 200, 'completed', 'send response, set J 32000'],
        ['completed', 'J 32000', 'terminated', 'terminate'],
      ],
      STATES,
    );
  });

  it('follows the diagram over a reliable transport: J is zero', () => {
    expectTransitions(
      stepNonInviteServer,
      true,
      [
        ...COMMON,
        ['trying', 200, 'completed', 'send response, set J 0'],
        ['proceeding', 200, 'completed', 'send response, set J 0'],
        ['completed', 'J 0', 'terminated', 'terminate'],
      ],
      STATES,
    );
  });
});
