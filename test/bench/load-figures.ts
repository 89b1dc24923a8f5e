import { loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import type { GeneratorProcess } from './generator-process.ts';
import { callersOf, type Load, type LoadResult } from './load-protocol.ts';
import { PTIME_MS } from './load-signal.ts';
import { machineCpuMs, processesCpuMs } from './process-cpu.ts';

export interface Durations {
  settleSeconds: number;
  measureSeconds: number;
}

/** One load on one server. CPU is in cores: 0.5 is half of one. */
export interface LoadFigures {
  load: LoadResult;
  cpuCores: number;
  callersPerCore: number;
  cpuMsPerCallerSecond: number;
  /** CPU that neither the server nor the generator used meanwhile, in cores. */
  otherCpuCores: number;
  /** Of the machine over the last minute, before this load. */
  loadAverage: number;
  /** What makes these figures doubtful, in sentences; empty when nothing does. */
  doubts: string[];
}

const GENERATOR_CPU_LIMIT = 0.85;
const GENERATOR_LATENESS_LIMIT_MS = 5;
/** Of the packets that should be sent, or come back. */
export const LEAST_SHARE = 0.98;
export const OTHER_CPU_LIMIT_CORES = 0.15;

export const percent = (share: number): string => `${(share * 100).toFixed(0)}%`;

/** Measures what `pids` use under a load that runs already. `ended` is asked at its end, before it is analysed. */
export async function measureLoad<AtEnd>(
  generator: Pick<GeneratorProcess, 'measure'>,
  load: Load,
  pids: readonly number[],
  seconds: number,
  ended: () => Promise<AtEnd>,
): Promise<{ figures: LoadFigures; atEnd: AtEnd }> {
  const loadAverage = loadavg()[0]!;
  let cpuCores = 0;
  let machineCores = 0;
  const { result, measured: atEnd } = await generator.measure(seconds, async () => {
    const cpuBefore = processesCpuMs(pids);
    const machineBefore = machineCpuMs();
    const startedMs = performance.now();
    // Not until the generator's answer: it first analyses what it has heard, and the server would idle meanwhile.
    await pause(seconds * 1_000);
    const tookMs = performance.now() - startedMs;
    cpuCores = (processesCpuMs(pids) - cpuBefore) / tookMs;
    machineCores = (machineCpuMs() - machineBefore) / tookMs;
    return ended();
  });
  const callers = callersOf(load);
  const otherCpuCores = Math.max(0, machineCores - cpuCores - result.generatorCpu);
  const figures = {
    load: result,
    cpuCores,
    callersPerCore: callers / cpuCores,
    cpuMsPerCallerSecond: (cpuCores * 1_000) / callers,
    otherCpuCores,
    loadAverage,
    doubts: doubtsAbout(result, callers, otherCpuCores),
  };
  return { figures, atEnd };
}

function doubtsAbout(load: LoadResult, callers: number, otherCpuCores: number): string[] {
  const wanted = (callers * 1_000 * load.seconds) / PTIME_MS;
  const { p99 } = load.generatorLatenessMs;
  const doubts: string[] = [];
  if (load.generatorCpu > GENERATOR_CPU_LIMIT) {
    doubts.push(`the generator was the limit: it used ${percent(load.generatorCpu)} of a core`);
  }
  if (p99 > GENERATOR_LATENESS_LIMIT_MS) {
    doubts.push(`the generator was late: its timer by ${p99.toFixed(1)} ms (99th percentile)`);
  }
  if (load.packetsSent < LEAST_SHARE * wanted) {
    doubts.push(`the generator was the limit: it sent ${percent(load.packetsSent / wanted)} of its packets`);
  }
  if (load.markersMissed > 0) {
    const all = load.markersMissed + (load.addedDelayMs?.count ?? 0);
    doubts.push(`${load.markersMissed} of ${all} markers were not heard: the added delay is that of the others`);
  }
  if (otherCpuCores > OTHER_CPU_LIMIT_CORES) {
    doubts.push(`other programs used ${otherCpuCores.toFixed(2)} cores meanwhile`);
  }
  return doubts;
}
