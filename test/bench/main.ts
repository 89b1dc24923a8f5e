import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { peersPresent } from '../e2e/clients/peer-programs.ts';
import { describeSignalling, measureSignalling, type SignallingScale } from './calls.ts';
import { type Durations, type LoadScenario, runScenario, type ScenarioResult } from './load-run.ts';
import { measureRegistrations } from './registrations.ts';
import { METHOD, machine, table } from './report.ts';
import { TABLES } from './tables.ts';

/**
 * `npm run bench [-- filter…] [--short] [--json FILE] [--list]`: scenarios whose name holds one of the filters;
 * `signalling` is that of calls and registrations over SIP; `register` that of registrations in this process; `opus-loss` and `loss-table` are speech over a bad network, in
 * virtual time.
 */

const SCENARIOS: readonly LoadScenario[] = (['PCMU', 'opus'] as const).flatMap((codec) =>
  [20, 100, 300].map((callers) => ({ name: `${codec.toLowerCase()}-${callers}`, codec, callers, talkers: 3 })),
);

const SHORT_SCENARIOS: readonly LoadScenario[] = [
  { name: 'pcmu-short', codec: 'PCMU', callers: 8, talkers: 3 },
  { name: 'opus-short', codec: 'opus', callers: 8, talkers: 3 },
];

const LONG: Durations = { settleSeconds: 4, measureSeconds: 15 };
const SHORT: Durations = { settleSeconds: 1, measureSeconds: 2 };

/** The names of the scenarios that have no callers who talk. */
const REGISTRATIONS = 'register';
const SIGNALLING = 'signalling';

const LONG_SIGNALLING: SignallingScale = {
  calls: 5_000,
  idleCalls: 1_000,
  registrations: 10_000,
  sippCallsPerSecond: [100, 500, 1_000],
};
const SHORT_SIGNALLING: SignallingScale = {
  calls: 200,
  idleCalls: 100,
  registrations: 200,
  sippCallsPerSecond: [100],
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    short: { type: 'boolean', default: false },
    json: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});

const scenarios = (values.short ? SHORT_SCENARIOS : SCENARIOS).filter(
  ({ name }) => positionals.length === 0 || positionals.some((filter) => name.includes(filter.toLowerCase())),
);

const tables = positionals.filter((name) => name in TABLES);

if (tables.length > 0) {
  for (const name of tables) console.log(`${TABLES[name]!(values.short)}\n`);
} else if (positionals.includes(SIGNALLING)) {
  const scale = values.short ? SHORT_SIGNALLING : LONG_SIGNALLING;
  const figures = await measureSignalling(scale, peersPresent('sipp'));
  console.log(describeSignalling(figures));
  if (values.json) writeFileSync(values.json, `${JSON.stringify({ machine: machine(), figures }, null, 2)}\n`);
} else if (positionals.includes(REGISTRATIONS)) {
  console.log(await measureRegistrations(values.short ? 1_000 : 10_000));
  // Its transactions would last for 32 s more.
  process.exit();
} else if (scenarios.length === 0) {
  const names = [...SCENARIOS, ...SHORT_SCENARIOS].map(({ name }) => name).join(', ');
  console.error(`no scenario matches; there are ${names}`);
  process.exitCode = 2;
} else if (values.list) {
  for (const { name } of scenarios) console.log(name);
} else {
  await run();
}

async function run(): Promise<void> {
  const results: ScenarioResult[] = [];
  for (const scenario of scenarios) {
    console.error(`${scenario.name}: ${scenario.callers} callers, ${scenario.talkers} talk, ${scenario.codec} …`);
    results.push(await runScenario(scenario, values.short ? SHORT : LONG));
  }
  const { cpu, cores, node } = machine();
  console.log(`${cores} cores, ${cpu}, Node ${node}\n\n${METHOD}\n\n${table(results)}`);
  if (values.json) writeFileSync(values.json, `${JSON.stringify({ machine: machine(), results }, null, 2)}\n`);
}
