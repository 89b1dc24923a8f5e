import type { Timer, Timers } from '../../timers.ts';
import type { Output, Step, TimerExpired } from './step.ts';
import type { TimerName } from './timer-values.ts';

type Send = Extract<Output, { do: 'send' }>['message'];
type Inform = Extract<Output, { do: 'inform' }>['of'];

/** What a transaction can do for its state machine. */
export interface TransactionActions {
  send(message: Send): void;
  inform(of: Inform): void;
  /** Only retransmissions of the request are awaited now, for as long as timer J would run: somebody else does that. */
  completed?(): void;
  /** Nothing follows. */
  terminated(): void;
}

/** Runs one state machine: keeps its state and its timers, and does what it says. */
export class TransactionRunner<State extends string, Input> {
  state: State;
  private readonly step: (state: State, input: Input | TimerExpired, reliable: boolean) => Step<State>;
  private readonly reliable: boolean;
  private readonly timers: Timers;
  private readonly actions: TransactionActions;
  /** Null while none was ever set: most transactions need none. */
  private running: Map<TimerName, Timer> | null = null;
  private finished = false;

  constructor(
    step: (state: State, input: Input | TimerExpired, reliable: boolean) => Step<State>,
    initial: State,
    reliable: boolean,
    timers: Timers,
    actions: TransactionActions,
  ) {
    this.step = step;
    this.state = initial;
    this.reliable = reliable;
    this.timers = timers;
    this.actions = actions;
  }

  input(input: Input | TimerExpired): void {
    if (this.finished) return;
    const { state, outputs } = this.step(this.state, input, this.reliable);
    this.state = state;
    for (const output of outputs) this.perform(output);
  }

  /** Nothing happens any more, and nobody is told. */
  stop(): void {
    this.finished = true;
    if (this.running === null) return;
    for (const timer of this.running.values()) timer.clear();
    this.running = null;
  }

  private perform(output: Output): void {
    switch (output.do) {
      case 'send':
        this.actions.send(output.message);
        break;
      case 'inform':
        this.actions.inform(output.of);
        break;
      case 'set':
        this.set(output.timer, output.afterMs);
        break;
      case 'clear':
        this.clear(output.timer);
        break;
      case 'terminate':
        this.terminate();
        break;
    }
  }

  private set(timer: TimerName, afterMs: number): void {
    // The transaction user may have ended the transaction when it was informed, an output earlier.
    if (this.finished) return;
    const expired = { timer, afterMs };
    if (afterMs === 0) {
      this.input(expired);
      return;
    }
    if (timer === 'J' && this.actions.completed !== undefined) {
      this.actions.completed();
      return;
    }
    const running = this.timers.set(afterMs, () => {
      this.running?.delete(timer);
      this.input(expired);
    });
    this.running ??= new Map();
    this.running.set(timer, running);
  }

  private clear(timer: TimerName): void {
    this.running?.get(timer)?.clear();
    this.running?.delete(timer);
  }

  private terminate(): void {
    this.stop();
    this.actions.terminated();
  }
}
