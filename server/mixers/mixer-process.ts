import { type ChildProcess, fork } from 'node:child_process';
import { setPriority } from 'node:os';
import type { FromMixer, MixerEvent, MixerRequests, MixerSettings, Requests, ToMixer } from '../../mixer/protocol.ts';

/** How a mixer process is run. */
export interface MixerProgram {
  /** Path of its compiled `main.js`. */
  readonly path: string;
  /** Flags for Node, besides the server's own. */
  readonly flags: readonly string[];
  /** 0 to 19: who has more gives way to others. */
  readonly niceness: number;
  /** Requests that may wait a moment: the caller is gone already. */
  readonly unhurried: ReadonlySet<string>;
}

export interface MixerProcessOptions<R extends Requests<R> = MixerRequests, E = MixerEvent> {
  program: MixerProgram;
  received(message: FromMixer<R, E>): void;
  /** Exactly once. */
  exited(reason: string): void;
}

/** Of libuv's four, recordings on a disk that hangs would take all, and no prompt could be read from another. */
const FILE_THREADS = '16';

/** As long as a tick. */
const UNHURRIED_MS = 20;

/** A mixer as a child process: the rim under `MixerChannel`. */
export class MixerProcess<R extends Requests<R> = MixerRequests, E = MixerEvent, S = MixerSettings> {
  private readonly child: ChildProcess;
  private readonly unhurried: ReadonlySet<string>;
  /** What is to be sent at the end of this turn of the event loop, or soon after. */
  private waiting: ToMixer<R, S>[] = [];
  private turnEnd: NodeJS.Immediate | null = null;
  private soon: NodeJS.Timeout | null = null;

  constructor(options: MixerProcessOptions<R, E>) {
    const { path, flags, niceness, unhurried } = options.program;
    this.unhurried = unhurried;
    // No signals from the terminal: the server ends its mixers itself, after it has said goodbye to the callers.
    this.child = fork(path, [], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      detached: true,
      execArgv: [...process.execArgv, ...flags],
      env: { ...process.env, UV_THREADPOOL_SIZE: process.env['UV_THREADPOOL_SIZE'] ?? FILE_THREADS },
    });
    if (niceness > 0) giveWay(this.child, niceness);
    let gone = false;
    const exited = (reason: string): void => {
      if (gone) return;
      gone = true;
      options.exited(reason);
    };
    this.child.on('message', (messages) => {
      for (const message of messages as FromMixer<R, E>[]) options.received(message);
    });
    this.child.on('error', (error) => exited(error.message));
    this.child.on('exit', (code, signal) => exited(signal ? `ended by ${signal}` : `ended with code ${code}`));
  }

  /**
   * What a turn of the event loop has to say goes together, in its order: each write wakes the mixer, which costs more than
   * the messages in it. What nobody is in a hurry for waits a moment for something to go along with.
   */
  send(message: ToMixer<R, S>): void {
    this.waiting.push(message);
    if (message.type === 'request' && this.unhurried.has(message.method)) {
      this.soon ??= setTimeout(() => this.flush(), UNHURRIED_MS);
    } else {
      this.turnEnd ??= setImmediate(() => this.flush());
    }
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  /** Lets go of the channel; the mixer ends by itself when it sees that. */
  disconnect(): void {
    this.flush();
    if (this.child.connected) this.child.disconnect();
  }

  private flush(): void {
    if (this.turnEnd !== null) clearImmediate(this.turnEnd);
    if (this.soon !== null) clearTimeout(this.soon);
    this.turnEnd = null;
    this.soon = null;
    const messages = this.waiting;
    if (messages.length === 0) return;
    this.waiting = [];
    // A failure to send is followed by the exit, which settles everything.
    if (this.child.connected) this.child.send(messages, () => undefined);
  }
}

/** At once, so that the threads that it is going to start have it from the beginning. */
function giveWay({ pid }: ChildProcess, niceness: number): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, niceness);
  } catch {
    // It has ended already, which is told.
  }
}
