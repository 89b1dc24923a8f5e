import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { PerformanceObserver } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { collectGarbage } from './collect-garbage.ts';
import { ASKS_FOR_MEMORY, type GcPauses, type MemoryInUse } from './watched-processes.ts';

/**
 * Loaded before the program (`--import`) into the processes that are measured: counts what garbage collection holds
 * them up, and does nothing else between two signals. At each SIGUSR2 it writes into BENCH_WATCH_FOLDER what there was
 * since the one before; or, where a file there asks for it, what memory is in use.
 */

const folder = process.env['BENCH_WATCH_FOLDER'];
const GIVING_BACK_MS = 500;
let pauses: GcPauses = { count: 0, totalMs: 0, maxMs: 0 };
let written = 0;

const observer = new PerformanceObserver((list) => count(list.getEntries()));

function count(entries: readonly { duration: number }[]): void {
  for (const { duration } of entries) {
    pauses.count++;
    pauses.totalMs += duration;
    pauses.maxMs = Math.max(pauses.maxMs, duration);
  }
}

function pausesSinceLastTime(): GcPauses {
  count(observer.takeRecords());
  const told = pauses;
  pauses = { count: 0, totalMs: 0, maxMs: 0 };
  return told;
}

async function memoryInUse(): Promise<MemoryInUse> {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  // Pages that have become free go back to the kernel from another thread.
  await pause(GIVING_BACK_MS);
  const { total_physical_size: heap, used_heap_size: usedHeap } = getHeapStatistics();
  return { managed: heapUsed + external, all: privateBytes() - (heap - usedHeap) };
}

/** Pages that no other process has, and that are no files': when others come and go, it stays as it is. */
function privateBytes(): number {
  const text = readFileSync('/proc/self/smaps_rollup', 'latin1');
  return Number(/^Private_Dirty:\s+(\d+) kB$/m.exec(text)?.[1]) * 1024;
}

function answer(value: unknown): void {
  const file = `${folder}/${process.pid}-${++written}.json`;
  // Under its name it is whole.
  writeFileSync(`${file}.part`, JSON.stringify(value));
  renameSync(`${file}.part`, file);
}

if (folder !== undefined) {
  observer.observe({ entryTypes: ['gc'] });
  process.on('SIGUSR2', () => {
    if (existsSync(`${folder}/${ASKS_FOR_MEMORY}`)) void memoryInUse().then(answer);
    else answer(pausesSinceLastTime());
  });
}
