import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** Of one process, as Node's `perf_hooks` has them. */
export interface GcPauses {
  count: number;
  totalMs: number;
  maxMs: number;
}

const WATCH = new URL(`gc-watch${import.meta.url.slice(-3)}`, import.meta.url);
const ANSWER_WITHIN_MS = 3_000;

/** Asks processes that were started with `env` what garbage collection has cost them. */
export class GcReader {
  readonly #folder = mkdtempSync(join(tmpdir(), 'parley-gc-'));
  readonly env = { NODE_OPTIONS: `--import=${WATCH.href}`, BENCH_GC_FOLDER: this.#folder };
  #asked = 0;

  /** For each process what there was since the last time, or since its start. */
  async read(pids: readonly number[]): Promise<Map<number, GcPauses>> {
    this.#asked++;
    for (const pid of pids) process.kill(pid, 'SIGUSR2');
    const deadlineMs = performance.now() + ANSWER_WITHIN_MS;
    const files = pids.map((pid) => join(this.#folder, `${pid}-${this.#asked}.json`));
    while (!files.every((file) => existsSync(file))) {
      if (performance.now() > deadlineMs) throw new Error('a process did not say what garbage collection cost it');
      await pause(5);
    }
    return new Map(pids.map((pid, index) => [pid, JSON.parse(readFileSync(files[index]!, 'utf8')) as GcPauses]));
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
