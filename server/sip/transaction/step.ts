import { TIMER_VALUES, type TimerName } from './timer-values.ts';

/** What a transaction's state machine wants done, in order. */
export type Output =
  /** Put this on the wire: the request, the ACK for a refusal, or the last response. */
  | { readonly do: 'send'; readonly message: 'request' | 'ack' | 'response' }
  | { readonly do: 'set'; readonly timer: TimerName; readonly afterMs: number }
  | { readonly do: 'clear'; readonly timer: TimerName }
  /** Tell the transaction user of what came in, or of the failure. */
  | { readonly do: 'inform'; readonly of: 'request' | 'ack' | 'response' | 'timeout' | 'transport-error' }
  /** Destroy the transaction and every timer of it. */
  | { readonly do: 'terminate' };

export interface Step<State> {
  readonly state: State;
  readonly outputs: readonly Output[];
}

/** What a timer says when it expires: how long it had been set for, from which the next interval follows. */
export interface TimerExpired {
  readonly timer: TimerName;
  readonly afterMs: number;
}

export const SEND_REQUEST: Output = { do: 'send', message: 'request' };
export const SEND_ACK: Output = { do: 'send', message: 'ack' };
export const SEND_RESPONSE: Output = { do: 'send', message: 'response' };
export const INFORM_REQUEST: Output = { do: 'inform', of: 'request' };
export const INFORM_ACK: Output = { do: 'inform', of: 'ack' };
export const INFORM_RESPONSE: Output = { do: 'inform', of: 'response' };
export const INFORM_TIMEOUT: Output = { do: 'inform', of: 'timeout' };
export const INFORM_TRANSPORT_ERROR: Output = { do: 'inform', of: 'transport-error' };
export const TERMINATE: Output = { do: 'terminate' };

const NOTHING: readonly Output[] = [];

/** The input has no effect in this state. */
export function stay<State>(state: State): Step<State> {
  return { state, outputs: NOTHING };
}

export function go<State>(state: State, ...outputs: Output[]): Step<State> {
  return { state, outputs };
}

/** Sets a timer to its first value; nothing where the transport makes it needless. */
export function start(timer: TimerName, reliable: boolean): Output[] {
  const afterMs = TIMER_VALUES[timer][reliable ? 'reliable' : 'unreliable'];
  return afterMs === null ? [] : [{ do: 'set', timer, afterMs }];
}

export function clear(timer: TimerName): Output {
  return { do: 'clear', timer };
}
