import {
  go,
  INFORM_REQUEST,
  INFORM_TRANSPORT_ERROR,
  SEND_RESPONSE,
  type Step,
  start,
  stay,
  TERMINATE,
  type TimerExpired,
} from './step.ts';

/** RFC 3261 §17.2.2; `initial` is before the request was taken. */
export type NonInviteServerState = 'initial' | 'trying' | 'proceeding' | 'completed' | 'terminated';

/** `status`: the transaction user's response; the first `request` is the request, later ones its retransmissions. */
export type NonInviteServerInput = 'request' | { readonly status: number } | TimerExpired | 'transport-error';

type NonInviteServerStep = Step<NonInviteServerState>;

/** The non-INVITE server transaction: one input, the next state, and what to do. */
export function stepNonInviteServer(
  state: NonInviteServerState,
  input: NonInviteServerInput,
  reliable: boolean,
): NonInviteServerStep {
  switch (state) {
    case 'initial':
      return input === 'request' ? go('trying', INFORM_REQUEST) : stay(state);
    case 'trying':
    case 'proceeding':
      if (input === 'request') return state === 'trying' ? stay(state) : go(state, SEND_RESPONSE);
      if (input === 'transport-error') return go('terminated', INFORM_TRANSPORT_ERROR, TERMINATE);
      if ('timer' in input) return stay(state);
      if (input.status < 200) return go('proceeding', SEND_RESPONSE);
      return go('completed', SEND_RESPONSE, ...start('J', reliable));
    case 'completed':
      if (input === 'request') return go(state, SEND_RESPONSE);
      if (input === 'transport-error') return go('terminated', INFORM_TRANSPORT_ERROR, TERMINATE);
      return 'timer' in input && input.timer === 'J' ? go('terminated', TERMINATE) : stay(state);
    case 'terminated':
      return stay(state);
  }
}
