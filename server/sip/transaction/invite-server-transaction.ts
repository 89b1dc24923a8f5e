import {
  clear,
  go,
  INFORM_ACK,
  INFORM_REQUEST,
  INFORM_TIMEOUT,
  INFORM_TRANSPORT_ERROR,
  SEND_RESPONSE,
  type Step,
  start,
  stay,
  TERMINATE,
  type TimerExpired,
} from './step.ts';
import { doubled } from './timer-values.ts';

/** RFC 3261 §17.2.1 as RFC 6026 §7.1 changes it; `initial` is before the INVITE was taken. */
export type InviteServerState = 'initial' | 'proceeding' | 'completed' | 'confirmed' | 'accepted' | 'terminated';

/** `status`: the transaction user's response; the first `request` is the INVITE, later ones its retransmissions. */
export type InviteServerInput = 'request' | 'ack' | { readonly status: number } | TimerExpired | 'transport-error';

type InviteServerStep = Step<InviteServerState>;

/**
 * The INVITE server transaction: one input, the next state, and what to do.
 * A retransmitted INVITE in `proceeding` sends the last provisional response, if there is one: 100 comes after 200 ms.
 */
export function stepInviteServer(
  state: InviteServerState,
  input: InviteServerInput,
  reliable: boolean,
): InviteServerStep {
  if (input === 'request') return invite(state);
  if (input === 'ack') return ack(state, reliable);
  if (input === 'transport-error') {
    // The state stays, so that retransmissions are still absorbed (RFC 6026 §7.1).
    return state === 'initial' || state === 'terminated' ? stay(state) : go(state, INFORM_TRANSPORT_ERROR);
  }
  if ('status' in input) return respond(state, input.status, reliable);
  return timerExpired(state, input);
}

function invite(state: InviteServerState): InviteServerStep {
  switch (state) {
    case 'initial':
      return go('proceeding', INFORM_REQUEST);
    case 'proceeding':
    case 'completed':
      return go(state, SEND_RESPONSE);
    case 'accepted':
    case 'confirmed':
    case 'terminated':
      return stay(state);
  }
}

function ack(state: InviteServerState, reliable: boolean): InviteServerStep {
  switch (state) {
    case 'completed':
      return go('confirmed', clear('G'), clear('H'), ...start('I', reliable));
    case 'accepted':
      return go(state, INFORM_ACK);
    case 'initial':
    case 'proceeding':
    case 'confirmed':
    case 'terminated':
      return stay(state);
  }
}

function respond(state: InviteServerState, status: number, reliable: boolean): InviteServerStep {
  const success = status >= 200 && status < 300;
  switch (state) {
    case 'proceeding':
      if (status < 200) return go(state, SEND_RESPONSE);
      if (success) return go('accepted', SEND_RESPONSE, ...start('L', reliable));
      return go('completed', SEND_RESPONSE, ...start('G', reliable), ...start('H', reliable));
    case 'accepted':
      return success ? go(state, SEND_RESPONSE) : stay(state);
    case 'initial':
    case 'completed':
    case 'confirmed':
    case 'terminated':
      return stay(state);
  }
}

function timerExpired(state: InviteServerState, { timer, afterMs }: TimerExpired): InviteServerStep {
  switch (state) {
    case 'completed':
      if (timer === 'G') return go(state, SEND_RESPONSE, { do: 'set', timer, afterMs: doubled(afterMs) });
      return timer === 'H' ? go('terminated', INFORM_TIMEOUT, TERMINATE) : stay(state);
    case 'confirmed':
      return timer === 'I' ? go('terminated', TERMINATE) : stay(state);
    case 'accepted':
      return timer === 'L' ? go('terminated', TERMINATE) : stay(state);
    case 'initial':
    case 'proceeding':
    case 'terminated':
      return stay(state);
  }
}
