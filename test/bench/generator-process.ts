import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FromGenerator, LoadJob, LoadResult, ToGenerator } from './load-protocol.ts';

const GENERATOR = fileURLToPath(new URL(`load-generator${import.meta.url.slice(-3)}`, import.meta.url));

/** The load generator as a child process of the benchmark. */
export class GeneratorProcess {
  readonly #child: ChildProcess = fork(GENERATOR, { serialization: 'advanced' });

  get pid(): number {
    return this.#child.pid!;
  }

  /** Begins to call; with a refusal nothing is sent. */
  async start(job: LoadJob): Promise<{ calls: number; refusal: string | null }> {
    const running = this.#heard('running');
    this.#tell({ type: 'start', job });
    return running;
  }

  /** `measuring` is called as it begins; the result comes some time after the end: it is analysed first. */
  async measure<Measured>(
    seconds: number,
    measuring: () => Promise<Measured>,
  ): Promise<{ result: LoadResult; measured: Measured }> {
    const begun = this.#heard('measuring');
    const heard = this.#heard('measured');
    this.#tell({ type: 'measure', seconds });
    const [{ result }, measured] = await Promise.all([heard, begun.then(measuring)]);
    return { result, measured };
  }

  /** Hangs up. */
  async stop(): Promise<void> {
    const stopped = this.#heard('stopped');
    this.#tell({ type: 'stop' });
    await stopped;
  }

  async end(): Promise<void> {
    await endChild(this.#child);
  }

  #tell(message: ToGenerator): void {
    this.#child.send(message);
  }

  #heard<Type extends FromGenerator['type']>(type: Type): Promise<Extract<FromGenerator, { type: Type }>> {
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void): void => {
        this.#child.off('message', listen);
        this.#child.off('exit', ended);
        finish();
      };
      const listen = (message: FromGenerator): void => {
        if (message.type === type) settle(() => resolve(message as Extract<FromGenerator, { type: Type }>));
        else if (message.type === 'failed') settle(() => reject(new Error(`load generator: ${message.message}`)));
      };
      const ended = (): void => settle(() => reject(new Error('the load generator ended')));
      this.#child.on('message', listen);
      this.#child.on('exit', ended);
    });
  }
}

export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill();
  await exited;
}
