import { cpus } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import type { Metrics } from '../e2e/clients/metrics.ts';
import { Parley } from '../e2e/clients/parley.ts';
import type { Floor, Floors } from './floors.ts';
import { Generators } from './generators.ts';
import { judged } from './judged.ts';
import { type Durations, type LoadFigures, measureLoad, percent } from './load-figures.ts';
import { callersOf, type Load } from './load-protocol.ts';
import type { LoadScenario } from './scenarios.ts';
import { type TickTimes, tickTimes } from './tick-times.ts';
import { type GcPauses, type MemoryInUse, WatchedProcesses } from './watched-processes.ts';

export interface ParleyFigures extends LoadFigures {
  ticks: TickTimes;
  /** While it was measured; of the mixers together, but the longest pause of each alone. */
  gc: { server: GcPauses; mixers: GcPauses };
  /** Above that of the server without calls, which has had some before; bytes. */
  memoryPerCaller: Memory;
  /** Busy share of the busiest mixer, 0–1. */
  mixerLoad: number;
  /** What went wrong, and how busy everything was: the other figures then mean nothing. Null when all was in order. */
  failure: string | null;
}

export interface ScenarioResult {
  scenario: LoadScenario;
  /** Only why, when there is nothing to measure: calls were refused, or a process is gone. */
  parley: ParleyFigures | { failure: string };
  floor: Floor;
  /** CPU of all our processes by CPU of the floor; null without that floor. */
  timesNode: number | null;
  timesC: number | null;
}

const BUSY_SHARE = /^parley_mixer_(tick_)?load\{/;
const HALF_LOAD_PROBES = 3;
/** A probe's callers may be off from the half load that it finds by this share. */
const HALF_LOAD_TOLERANCE = 0.1;
const LEAST_HALF_LOAD_CALLERS = 10;
/** One range of media ports has room for no more. */
const MOST_HALF_LOAD_CALLERS = 900;
const IDLE_MS = 500;
/** Before anything is measured so many call for so long: code that runs for the first time takes memory, once. */
const WARM_UP_CALLERS = 10;
const WARM_UP_TALKERS = 3;
const WARM_UP_MS = 2_000;

export interface RunDurations {
  parley: Durations;
  /** Of each probe for the half load, and of the measurement at it. */
  probe: Durations;
  halfLoad: Durations;
}

export async function runScenario(
  wanted: LoadScenario,
  durations: RunDurations,
  floors: Floors,
): Promise<ScenarioResult> {
  const scenario = wanted.halfLoad ? await atHalfLoad(wanted, durations.probe) : wanted;
  const parley = await measureParley(scenario, scenario.halfLoad ? durations.halfLoad : durations.parley);
  const floor = await floors.of(scenario);
  const times = (bare: LoadFigures | null): number | null =>
    bare !== null && 'cpuCores' in parley && parley.failure === null ? parley.cpuCores / bare.cpuCores : null;
  return { scenario, parley, floor, timesNode: times(floor.node), timesC: times(floor.c) };
}

/** With half of the callers that one core carries: cost goes down with their number, so it is looked for in steps. */
async function atHalfLoad(wanted: LoadScenario, durations: Durations): Promise<LoadScenario> {
  let scenario = wanted;
  for (let probe = 0; probe < HALF_LOAD_PROBES; probe++) {
    const figures = await measureParley(scenario, durations);
    const callers = scenario.callersPerRoom;
    const found = 'cpuCores' in figures && figures.failure === null ? figures.callersPerCore / 2 : callers / 2;
    const next = Math.round(Math.min(MOST_HALF_LOAD_CALLERS, Math.max(LEAST_HALF_LOAD_CALLERS, found)));
    scenario = { ...scenario, callersPerRoom: next };
    if (Math.abs(next - callers) < HALF_LOAD_TOLERANCE * callers) break;
  }
  return scenario;
}

/** What throws, such as a mixer that is gone, is told in place of figures: those of other scenarios are not to be lost. */
export async function measureParley(scenario: LoadScenario, durations: Durations): Promise<ScenarioResult['parley']> {
  try {
    return await measureFresh(scenario, durations);
  } catch (error) {
    process.exitCode = 1;
    return { failure: `failed: ${error instanceof Error ? error.message : error}` };
  }
}

async function measureFresh(scenario: LoadScenario, durations: Durations): Promise<ScenarioResult['parley']> {
  const watched = new WatchedProcesses();
  const server = await Parley.start({
    env: {
      PARLEY_LOG_LEVEL: 'warn',
      PARLEY_MAX_PARTICIPANTS: String(scenario.callersPerRoom),
      // Calls are not to be refused for load: what is to be seen is what it does to those that are up.
      PARLEY_MAX_MIXER_LOAD: '1',
      // One room is in one mixer; others would only idle beside it.
      ...(scenario.rooms === 1 ? { PARLEY_AUDIO_MIXERS: '1' } : {}),
      ...watched.env,
    },
  });
  try {
    return await measureServer(server, watched, scenario, durations);
  } finally {
    await server.kill();
    watched.close();
  }
}

async function measureServer(
  server: Parley,
  watched: WatchedProcesses,
  scenario: LoadScenario,
  durations: Durations,
): Promise<ScenarioResult['parley']> {
  await pause(IDLE_MS);
  const processes: Processes = { server: [server.program.pid], mixers: server.mixerPids() };
  await warmUp(server, scenario);
  const idle = await memoryOf(watched, processes);
  const generator = new Generators();
  try {
    const { calls, refusal } = await startCalls(generator, server, scenario);
    if (refusal !== null) {
      const call = `call ${calls + 1} of ${callersOf(scenario)}`;
      const load = percent(busiest(await server.metrics()));
      return { failure: `overloaded: ${call} was answered ${refusal}; a mixer was busy ${load}` };
    }
    await pause(durations.settleSeconds * 1_000);
    const figures = await measureCalls(server, processes, watched, generator, scenario, durations.measureSeconds);
    await generator.stop();
    const { memory, ...others } = figures;
    const callers = callersOf(scenario);
    const memoryPerCaller = {
      server: grown(idle.server, memory.server, callers),
      mixers: grown(idle.mixers, memory.mixers, callers),
    };
    return { ...others, memoryPerCaller };
  } finally {
    await generator.end();
  }
}

/** Some callers in a room for each mixer, who hang up again. */
async function warmUp(server: Parley, scenario: LoadScenario): Promise<void> {
  const generator = new Generators();
  try {
    const callersPerRoom = Math.min(WARM_UP_CALLERS, scenario.callersPerRoom);
    const rooms = Math.min(scenario.rooms, cpus().length);
    const talkersPerRoom = Math.min(WARM_UP_TALKERS, scenario.talkersPerRoom);
    await startCalls(generator, server, { codecs: scenario.codecs, rooms, callersPerRoom, talkersPerRoom });
    await pause(WARM_UP_MS);
    await generator.stop();
  } finally {
    await generator.end();
  }
}

function startCalls(
  generator: Generators,
  server: Parley,
  load: Load,
): Promise<{ calls: number; refusal: string | null }> {
  const uris = Array.from({ length: load.rooms }, (_, room) => server.sipUri(`bench-${room}`));
  return generator.start({ ...load, target: { kind: 'rooms', sipPort: server.sipPort, uris } });
}

/** What scrapes, signals and collecting garbage cost is outside of the time that CPU is counted. */
async function measureCalls(
  server: Parley,
  processes: Processes,
  watched: WatchedProcesses,
  generator: Generators,
  scenario: LoadScenario,
  seconds: number,
): Promise<Omit<ParleyFigures, 'memoryPerCaller'> & { memory: Memory }> {
  const pids = [...processes.server, ...processes.mixers];
  const before = await server.metrics();
  await watched.pauses(pids);
  const { figures, atEnd } = await measureLoad(generator, scenario, pids, seconds, async () => {
    const pauses = await watched.pauses(pids);
    return { pauses, after: await server.metrics(), memory: await memoryOf(watched, processes) };
  });
  const { pauses, after, memory } = atEnd;
  const ticks = tickTimes(before, after, scenario.rooms * figures.load.seconds);
  const mixerLoad = busiest(after);
  const pausesOf = (some: readonly number[]): GcPauses => together(some.map((pid) => pauses.get(pid)!));
  return {
    ...figures,
    ...judged({ figures, ticks, mixerLoad, rooms: scenario.rooms, cores: cpus().length }),
    ticks,
    mixerLoad,
    gc: { server: pausesOf(processes.server), mixers: pausesOf(processes.mixers) },
    memory,
  };
}

interface Processes {
  server: readonly number[];
  mixers: readonly number[];
}

interface Memory {
  server: MemoryInUse;
  mixers: MemoryInUse;
}

const memoryOf = async (watched: WatchedProcesses, { server, mixers }: Processes): Promise<Memory> => ({
  server: await watched.memory(server),
  mixers: await watched.memory(mixers),
});

function grown(before: MemoryInUse, after: MemoryInUse, callers: number): MemoryInUse {
  return { managed: (after.managed - before.managed) / callers, all: (after.all - before.all) / callers };
}

function together(all: readonly GcPauses[]): GcPauses {
  return {
    count: all.reduce((sum, { count }) => sum + count, 0),
    totalMs: all.reduce((sum, { totalMs }) => sum + totalMs, 0),
    maxMs: Math.max(0, ...all.map(({ maxMs }) => maxMs)),
  };
}

/** Busy share of the busiest mixer: `load` is smoothed over some seconds, `tick_load` is that of the last one. */
function busiest({ samples }: Metrics): number {
  return Math.max(...[...samples].filter(([name]) => BUSY_SHARE.test(name)).map(([, value]) => value));
}
