import {
  clear,
  go,
  INFORM_RESPONSE,
  INFORM_TIMEOUT,
  INFORM_TRANSPORT_ERROR,
  SEND_ACK,
  SEND_REQUEST,
  type Step,
  start,
  stay,
  TERMINATE,
  type TimerExpired,
} from './step.ts';

/** RFC 3261 §17.1.1.2 as RFC 6026 §7.2 changes it; `initial` is before the INVITE was sent. */
export type InviteClientState = 'initial' | 'calling' | 'proceeding' | 'completed' | 'accepted' | 'terminated';

export type InviteClientInput = 'start' | { readonly status: number } | TimerExpired | 'transport-error';

type InviteClientStep = Step<InviteClientState>;

/** The INVITE client transaction: one input, the next state, and what to do. */
export function stepInviteClient(
  state: InviteClientState,
  input: InviteClientInput,
  reliable: boolean,
): InviteClientStep {
  if (input === 'start') {
    if (state !== 'initial') throw new Error(`INVITE client transaction started in state ${state}`);
    return go('calling', SEND_REQUEST, ...start('A', reliable), ...start('B', reliable));
  }
  if (input === 'transport-error') return transportError(state);
  if ('status' in input) return response(state, input.status, reliable);
  return timerExpired(state, input);
}

function response(state: InviteClientState, status: number, reliable: boolean): InviteClientStep {
  switch (state) {
    case 'calling':
    case 'proceeding':
      if (status < 200) {
        const first = state === 'calling' ? [clear('A'), clear('B')] : [];
        return go('proceeding', ...first, INFORM_RESPONSE);
      }
      if (status < 300) return go('accepted', clear('A'), clear('B'), INFORM_RESPONSE, ...start('M', reliable));
      return go('completed', clear('A'), clear('B'), SEND_ACK, INFORM_RESPONSE, ...start('D', reliable));
    case 'completed':
      return status >= 300 ? go(state, SEND_ACK) : stay(state);
    case 'accepted':
      // The ACK for each 2xx is the transaction user's (RFC 6026 §7.2).
      return status >= 200 && status < 300 ? go(state, INFORM_RESPONSE) : stay(state);
    case 'initial':
    case 'terminated':
      return stay(state);
  }
}

function timerExpired(state: InviteClientState, { timer, afterMs }: TimerExpired): InviteClientStep {
  switch (state) {
    case 'calling':
      if (timer === 'A') return go(state, SEND_REQUEST, { do: 'set', timer, afterMs: afterMs * 2 });
      return timer === 'B' ? go('terminated', INFORM_TIMEOUT, TERMINATE) : stay(state);
    case 'completed':
      return timer === 'D' ? go('terminated', TERMINATE) : stay(state);
    case 'accepted':
      return timer === 'M' ? go('terminated', TERMINATE) : stay(state);
    case 'initial':
    case 'proceeding':
    case 'terminated':
      return stay(state);
  }
}

function transportError(state: InviteClientState): InviteClientStep {
  switch (state) {
    case 'calling':
    case 'completed':
      return go('terminated', INFORM_TRANSPORT_ERROR, TERMINATE);
    case 'proceeding':
      // Deviation: RFC 3261 names no error here since it sends nothing; but a lost connection brings no answer any more.
      return go('terminated', INFORM_TRANSPORT_ERROR, TERMINATE);
    case 'initial':
    case 'accepted':
    case 'terminated':
      return stay(state);
  }
}
