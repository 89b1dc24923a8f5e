import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Parley } from '../e2e/clients/parley.ts';
import type { FromGenerator, LoadJob, LoadResult, ToGenerator } from './load-protocol.ts';
import type { LoadCodec } from './load-signal.ts';
import { machineCpuMs, processesCpuMs } from './process-cpu.ts';

export interface LoadScenario {
  name: string;
  codec: LoadCodec;
  callers: number;
  talkers: number;
}

export interface Durations {
  settleSeconds: number;
  measureSeconds: number;
}

/** One load on one server. CPU is in cores: 0.5 is half of one. */
export interface Measurement {
  load: LoadResult;
  cpuCores: number;
  callersPerCore: number;
  cpuMsPerCallerSecond: number;
  /** CPU that neither the server nor the generator used meanwhile, in cores. */
  otherCpuCores: number;
  /** What makes these figures doubtful, in sentences; empty when nothing does. */
  doubts: string[];
}

export interface ScenarioResult {
  scenario: LoadScenario;
  parley: Measurement;
  /** The same packets through a process that only sends them back. */
  floor: Measurement;
  /** CPU of all our processes by CPU of the floor. */
  timesFloor: number;
}

const GENERATOR = fileURLToPath(new URL(`load-generator${import.meta.url.slice(-3)}`, import.meta.url));
const ECHO = fileURLToPath(new URL(`udp-echo${import.meta.url.slice(-3)}`, import.meta.url));

const GENERATOR_CPU_LIMIT = 0.85;
const GENERATOR_LATENESS_LIMIT_MS = 5;
/** Of the packets that should be sent, or come back. */
const LEAST_SHARE = 0.98;
const OTHER_CPU_LIMIT_CORES = 0.15;
const PACKETS_PER_SECOND = 50;

export async function runScenario(scenario: LoadScenario, durations: Durations): Promise<ScenarioResult> {
  const parley = await measureParley(scenario, durations);
  const floor = await measureFloor(scenario, durations);
  return { scenario, parley, floor, timesFloor: parley.cpuCores / floor.cpuCores };
}

async function measureParley(scenario: LoadScenario, durations: Durations): Promise<Measurement> {
  const server = await Parley.start({
    env: { PARLEY_LOG_LEVEL: 'warn', PARLEY_MAX_PARTICIPANTS: '450', PARLEY_AUDIO_MIXERS: '1' },
  });
  try {
    const target = { kind: 'room', sipPort: server.sipPort, uri: server.sipUri('bench') } as const;
    const pids = (): number[] => [server.program.pid, ...server.mixerPids()];
    return await measure(scenario, target, pids, durations);
  } finally {
    await server.kill();
  }
}

async function measureFloor(scenario: LoadScenario, durations: Durations): Promise<Measurement> {
  const echo = fork(ECHO, [String(scenario.callers)]);
  try {
    const [ports] = (await once(echo, 'message')) as [number[]];
    return await measure(scenario, { kind: 'echo', ports }, () => [echo.pid!], durations);
  } finally {
    await endChild(echo);
  }
}

async function measure(
  scenario: LoadScenario,
  target: LoadJob['target'],
  pids: () => number[],
  durations: Durations,
): Promise<Measurement> {
  const { codec, callers, talkers } = scenario;
  const generator = fork(GENERATOR, { serialization: 'advanced' });
  try {
    const running = heard(generator, 'running');
    tell(generator, { type: 'start', job: { codec, callers, talkers, target } });
    await running;
    await new Promise((resolve) => setTimeout(resolve, durations.settleSeconds * 1_000));
    const measuring = heard(generator, 'measuring');
    const measured = heard(generator, 'measured');
    tell(generator, { type: 'measure', seconds: durations.measureSeconds });
    await measuring;
    const measuredPids = pids();
    const cpuBefore = processesCpuMs(measuredPids);
    const machineBefore = machineCpuMs();
    const startedMs = performance.now();
    // Not until the generator's answer: it first analyses what it has heard, and the server would idle meanwhile.
    await new Promise((resolve) => setTimeout(resolve, durations.measureSeconds * 1_000));
    const tookMs = performance.now() - startedMs;
    const cpuCores = (processesCpuMs(measuredPids) - cpuBefore) / tookMs;
    const machineCores = (machineCpuMs() - machineBefore) / tookMs;
    const { result: load } = await measured;
    const otherCpuCores = Math.max(0, machineCores - cpuCores - load.generatorCpu);
    const stopped = heard(generator, 'stopped');
    tell(generator, { type: 'stop' });
    await stopped;
    return {
      load,
      cpuCores,
      callersPerCore: callers / cpuCores,
      cpuMsPerCallerSecond: (cpuCores * 1_000) / callers,
      otherCpuCores,
      doubts: doubtsAbout(load, callers, otherCpuCores),
    };
  } finally {
    await endChild(generator);
  }
}

function doubtsAbout(load: LoadResult, callers: number, otherCpuCores: number): string[] {
  const percent = (share: number): string => `${(share * 100).toFixed(0)}%`;
  const wanted = callers * PACKETS_PER_SECOND * load.seconds;
  const { p99 } = load.generatorLatenessMs;
  const doubts: string[] = [];
  if (load.generatorCpu > GENERATOR_CPU_LIMIT) {
    doubts.push(`the generator was the limit: it used ${percent(load.generatorCpu)} of a core`);
  }
  if (p99 > GENERATOR_LATENESS_LIMIT_MS) {
    doubts.push(`the generator was the limit: its timer was ${p99.toFixed(1)} ms late (99th percentile)`);
  }
  if (load.packetsSent < LEAST_SHARE * wanted) {
    doubts.push(`the generator was the limit: it sent ${percent(load.packetsSent / wanted)} of its packets`);
  }
  if (load.packetsReceived < LEAST_SHARE * load.packetsSent) {
    doubts.push(`overload: only ${percent(load.packetsReceived / load.packetsSent)} of the packets due came back`);
  }
  if (otherCpuCores > OTHER_CPU_LIMIT_CORES) {
    doubts.push(`other programs used ${otherCpuCores.toFixed(2)} cores meanwhile`);
  }
  return doubts;
}

function tell(generator: ChildProcess, message: ToGenerator): void {
  generator.send(message);
}

function heard<Type extends FromGenerator['type']>(
  generator: ChildProcess,
  type: Type,
): Promise<Extract<FromGenerator, { type: Type }>> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      generator.off('message', listen);
      generator.off('exit', ended);
      finish();
    };
    const listen = (message: FromGenerator): void => {
      if (message.type === type) settle(() => resolve(message as Extract<FromGenerator, { type: Type }>));
      else if (message.type === 'failed') settle(() => reject(new Error(`load generator: ${message.message}`)));
    };
    const ended = (): void => settle(() => reject(new Error('the load generator ended')));
    generator.on('message', listen);
    generator.on('exit', ended);
  });
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill();
  await exited;
}
