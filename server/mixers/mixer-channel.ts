import type {
  FromMixer,
  MixerErrorCode,
  MixerEvent,
  MixerRequests,
  MixerSettings,
  Requests,
  ToMixer,
} from '../../mixer/protocol.ts';
import type { Timer, Timers } from '../timers.ts';

export class MixerError extends Error {
  readonly code: MixerErrorCode;

  constructor(code: MixerErrorCode, message: string) {
    super(message);
    this.name = 'MixerError';
    this.code = code;
  }
}

/** A mixer that does not answer for this long is taken for dead. */
export const DEADLINE_MS = 5000;
/** A new process has everything to load first, perhaps on a busy machine. */
export const GREETING_MS = 30_000;

interface Waiting {
  method: string;
  resolve(result: never): void;
  reject(error: MixerError): void;
  deadline: Timer;
}

export interface MixerChannelOptions<R extends Requests<R> = MixerRequests, E = MixerEvent, S = MixerSettings> {
  /** Of the protocol; a mixer of another one is refused. */
  version: number;
  timers: Timers;
  send(message: ToMixer<R, S>): void;
  /**
   * It is there, and waits for `configure`.
   * @param native see `FromMixer`.
   */
  greeted(pid: number, native: readonly string[]): void;
  event(event: E): void;
  /** The other side broke the protocol or missed a deadline: the process should be ended. */
  failed(reason: string): void;
}

/**
 * One mixer's side of the protocol: handshake, request ids, deadlines. No process inside: it is told what came in.
 * Every promise that it gave is settled when the process goes.
 */
export class MixerChannel<R extends Requests<R> = MixerRequests, E = MixerEvent, S = MixerSettings> {
  private readonly options: MixerChannelOptions<R, E, S>;
  private readonly waiting = new Map<number, Waiting>();
  private readonly greeting: Timer;
  private nextId = 1;
  private state: 'greeting' | 'spare' | 'open' | 'closed' = 'greeting';

  constructor(options: MixerChannelOptions<R, E, S>) {
    this.options = options;
    this.greeting = options.timers.set(GREETING_MS, () => options.failed('it did not greet in time'));
  }

  /** Greeted and not configured yet. */
  get spare(): boolean {
    return this.state === 'spare';
  }

  get pending(): number {
    return this.waiting.size;
  }

  /** Puts a mixer that has greeted to work. */
  configure(settings: S): void {
    if (this.state !== 'spare') throw new Error(`a mixer that is ${this.state} cannot be configured`);
    this.state = 'open';
    this.options.send({ type: 'configure', version: this.options.version, settings });
  }

  /** @throws MixerError in the promise: what the mixer answered, `deadline`, or `mixer-gone`. */
  request<M extends keyof R & string>(
    method: M,
    params: R[M]['params'],
    deadlineMs = DEADLINE_MS,
  ): Promise<R[M]['result']> {
    if (this.state !== 'open') return Promise.reject(new MixerError('mixer-gone', `${method}: the mixer is not there`));
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const deadline = this.options.timers.set(deadlineMs, () => this.missed(id));
      this.waiting.set(id, { method, resolve: resolve as (result: never) => void, reject, deadline });
      this.options.send({ type: 'request', id, method, params });
    });
  }

  received(message: FromMixer<R, E>): void {
    if (this.state === 'closed') return;
    switch (message.type) {
      case 'hello':
        return this.greeted(message.version, message.pid, message.native ?? []);
      case 'reply':
        return this.settle(message.id)?.resolve(message.result as never);
      case 'error': {
        const waiting = this.settle(message.id);
        return waiting?.reject(new MixerError(message.code, `${waiting.method}: ${message.message}`));
      }
      case 'event':
        return this.options.event(message);
    }
  }

  /** The process is gone. */
  closed(reason: string): void {
    this.state = 'closed';
    this.greeting.clear();
    for (const id of [...this.waiting.keys()]) {
      const waiting = this.settle(id)!;
      waiting.reject(new MixerError('mixer-gone', `${waiting.method}: ${reason}`));
    }
  }

  private greeted(version: number, pid: number, native: readonly string[]): void {
    this.greeting.clear();
    const ours = this.options.version;
    if (version !== ours) return this.options.failed(`it speaks protocol version ${version}, we speak ${ours}`);
    this.state = 'spare';
    this.options.greeted(pid, native);
  }

  private missed(id: number): void {
    const waiting = this.settle(id);
    if (!waiting) return;
    waiting.reject(new MixerError('deadline', `${waiting.method}: no answer in time`));
    this.options.failed(`no answer to ${waiting.method} in time`);
  }

  private settle(id: number): Waiting | undefined {
    const waiting = this.waiting.get(id);
    if (!waiting) return undefined;
    this.waiting.delete(id);
    waiting.deadline.clear();
    return waiting;
  }
}

/** Whether the mixer is dead, or taken for dead: its next life may be asked again. */
export function isLost(error: unknown): boolean {
  return error instanceof MixerError && (error.code === 'mixer-gone' || error.code === 'deadline');
}

/** For what a dead mixer cannot do, and its next life need not. */
export function orGone(error: unknown): void {
  if (!(error instanceof MixerError && error.code === 'mixer-gone')) throw error;
}
