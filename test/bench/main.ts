import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { peersPresent } from '../e2e/clients/peer-programs.ts';
import { describeSignalling, measureSignalling, type SignallingScale } from './calls.ts';
import { Floors } from './floors.ts';
import { goalTable } from './goals.ts';
import { type RunDurations, runScenario, type ScenarioResult } from './load-run.ts';
import { describeRecordings } from './recording-report.ts';
import { measureRecordings, type RecordingScale } from './recordings.ts';
import { measureRegistrations } from './registrations.ts';
import { describeMachine, doubts, floorTable, METHOD, machine, tableHead, tableRow } from './report.ts';
import { chosenScenarios, type LoadScenario, NAMING, standardNames } from './scenarios.ts';
import { TABLES } from './tables.ts';
import { measureVideo, type VideoScale } from './video/measure-video.ts';
import { describeVideo } from './video/video-report.ts';
import { describeVideoEngine, type EngineScale, measureVideoEngine } from './video-engine.ts';

/**
 * `npm run bench [-- filter…] [--quick] [--json FILE] [--list]`: callers with sound, of the scenarios that the filters
 * choose; `recordings` is what these cost, and how fast they are finished; `signalling` that of calls and registrations over SIP; `register` that of registrations in this process;
 * `video` is what composing and encoding pictures costs, beside the `ffmpeg` command doing the same, `video-engine` the
 * same without network and clock;
 * `opus-loss` and `loss-table` are speech over a bad network, in virtual time.
 */

/**
 * More than 20 s are measured, so that one room has 1,000 ticks, and their 99.9th percentile a meaning. Before it, what
 * runs often is compiled, and what setting up all calls at once left is collected: that is done once, whatever comes after.
 */
const LONG: RunDurations = {
  parley: { settleSeconds: 20, measureSeconds: 21 },
  probe: { settleSeconds: 3, measureSeconds: 5 },
  halfLoad: { settleSeconds: 20, measureSeconds: 60 },
};
const LONG_FLOOR = { settleSeconds: 1, measureSeconds: 5 };
const QUICK: RunDurations = {
  parley: { settleSeconds: 1, measureSeconds: 2 },
  probe: { settleSeconds: 1, measureSeconds: 1 },
  halfLoad: { settleSeconds: 1, measureSeconds: 4 },
};
const QUICK_FLOOR = { settleSeconds: 0.5, measureSeconds: 1 };

/** The names of the scenarios that have no callers who talk. */
const REGISTRATIONS = 'register';
const SIGNALLING = 'signalling';
const RECORDINGS = 'recordings';
const VIDEO = 'video';
const VIDEO_ENGINE = 'video-engine';

const LONG_SIGNALLING: SignallingScale = {
  calls: 5_000,
  idleCalls: 1_000,
  registrations: 10_000,
  sustainSeconds: 60,
  sippCallsPerSecond: [100, 500, 1_000],
};
const QUICK_SIGNALLING: SignallingScale = {
  calls: 200,
  idleCalls: 100,
  registrations: 200,
  sustainSeconds: 2,
  sippCallsPerSecond: [100],
};

const LONG_RECORDINGS: RecordingScale = {
  ...{ stretchSeconds: 10, rounds: 6, settleSeconds: 3, warmUpSeconds: 15, rooms: 100 },
  ...{ finishedMinutes: 10, finishingSeconds: 30 },
};
const QUICK_RECORDINGS: RecordingScale = {
  ...{ stretchSeconds: 2, rounds: 1, settleSeconds: 1, warmUpSeconds: 0, rooms: 10 },
  ...{ finishedMinutes: 0.5, finishingSeconds: 2 },
};

const LONG_VIDEO: VideoScale = {
  senders: [4, 9, 16],
  viewers: [1, 10, 50],
  // Until what runs often is compiled, and a mixer with time to spare takes as many pains as it ever will.
  settleSeconds: 25,
  measureSeconds: 8,
  soundSeconds: 21,
};
const LONG_VIDEO_ENGINE: EngineScale = { senders: [4, 9, 16], frames: 500, rounds: 5 };
const QUICK_VIDEO_ENGINE: EngineScale = { senders: [4], frames: 50, rounds: 1 };
const QUICK_VIDEO: VideoScale = {
  senders: [4],
  viewers: [1, 10],
  settleSeconds: 2,
  measureSeconds: 3,
  soundSeconds: 3,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});

const BESIDES = `besides: ${[RECORDINGS, REGISTRATIONS, SIGNALLING, VIDEO, VIDEO_ENGINE, ...Object.keys(TABLES)].join(', ')}`;

const tables = positionals.filter((name) => name in TABLES);

if (tables.length > 0) {
  for (const name of tables) console.log(`${TABLES[name]!(values.quick)}\n`);
} else if (positionals.includes(SIGNALLING)) {
  const scale = values.quick ? QUICK_SIGNALLING : LONG_SIGNALLING;
  const figures = await measureSignalling(scale, peersPresent('sipp'));
  console.log(describeSignalling(figures));
  if (values.json) writeFileSync(values.json, `${JSON.stringify({ machine: machine(), figures }, null, 2)}\n`);
} else if (positionals.includes(RECORDINGS)) {
  console.log(`${describeMachine(machine())}\n`);
  const figures = await measureRecordings(values.quick ? QUICK_RECORDINGS : LONG_RECORDINGS);
  console.log(describeRecordings(figures));
  if (values.json) writeFileSync(values.json, `${JSON.stringify({ machine: machine(), figures }, null, 2)}\n`);
} else if (positionals.includes(VIDEO_ENGINE)) {
  console.log(`${describeMachine(machine())}\n`);
  const figures = await measureVideoEngine(values.quick ? QUICK_VIDEO_ENGINE : LONG_VIDEO_ENGINE);
  console.log(describeVideoEngine(figures));
  if (values.json) writeFileSync(values.json, `${JSON.stringify({ machine: machine(), figures }, null, 2)}\n`);
} else if (positionals.includes(VIDEO)) {
  console.log(`${describeMachine(machine())}\n`);
  const figures = await measureVideo(values.quick ? QUICK_VIDEO : LONG_VIDEO);
  console.log(describeVideo(figures));
  if (values.json) writeFileSync(values.json, `${JSON.stringify({ machine: machine(), figures }, null, 2)}\n`);
} else if (positionals.includes(REGISTRATIONS)) {
  console.log(measureRegistrations(values.quick ? 1_000 : 10_000));
  // Its transactions would last for 32 s more.
  process.exit();
} else if (values.list) {
  console.log(`${standardNames(values.quick).join('\n')}\n\n${NAMING}\n${BESIDES}`);
} else {
  await run();
}

function chosen(): LoadScenario[] {
  try {
    return chosenScenarios(positionals, values.quick);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}; --list names them; ${NAMING}`);
    process.exitCode = 2;
    return [];
  }
}

async function run(): Promise<void> {
  const scenarios = chosen();
  if (scenarios.length === 0) return;
  const before = machine();
  const floors = new Floors(values.quick ? QUICK_FLOOR : LONG_FLOOR);
  const results: ScenarioResult[] = [];
  console.log(`${describeMachine(before)}\n\n${tableHead()}`);
  try {
    for (const scenario of scenarios) {
      const result = await runScenario(scenario, values.quick ? QUICK : LONG, floors);
      results.push(result);
      console.log(tableRow(result));
    }
  } finally {
    floors.close();
  }
  const measuredFloors = [...floors.measured.values()];
  const told = [...doubts(results, measuredFloors), ...(floors.withoutC === null ? [] : [`- ${floors.withoutC}`])];
  const parts = [floorTable(measuredFloors), goalTable(results), told.join('\n'), METHOD, BESIDES];
  console.log(`\n${parts.filter((part) => part !== '').join('\n\n')}`);
  if (values.json) {
    const file = { machine: before, results, floors: measuredFloors };
    writeFileSync(values.json, `${JSON.stringify(file, null, 2)}\n`);
  }
}
