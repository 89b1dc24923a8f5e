import type { Timers } from '../../timers.ts';
import type { Flows } from '../transaction/flows.ts';
import type { TransactionLayer } from '../transaction/transaction-layer.ts';
import type { CallSession } from './call-session.ts';
import type { LocalEnd } from './local-end.ts';
import type { RandomSource } from './random-source.ts';
import type { EventPackage } from './received-subscription.ts';
import type { SessionTimerPolicy } from './session-interval.ts';
import type { Subscriptions } from './subscriptions.ts';
import type { Ways } from './ways.ts';

/** What calls need of the user agent. */
export interface CallContext {
  readonly timers: Timers;
  readonly flows: Flows;
  readonly ways: Ways;
  readonly transactions: TransactionLayer;
  readonly local: LocalEnd;
  readonly random: RandomSource;
  readonly sessionTimer: SessionTimerPolicy;
  readonly subscriptions: Subscriptions;
  /** What can be subscribed to, by name. */
  readonly packages: ReadonlyMap<string, EventPackage>;
  /** Requests for the session's dialog are to come to it. */
  remember(session: CallSession): void;
  /** No request for the dialog is expected any more. */
  forget(session: CallSession): void;
}
