import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** Of one process, as Node's `perf_hooks` has them. */
export interface GcPauses {
  count: number;
  totalMs: number;
  maxMs: number;
}

/** After garbage was collected, in bytes. What the kernel keeps for sockets is in neither. */
export interface MemoryInUse {
  /** Used of the JavaScript heap, and buffers outside of it: exact to some kilobytes. */
  managed: number;
  /** All private memory but what is free in that heap: native libraries, too, and what the C library keeps for later. */
  all: number;
}

/** The name of the file that asks for memory while it is there. */
export const ASKS_FOR_MEMORY = 'memory';

const WATCH = new URL(`process-watch${import.meta.url.slice(-3)}`, import.meta.url);
const ANSWER_WITHIN_MS = 3_000;

/** Asks processes that were started with `env` what garbage collection has cost them, and what memory they use. */
export class WatchedProcesses {
  readonly #folder = mkdtempSync(join(tmpdir(), 'parley-watch-'));
  readonly env = { NODE_OPTIONS: `--import=${WATCH.href}`, BENCH_WATCH_FOLDER: this.#folder };
  /** How often each process was. */
  readonly #asked = new Map<number, number>();

  /** For each process what there was since the last time, or since its start. */
  pauses(pids: readonly number[]): Promise<Map<number, GcPauses>> {
    return this.#ask(pids);
  }

  /** Of all of them together. Holds them up for some 100 ms: not while anything is measured. */
  async memory(pids: readonly number[]): Promise<MemoryInUse> {
    const file = join(this.#folder, ASKS_FOR_MEMORY);
    writeFileSync(file, '');
    try {
      const answers = [...(await this.#ask<MemoryInUse>(pids)).values()];
      const sum = (part: keyof MemoryInUse): number => answers.reduce((total, answer) => total + answer[part], 0);
      return { managed: sum('managed'), all: sum('all') };
    } finally {
      rmSync(file);
    }
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #ask<Answer>(pids: readonly number[]): Promise<Map<number, Answer>> {
    const files = pids.map((pid) => {
      const asked = (this.#asked.get(pid) ?? 0) + 1;
      this.#asked.set(pid, asked);
      process.kill(pid, 'SIGUSR2');
      return join(this.#folder, `${pid}-${asked}.json`);
    });
    const deadlineMs = performance.now() + ANSWER_WITHIN_MS;
    while (!files.every((file) => existsSync(file))) {
      if (performance.now() > deadlineMs) throw new Error('a process that is measured did not answer');
      await pause(5);
    }
    return new Map(pids.map((pid, index) => [pid, JSON.parse(readFileSync(files[index]!, 'utf8')) as Answer]));
  }
}
