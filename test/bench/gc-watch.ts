import { renameSync, writeFileSync } from 'node:fs';
import { PerformanceObserver } from 'node:perf_hooks';
import type { GcPauses } from './gc-pauses.ts';

/**
 * Loaded before the program (`--import`) into the processes that are measured: counts what garbage collection holds
 * them up. At each SIGUSR2 it writes what there was since the one before into BENCH_GC_FOLDER, and does nothing between.
 */

const folder = process.env['BENCH_GC_FOLDER'];
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

if (folder !== undefined) {
  observer.observe({ entryTypes: ['gc'] });
  process.on('SIGUSR2', () => {
    count(observer.takeRecords());
    const file = `${folder}/${process.pid}-${++written}.json`;
    // Under its name it is whole.
    writeFileSync(`${file}.part`, JSON.stringify(pauses));
    renameSync(`${file}.part`, file);
    pauses = { count: 0, totalMs: 0, maxMs: 0 };
  });
}
