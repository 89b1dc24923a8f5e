import { type ChildProcess, spawn } from 'node:child_process';

export interface ChildProgramOptions {
  cwd?: string;
  /** Added to this process's own environment; undefined takes a variable away. */
  env?: Record<string, string | undefined>;
  /** Takes standard output as it comes, instead of `output`. */
  onData?: (chunk: Buffer) => void;
}

export interface ExitStatus {
  code: number | null;
  signal: NodeJS.Signals | null;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the colours that terminal programs write are control characters.
const TERMINAL_COLOUR = /\u001b\[[0-9;]*m?/g;

/** Another program, run for a test: all that it writes is kept, and it never outlives the test process. */
export class ChildProgram {
  readonly name: string;
  readonly process: ChildProcess;
  readonly exited: Promise<ExitStatus>;
  /** Standard output, unless it goes elsewhere, and standard error as they came, without terminal colours. */
  output = '';
  #running = true;
  #waiting = new Set<() => void>();

  constructor(command: string, args: readonly string[], options: ChildProgramOptions = {}) {
    this.name = command;
    this.process = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.process.stdout?.on('data', options.onData ?? ((chunk: Buffer) => this.#received(chunk)));
    this.process.stderr?.on('data', (chunk: Buffer) => this.#received(chunk));
    // A program that ends while it is being written to is told by `exited`, not by an EPIPE.
    this.process.stdin?.on('error', () => {});
    this.exited = new Promise((resolve) => {
      const ended = (status: ExitStatus): void => {
        if (!this.#running) return;
        this.#running = false;
        process.removeListener('exit', this.#killWithUs);
        this.#wakeWaiting();
        resolve(status);
      };
      this.process.once('error', (error) => {
        this.output += `${error.message}\n`;
        ended({ code: null, signal: null });
      });
      this.process.once('close', (code, signal) => ended({ code, signal }));
    });
    process.once('exit', this.#killWithUs);
  }

  get running(): boolean {
    return this.#running;
  }

  get pid(): number {
    const { pid } = this.process;
    if (pid === undefined) throw new Error(`${this.name} was not started`);
    return pid;
  }

  write(text: string): void {
    this.process.stdin?.write(text);
  }

  /** Waits until the output, from `since` on, matches. Throws with the end of the output when it does not in time. */
  waitForOutput(pattern: RegExp, timeoutMs: number, since = 0): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(this.output.slice(since));
        if (match) settle(() => resolve(match));
        else if (!this.#running) settle(() => reject(this.#failure(`ended before it said ${pattern}`)));
      };
      const settle = (finish: () => void): void => {
        clearTimeout(deadline);
        this.#waiting.delete(look);
        finish();
      };
      const deadline = setTimeout(
        () => settle(() => reject(this.#failure(`did not say ${pattern} within ${timeoutMs} ms`))),
        timeoutMs,
      );
      this.#waiting.add(look);
      look();
    });
  }

  /** Sends a signal, then SIGKILL when that was not enough within the time given. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', withinMs = 3_000): Promise<ExitStatus> {
    if (this.#running) this.process.kill(signal);
    const hardStop = setTimeout(() => this.process.kill('SIGKILL'), withinMs);
    const status = await this.exited;
    clearTimeout(hardStop);
    return status;
  }

  /** What it needs before it can be used: it does not outlive that this fails. */
  async orStop<T>(ready: Promise<T>): Promise<T> {
    try {
      return await ready;
    } catch (error) {
      await this.stop('SIGKILL');
      throw error;
    }
  }

  #killWithUs = (): void => {
    if (this.#running) this.process.kill('SIGKILL');
  };

  #received(chunk: Buffer): void {
    this.output += chunk.toString('utf8').replace(TERMINAL_COLOUR, '');
    this.#wakeWaiting();
  }

  #wakeWaiting(): void {
    for (const look of [...this.#waiting]) look();
  }

  #failure(what: string): Error {
    return new Error(`${this.name} ${what}; its output ends with:\n${this.output.slice(-3_000)}`);
  }
}
