import { type ChildProcess, fork } from 'node:child_process';
import type { FromMixer, MixerMethod, ToMixer } from '../../mixer/protocol.ts';

export interface MixerProcessOptions {
  /** Path of the mixer's compiled `main.js`. */
  program: string;
  received(message: FromMixer): void;
  /** Exactly once. */
  exited(reason: string): void;
}

/**
 * A mixer allocates little, so what V8 sets aside for new objects can be small (megabytes): of each caller's memory that
 * was half.
 */
const YOUNG_GENERATION = '--max-semi-space-size=1';
/** Of libuv's four, recordings on a disk that hangs would take all, and no prompt could be read from another. */
const FILE_THREADS = '16';

/** What may wait: the caller is gone already. */
const UNHURRIED: ReadonlySet<MixerMethod> = new Set(['closeLeg', 'closeRoom']);
/** As long as a tick. */
const UNHURRIED_MS = 20;

/** A mixer as a child process: the rim under `MixerChannel`. */
export class MixerProcess {
  private readonly child: ChildProcess;
  /** What is to be sent at the end of this turn of the event loop, or soon after. */
  private waiting: ToMixer[] = [];
  private turnEnd: NodeJS.Immediate | null = null;
  private soon: NodeJS.Timeout | null = null;

  constructor(options: MixerProcessOptions) {
    // No signals from the terminal: the server ends its mixers itself, after it has said goodbye to the callers.
    this.child = fork(options.program, [], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      detached: true,
      execArgv: [...process.execArgv, YOUNG_GENERATION],
      env: { ...process.env, UV_THREADPOOL_SIZE: process.env['UV_THREADPOOL_SIZE'] ?? FILE_THREADS },
    });
    let gone = false;
    const exited = (reason: string): void => {
      if (gone) return;
      gone = true;
      options.exited(reason);
    };
    this.child.on('message', (messages) => {
      for (const message of messages as FromMixer[]) options.received(message);
    });
    this.child.on('error', (error) => exited(error.message));
    this.child.on('exit', (code, signal) => exited(signal ? `ended by ${signal}` : `ended with code ${code}`));
  }

  /**
   * What a turn of the event loop has to say goes together, in its order: each write wakes the mixer, which costs more than
   * the messages in it. What nobody is in a hurry for waits a moment for something to go along with.
   */
  send(message: ToMixer): void {
    this.waiting.push(message);
    if (message.type === 'request' && UNHURRIED.has(message.method)) {
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
