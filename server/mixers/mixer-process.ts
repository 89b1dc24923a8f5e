import { type ChildProcess, fork } from 'node:child_process';
import type { FromMixer, ToMixer } from '../../mixer/protocol.ts';

export interface MixerProcessOptions {
  /** Path of the mixer's compiled `main.js`. */
  program: string;
  received(message: FromMixer): void;
  /** Exactly once. */
  exited(reason: string): void;
}

/** A mixer as a child process: the rim under `MixerChannel`. */
export class MixerProcess {
  private readonly child: ChildProcess;

  constructor(options: MixerProcessOptions) {
    // No signals from the terminal: the server ends its mixers itself, after it has said goodbye to the callers.
    this.child = fork(options.program, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], detached: true });
    let gone = false;
    const exited = (reason: string): void => {
      if (gone) return;
      gone = true;
      options.exited(reason);
    };
    this.child.on('message', (message) => options.received(message as FromMixer));
    this.child.on('error', (error) => exited(error.message));
    this.child.on('exit', (code, signal) => exited(signal ? `ended by ${signal}` : `ended with code ${code}`));
  }

  send(message: ToMixer): void {
    // A failure to send is followed by the exit, which settles everything.
    if (this.child.connected) this.child.send(message, () => undefined);
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  /** Lets go of the channel; the mixer ends by itself when it sees that. */
  disconnect(): void {
    if (this.child.connected) this.child.disconnect();
  }
}
