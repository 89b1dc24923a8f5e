import { callersOf } from './load-protocol.ts';
import type { ParleyFigures, ScenarioResult } from './load-run.ts';
import type { RecordingFigures } from './recordings.ts';
import { isMeasured } from './report.ts';

/** What is to be reached, beside what was measured. */

interface Goal {
  what: string;
  /** At most; null where there is none, and the peers' figures are there to compare with. */
  goal: number | null;
  unit: string;
  /** As measured on a machine of this kind under the same load: Asterisk 23.4.1, FreeSWITCH 1.10.12. */
  peers: string;
  concerns(result: ScenarioResult): boolean;
  value(figures: ParleyFigures): number;
}

/** Memory is a goal where there are so many callers: with few, what a room takes is most of it. */
const MANY_CALLERS = 100;

const cpu = (name: string, what: string, goal: number | null, peers: string): Goal => ({
  what,
  goal,
  unit: 'ms/caller·s',
  peers,
  concerns: ({ scenario }) => scenario.name === name,
  value: (figures) => figures.cpuMsPerCallerSecond,
});

const delay = (what: string, goal: number, peers: string, value: Goal['value']): Goal => ({
  what,
  goal,
  unit: 'ms',
  peers,
  concerns: ({ scenario }) => scenario.halfLoad,
  value,
});

const GOALS: readonly Goal[] = [
  cpu('pcmu-100-3', 'CPU, room of 100, 3 talk, PCMU', 1.0, '3.75 / 4.7'),
  cpu('g722-100-3', 'CPU, room of 100, 3 talk, G.722', 1.0, '5.0 / 7.0'),
  cpu('opus-100-3', 'CPU, room of 100, 3 talk, Opus', 1.2, '18–25 / 31–34'),
  cpu('opus-20-all', 'CPU, 20 of 20 talk, Opus', 8, '–'),
  cpu('small-rooms-20x5-pcmu', 'CPU, 20 rooms of 5, 2 talk, PCMU', null, '4.3 / 4.9'),
  delay('added delay, median', 20, '22 / 14–34', ({ load }) => load.addedDelayMs?.median ?? Number.NaN),
  delay('added delay, 99th percentile', 30, '22–26 / –', ({ load }) => load.addedDelayMs?.p99 ?? Number.NaN),
  {
    what: 'memory in use above the idle server, all processes',
    goal: 100,
    unit: 'kB/caller',
    peers: '–',
    concerns: ({ scenario }) => callersOf(scenario) >= MANY_CALLERS,
    value: ({ memoryPerCaller: { server, mixers } }) => (server.all + mixers.all) / 1_000,
  },
];

/** Empty when no goal concerns what was measured. */
export function goalTable(results: readonly ScenarioResult[]): string {
  const rows = GOALS.flatMap((goal) => results.filter(goal.concerns).map((result) => row(goal, result)));
  if (rows.length === 0) return '';
  return [
    '| figure | scenario | goal | Asterisk / FreeSWITCH | Parley | met |',
    '|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function row({ what, goal, unit, peers, value }: Goal, { scenario, parley }: ScenarioResult): string {
  const measured = isMeasured(parley) ? value(parley) : null;
  const cells = [
    what,
    scenario.halfLoad ? `${scenario.name} (${callersOf(scenario)} callers)` : scenario.name,
    goal === null ? '–' : `${goal} ${unit}`,
    peers,
    measured === null ? 'no figure' : `${measured.toPrecision(3)} ${unit}`,
    goal === null ? '–' : verdict(measured, goal),
  ];
  const doubtful = isMeasured(parley) && parley.doubts.length > 0;
  return `| ${cells.join(' | ')}${doubtful ? ' (!)' : ''} |`;
}

function verdict(measured: number | null, goal: number): string {
  return measured !== null && measured <= goal ? 'yes' : 'no';
}

/** A recorded room may cost so much of the same room unrecorded. */
const RECORDED_RATIO = 1.03;
/** Of a tick, whatever is recorded or finished; a fifth of the 20 ms that it has. */
const TICK_GOAL_MS = 4;

/** What recordings are to reach. */
export function recordingGoals({ costs, finishing }: RecordingFigures): string {
  const rows: [what: string, goal: string, measured: string, met: boolean][] = [];
  for (const { name, rooms, kinds } of costs) {
    for (const { kind, ratio, ticks } of kinds) {
      if (kind === 'unrecorded') continue;
      const isOneRoom = rooms === 1 && kind === 'recorded';
      if (isOneRoom)
        rows.push([`CPU, ${name}`, `× ${RECORDED_RATIO}`, `× ${ratio.toFixed(3)}`, ratio <= RECORDED_RATIO]);
      rows.push([
        `tick p99.9, ${name}, ${kind}`,
        `${TICK_GOAL_MS} ms`,
        `${ticks.p999.toFixed(1)} ms`,
        ticks.p999 <= TICK_GOAL_MS,
      ]);
    }
  }
  const { p999 } = finishing.ticksWith;
  rows.push(['tick p99.9 while files are made', `${TICK_GOAL_MS} ms`, `${p999.toFixed(1)} ms`, p999 <= TICK_GOAL_MS]);
  return [
    '| figure | goal | Parley | met |',
    '|---|---|---|---|',
    ...rows.map(([what, goal, measured, met]) => `| ${what} | ${goal} | ${measured} | ${met ? 'yes' : 'no'} |`),
  ].join('\n');
}
