import { recordingGoals } from './goals.ts';
import { OTHER_CPU_LIMIT_CORES, percent } from './load-figures.ts';
import type { CostFigures, RecordingFigures } from './recordings.ts';

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

/** Tables of what recording costs, how fast files are made, and what was to be reached. */
export function describeRecordings(figures: RecordingFigures): string {
  const { finishing } = figures;
  const more = (ratio: number): string => `${((ratio - 1) * 100).toFixed(1)}%`;
  const costs = figures.costs.flatMap(({ name, kinds }) =>
    kinds.map(({ kind, cpuMsPerCallerSecond, ratio, roundRatios, ticks }) => [
      ...[name, kind, cpuMsPerCallerSecond.toFixed(2), kind === 'unrecorded' ? '–' : more(ratio)],
      kind === 'unrecorded' ? '–' : `${more(Math.min(...roundRatios))} to ${more(Math.max(...roundRatios))}`,
      ...[ticks.p999.toFixed(1), percent(ticks.lateShare)],
    ]),
  );
  const speeds = finishing.speeds.map(({ format, normalized, timesRealTime }) => [
    ...[normalized ? `${format}, normalized` : format, `${timesRealTime.toFixed(0)} ×`],
  ]);
  return [
    table(['calls', 'is', 'CPU, ms/caller·s', 'more', 'in the rounds', 'tick p99.9, ms', 'late ticks'], costs),
    table([`file of ${finishing.minutes} minutes`, 'real time'], speeds),
    table(
      ['live rooms', 'tick p99.9, ms', 'late ticks'],
      [
        ['without finishing', finishing.ticksWithout.p999.toFixed(1), percent(finishing.ticksWithout.lateShare)],
        ['with it', finishing.ticksWith.p999.toFixed(1), percent(finishing.ticksWith.lateShare)],
      ],
    ),
    recordingGoals(figures),
    figures.costs.flatMap(doubt).join('\n'),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function doubt({ name, otherCpuCores }: CostFigures): string[] {
  if (otherCpuCores <= OTHER_CPU_LIMIT_CORES) return [];
  return [`- (!) ${name}: other programs used ${otherCpuCores.toFixed(2)} cores meanwhile`];
}
