import { describe, expect, it } from 'vitest';
import {
  type NonInviteClientState,
  stepNonInviteClient,
} from '../../../server/sip/transaction/non-invite-client-transaction.ts';
import { expectTransitions, type Transition } from './transition-table.ts';

const STATES: NonInviteClientState[] = ['initial', 'trying', 'proceeding', 'completed', 'terminated'];

const COMMON: Transition<NonInviteClientState>[] = [
  ['trying', 'F 32000', 'terminated', 'inform timeout, terminate'],
  ['trying', 'transport-error', 'terminated', 'inform transport-error, terminate'],
  ['trying', 100, 'proceeding', 'inform response'],
  ['proceeding', 100, 'proceeding', 'inform response'],
  ['proceeding', 'F 32000', 'terminated', 'inform timeout, terminate'],
  ['proceeding', 'transport-error', 'terminated', 'inform transport-error, terminate'],
];

describe('non-INVITE client transaction (RFC 3261 §17.1.2)', () => {
  it('follows the diagram over an unreliable transport', () => {
    expectTransitions(
      stepNonInviteClient,
      false,
      [
        ...COMMON,
        ['initial', 'start', 'trying', 'send request, set E 500, set F 32000'],
        ['trying', 'E 500', 'trying', 'send request, set E 1000'],
        ['trying', 'E 2000', 'trying', 'send request, set E 4000'],
        ['trying', 'E 4000', 'trying', 'send request, set E 4000'],
        ['trying', 200, 'completed', 'clear E, clear F, inform response, set K 5000'],
        ['trying', 481, 'completed', 'clear E, clear F, inform response, set K 5000'],
        ['proceeding', 'E 500', 'proceeding', 'send request, set E 4000'],
        ['proceeding', 'E 2000', 'proceeding', 'send request, set E 4000'],
        ['proceeding', 'E 4000', 'proceeding', 'send request, set E 4000'],
        ['proceeding', 200, 'completed', 'clear E, clear F, inform response, set K 5000'],
        ['proceeding', 481, 'completed', 'clear E, clear F, inform response, set K 5000'],
        ['completed', 'K 5000', 'terminated', 'terminate'],
      ],
      STATES,
    );
  });

  it('follows the diagram over a reliable transport: nothing is sent again, and K is zero', () => {
    expectTransitions(
      stepNonInviteClient,
      true,
      [
        ...COMMON,
        ['initial', 'start', 'trying', 'send request, set F 32000'],
        ['trying', 200, 'completed', 'clear E, clear F, inform response, set K 0'],
        ['proceeding', 200, 'completed', 'clear E, clear F, inform response, set K 0'],
        ['completed', 'K 0', 'terminated', 'terminate'],
      ],
      STATES,
    );
  });

  it('cannot be started twice', () => {
    expect(() => stepNonInviteClient('trying', 'start', false)).toThrow('trying');
  });
});
