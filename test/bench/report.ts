import { cpus, loadavg, release } from 'node:os';
import { TICK_TIME_BOUNDS_MS } from '../../mixer/protocol.ts';
import type { Floor } from './floors.ts';
import type { DurationSummary } from './histogram.ts';
import { percent } from './load-figures.ts';
import { callersOf } from './load-protocol.ts';
import type { ParleyFigures, ScenarioResult } from './load-run.ts';
import type { GcPauses } from './watched-processes.ts';

/** What the figures mean, below the table. */
export const METHOD = `- ms/caller·s: CPU milliseconds (from /proc) of the server and all its mixers for one caller and second; callers/core: the
  same the other way round. The load generator is a process of its own and not in it.
- × Node, × C: the same CPU by that of a bare UDP echo with the same packets, in the same run.
- added delay: a marker tone fills one packet of a talker; its middle in what a listener gets, less its middle in what was
  sent. The 20 ms of filling a packet are not in it; what resampling and encoding add is. Loopback: no network jitter.
- tick: how long a mixer took each time that rooms were due, from \`parley_mixer_tick_seconds\`.
- GC: pauses a second, the longest, and milliseconds a second, as Node's perf_hooks count them.
- kB/caller: JavaScript heap and buffers in use after collecting garbage, above those of the server without calls, which has
  had some before. In brackets with all other private memory of the processes; what the kernel keeps for sockets is in neither.
- A 99.9th percentile of fewer than 1,000 values is left out.`;

const HEAD = [
  'scenario',
  'ms/caller·s',
  'callers/core',
  '× Node',
  '× C',
  'added delay, ms: median / p99 / p99.9',
  'tick p99.9, ms',
  'GC mixer: 1/s, max ms, ms/s',
  'GC server: 1/s, max ms, ms/s',
  'kB/caller: server + mixers (with native)',
  'generator: CPU, late p99',
];
const LEAST_FOR_P999 = 1_000;
const NONE = '–';

const line = (cells: readonly string[]): string =>
  `| ${cells.map((cell, column) => cell.padEnd(HEAD[column]?.length ?? 0)).join(' | ')} |`;
const rule = (columns: number): string => `|${'---|'.repeat(columns)}`;

export const tableHead = (): string => `${line(HEAD)}\n${rule(HEAD.length)}`;

/** One line of the table. */
export function tableRow(result: ScenarioResult): string {
  const { parley, timesNode, timesC } = result;
  const name = scenarioName(result);
  if (!isMeasured(parley)) {
    return line([name, parley.failure ?? '', ...HEAD.slice(2).map(() => NONE)]);
  }
  const { load } = parley;
  return line([
    parley.doubts.length > 0 ? `${name} (!)` : name,
    parley.cpuMsPerCallerSecond.toFixed(2),
    parley.callersPerCore.toFixed(0),
    timesNode?.toFixed(2) ?? NONE,
    timesC?.toFixed(2) ?? NONE,
    load.addedDelayMs ? delays(load.addedDelayMs) : NONE,
    p999(parley.ticks),
    pauses(parley.gc.mixers, load.seconds),
    pauses(parley.gc.server, load.seconds),
    memory(parley.memoryPerCaller),
    `${percent(load.generatorCpu)}, ${load.generatorLatenessMs.p99.toFixed(1)} ms`,
  ]);
}

const scenarioName = ({ scenario }: ScenarioResult): string =>
  scenario.halfLoad ? `${scenario.name} (${callersOf(scenario)} callers)` : scenario.name;

const delays = (summary: DurationSummary): string =>
  `${summary.median.toFixed(1)} / ${summary.p99.toFixed(1)} / ${p999(summary)}`;

/** Infinite is what lies beyond the last bucket of tick times. */
function p999({ count, p999: value }: { count: number; p999: number }): string {
  if (count < LEAST_FOR_P999) return NONE;
  return Number.isFinite(value) ? value.toFixed(1) : `> ${TICK_TIME_BOUNDS_MS.at(-1)}`;
}

const pauses = ({ count, maxMs, totalMs }: GcPauses, seconds: number): string =>
  `${(count / seconds).toFixed(1)}, ${maxMs.toFixed(1)}, ${(totalMs / seconds).toFixed(1)}`;

const kilobytes = (bytes: number): string => (bytes / 1_000).toFixed(0);

const memory = ({ server, mixers }: ParleyFigures['memoryPerCaller']): string =>
  `${kilobytes(server.managed)} + ${kilobytes(mixers.managed)} (${kilobytes(server.all + mixers.all)})`;

export function floorTable(floors: Iterable<Floor>): string {
  const head = ['bare UDP echo of', 'Node, ms/caller·s', 'C, ms/caller·s'];
  const rows = [...floors].map(({ name, node, c }) => {
    return [name, node.cpuMsPerCallerSecond.toFixed(2), c?.cpuMsPerCallerSecond.toFixed(2) ?? NONE];
  });
  return [head, ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .toSpliced(1, 0, rule(head.length))
    .join('\n');
}

/** What makes figures doubtful, a line each. */
export function doubts(results: readonly ScenarioResult[], floors: Iterable<Floor>): string[] {
  return [
    ...results.flatMap((result) => {
      const told = 'doubts' in result.parley ? result.parley.doubts : [];
      return told.map((doubt) => `- (!) ${result.scenario.name}: ${doubt}`);
    }),
    ...[...floors].flatMap(({ name, node, c }) => [
      ...node.doubts.map((doubt) => `- (!) Node echo of ${name}: ${doubt}`),
      ...(c?.doubts ?? []).map((doubt) => `- (!) C echo of ${name}: ${doubt}`),
    ]),
  ];
}

export interface Machine {
  cpu: string;
  cores: number;
  node: string;
  kernel: string;
  /** Over 1, 5 and 15 minutes. */
  loadAverage: number[];
}

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    node: process.version,
    kernel: release(),
    loadAverage: loadavg(),
  };
}

export function describeMachine({ cpu, cores, node, kernel, loadAverage }: Machine): string {
  const load = loadAverage.map((value) => value.toFixed(2)).join(', ');
  return `${cores} cores of ${cpu}, Linux ${kernel}, Node ${node}; load average before the run ${load}`;
}

/** Whether the figures are there, and mean something. */
export function isMeasured(parley: ScenarioResult['parley']): parley is ParleyFigures {
  return 'load' in parley && parley.failure === null;
}
