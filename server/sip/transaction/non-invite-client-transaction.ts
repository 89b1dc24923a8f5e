import {
  clear,
  go,
  INFORM_RESPONSE,
  INFORM_TIMEOUT,
  INFORM_TRANSPORT_ERROR,
  SEND_REQUEST,
  type Step,
  start,
  stay,
  TERMINATE,
  type TimerExpired,
} from './step.ts';
import { doubled, T2_MS } from './timer-values.ts';

/** RFC 3261 §17.1.2.2; `initial` is before the request was sent. */
export type NonInviteClientState = 'initial' | 'trying' | 'proceeding' | 'completed' | 'terminated';

export type NonInviteClientInput = 'start' | { readonly status: number } | TimerExpired | 'transport-error';

type NonInviteClientStep = Step<NonInviteClientState>;

/** The non-INVITE client transaction: one input, the next state, and what to do. */
export function stepNonInviteClient(
  state: NonInviteClientState,
  input: NonInviteClientInput,
  reliable: boolean,
): NonInviteClientStep {
  if (input === 'start') {
    if (state !== 'initial') throw new Error(`non-INVITE client transaction started in state ${state}`);
    return go('trying', SEND_REQUEST, ...start('E', reliable), ...start('F', reliable));
  }
  if (state !== 'trying' && state !== 'proceeding') {
    const lingered = state === 'completed' && typeof input === 'object' && 'timer' in input && input.timer === 'K';
    return lingered ? go('terminated', TERMINATE) : stay(state);
  }
  if (input === 'transport-error') return go('terminated', INFORM_TRANSPORT_ERROR, TERMINATE);
  if ('status' in input) {
    if (input.status < 200) return go('proceeding', INFORM_RESPONSE);
    return go('completed', clear('E'), clear('F'), INFORM_RESPONSE, ...start('K', reliable));
  }
  return timerExpired(state, input);
}

function timerExpired(state: 'trying' | 'proceeding', { timer, afterMs }: TimerExpired): NonInviteClientStep {
  if (timer === 'F') return go('terminated', INFORM_TIMEOUT, TERMINATE);
  if (timer !== 'E') return stay(state);
  // Once a provisional response came, retransmissions are T2 apart.
  const nextMs = state === 'trying' ? doubled(afterMs) : T2_MS;
  return go(state, SEND_REQUEST, { do: 'set', timer, afterMs: nextMs });
}
