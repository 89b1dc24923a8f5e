import { cpus } from 'node:os';
import type { DurationSummary } from './histogram.ts';
import type { Measurement, ScenarioResult } from './load-run.ts';

/** What the figures mean, above the table. */
export const METHOD = `callers/core    callers by the CPU (in cores, from /proc) of the server and all its mixers together
ms/caller·s     the same the other way round: CPU milliseconds for one caller and second
× floor         the same CPU by that of a bare Node UDP echo with the same packets, measured right after
added delay     a marker tone fills one packet of a talker; its middle in what a listener gets, less its middle in what
                was sent. The 20 ms of filling a packet are not in it, what resampling and encoding add is
gap             between packets that a caller gets, all callers
generator       CPU of the load generator itself (one core is 100%) and how late its timer was`;

const HEAD = [
  'scenario',
  'callers/core',
  'ms/caller·s',
  '× floor',
  'added delay median / p99',
  'gap median / p99 / max',
  'packets/s in / out',
  'lost',
  'generator CPU / late p99',
];

export function table(results: readonly ScenarioResult[]): string {
  const rows = results.flatMap((result) => [
    row(result.scenario.name, result.parley, result.timesFloor.toFixed(2)),
    row('  bare UDP echo', result.floor, '1'),
  ]);
  const all = [HEAD, ...rows];
  const widths = HEAD.map((_, column) => Math.max(...all.map((cells) => cells[column]!.length)));
  const lines = all.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  return [...lines, ...doubts(results)].join('\n');
}

function row(name: string, measurement: Measurement, timesFloor: string): string[] {
  const { load } = measurement;
  const perSecond = (packets: number): string => (packets / load.seconds).toFixed(0);
  return [
    name,
    measurement.callersPerCore.toFixed(0),
    measurement.cpuMsPerCallerSecond.toFixed(2),
    timesFloor,
    load.addedDelayMs ? delays(load.addedDelayMs, load.markersMissed) : '–',
    [load.gapsMs.median, load.gapsMs.p99, load.gapsMs.max].map(milliseconds).join(' / '),
    `${perSecond(load.packetsSent)} / ${perSecond(load.packetsReceived)}`,
    String(load.packetsLost),
    `${(load.generatorCpu * 100).toFixed(0)}% / ${milliseconds(load.generatorLatenessMs.p99)}`,
  ];
}

function delays(summary: DurationSummary, missed: number): string {
  const count = missed > 0 ? `${summary.count} found, ${missed} missed` : `${summary.count}`;
  return `${milliseconds(summary.median)} / ${milliseconds(summary.p99)} (${count})`;
}

const milliseconds = (value: number): string => `${value.toFixed(1)} ms`;

function doubts(results: readonly ScenarioResult[]): string[] {
  return results.flatMap(({ scenario, parley, floor }) => [
    ...parley.doubts.map((doubt) => `! ${scenario.name}: ${doubt}`),
    ...floor.doubts.map((doubt) => `! ${scenario.name}, echo: ${doubt}`),
  ]);
}

export function machine(): { cpu: string; cores: number; node: string } {
  return { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version };
}
