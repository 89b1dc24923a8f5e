import { setTimeout as pause } from 'node:timers/promises';
import type { ApiClient } from '../e2e/clients/api-client.ts';
import { Parley } from '../e2e/clients/parley.ts';
import { type FinishingFigures, measureFinishing } from './finishing-speed.ts';
import { GeneratorProcess } from './generator-process.ts';
import { callersOf, type Load } from './load-protocol.ts';
import type { LoadCodec } from './load-signal.ts';
import { machineCpuMs, processesCpuMs } from './process-cpu.ts';
import { type TickTimes, tickTimes } from './tick-times.ts';

/** What it costs that a room is recorded, and how fast files are made of recordings. */

export interface RecordingScale {
  /** Of each stretch; there are as many of each kind as rounds, by turns. */
  stretchSeconds: number;
  rounds: number;
  settleSeconds: number;
  /** Of a stretch of each kind that does not count: code that runs fifty times a second is compiled late. */
  warmUpSeconds: number;
  rooms: number;
  /** Length of the recording of which files are made. */
  finishedMinutes: number;
  finishingSeconds: number;
}

export type Kind = 'unrecorded' | 'recorded' | 'with tracks';

export interface CostFigures {
  name: string;
  rooms: number;
  kinds: {
    kind: Kind;
    cpuMsPerCallerSecond: number;
    /** By the CPU of the unrecorded stretches; of all together, and of each round. */
    ratio: number;
    roundRatios: number[];
    ticks: TickTimes;
  }[];
  /** What other programs used meanwhile, cores. */
  otherCpuCores: number;
}

export interface RecordingFigures {
  costs: CostFigures[];
  finishing: FinishingFigures;
}

const CODECS: Readonly<Record<string, readonly LoadCodec[]>> = {
  PCMU: ['PCMU'],
  'G.722': ['G722'],
  Opus: ['opus'],
};
const MIXED: readonly LoadCodec[] = ['PCMU', 'G722', 'opus'];
const KINDS: readonly Kind[] = ['unrecorded', 'recorded', 'with tracks'];
/** The goal is for a room of so many, of whom some talk. */
const CALLERS = 20;
const TALKERS = 3;

export async function measureRecordings(scale: RecordingScale): Promise<RecordingFigures> {
  const costs: CostFigures[] = [];
  for (const [name, codecs] of Object.entries(CODECS)) {
    const load = { codecs, rooms: 1, callersPerRoom: CALLERS, talkersPerRoom: TALKERS };
    costs.push(await measureCost(`a room of ${CALLERS}, ${name}`, load, scale));
  }
  const small = { codecs: MIXED, rooms: scale.rooms, callersPerRoom: 2, talkersPerRoom: 2 };
  costs.push(await measureCost(`${scale.rooms} rooms of 2, all codecs`, small, scale));
  return { costs, finishing: await measureFinishing(scale.finishedMinutes, scale.finishingSeconds) };
}

export function startServer(oneMixer: boolean): Promise<Parley> {
  return Parley.start({
    env: {
      PARLEY_LOG_LEVEL: 'warn',
      PARLEY_MAX_MIXER_LOAD: '1',
      PARLEY_RECORDING_MIN_FREE_MB: '0',
      // Nothing is made of these: only what it costs to record them is to be seen.
      PARLEY_RECORDING_FORMATS: '',
      ...(oneMixer ? { PARLEY_AUDIO_MIXERS: '1' } : {}),
    },
  });
}

interface Stretch {
  cpuMs: number;
  ms: number;
}

/** The same calls all the time, recorded by turns: so neither the machine nor the calls make the difference. */
async function measureCost(name: string, load: Load, scale: RecordingScale): Promise<CostFigures> {
  const server = await startServer(load.rooms === 1);
  const generator = new GeneratorProcess();
  const rooms = Array.from({ length: load.rooms }, (_, room) => `bench-${room}`);
  try {
    const uris = rooms.map((room) => server.sipUri(room));
    const { refusal } = await generator.start({ ...load, target: { kind: 'rooms', sipPort: server.sipPort, uris } });
    if (refusal !== null) throw new Error(`a call was answered ${refusal}`);
    await pause(scale.settleSeconds * 1_000);
    for (const kind of KINDS) await measureStretch(server, rooms, kind, scale.warmUpSeconds);
    const stretches = new Map<Kind, Stretch[]>(KINDS.map((kind) => [kind, []]));
    const ticks = new Map<Kind, TickTimes[]>(KINDS.map((kind) => [kind, []]));
    const machineBefore = machineCpuMs();
    const ownBefore = processesCpuMs([...pidsOf(server), generator.pid, process.pid]);
    const begunMs = performance.now();
    for (let round = 0; round < scale.rounds; round++) {
      // Another one is first each time: what grows or shrinks meanwhile is nobody's gain.
      for (let turn = 0; turn < KINDS.length; turn++) {
        const kind = KINDS[(round + turn) % KINDS.length]!;
        const measured = await measureStretch(server, rooms, kind, scale.stretchSeconds);
        stretches.get(kind)!.push(measured.stretch);
        ticks.get(kind)!.push(measured.ticks);
      }
    }
    const machineMs = machineCpuMs() - machineBefore;
    const ownMs = processesCpuMs([...pidsOf(server), generator.pid, process.pid]) - ownBefore;
    const otherCpuCores = Math.max(0, (machineMs - ownMs) / (performance.now() - begunMs));
    await generator.stop();
    const callers = callersOf(load);
    return {
      name,
      rooms: load.rooms,
      otherCpuCores,
      kinds: KINDS.map((kind) => kindFigures(kind, callers, stretches, ticks)),
    };
  } finally {
    await generator.end();
    await server.kill();
  }
}

const pidsOf = (server: Parley): number[] => [server.program.pid, ...server.mixerPids()];

async function measureStretch(
  server: Parley,
  rooms: readonly string[],
  kind: Kind,
  seconds: number,
): Promise<{ stretch: Stretch; ticks: TickTimes }> {
  const end = kind === 'unrecorded' ? null : await recordAll(server.api, rooms, kind === 'with tracks');
  await pause(1_000);
  const pids = pidsOf(server);
  const before = await server.metrics();
  const cpuBefore = processesCpuMs(pids);
  const startedMs = performance.now();
  await pause(seconds * 1_000);
  const stretch = { cpuMs: processesCpuMs(pids) - cpuBefore, ms: performance.now() - startedMs };
  const ticks = tickTimes(before, await server.metrics(), (rooms.length * stretch.ms) / 1_000);
  await end?.();
  return { stretch, ticks };
}

/** Gives what ends and removes them. */
async function recordAll(api: ApiClient, rooms: readonly string[], tracks: boolean): Promise<() => Promise<void>> {
  const begun = await Promise.all(
    rooms.map(async (room) => ({ room, id: (await api.startRecording(room, { tracks, announced: false })).id })),
  );
  return async () => {
    for (const { room, id } of begun) {
      await api.stopRecording(room, id);
      await api.removeRecording(room, id);
    }
  };
}

function kindFigures(
  kind: Kind,
  callers: number,
  stretches: ReadonlyMap<Kind, readonly Stretch[]>,
  ticks: ReadonlyMap<Kind, readonly TickTimes[]>,
): CostFigures['kinds'][number] {
  const rate = (some: readonly Stretch[]): number =>
    some.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / some.reduce((sum, { ms }) => sum + ms, 0);
  const own = stretches.get(kind)!;
  const bare = stretches.get('unrecorded')!;
  const ofTicks = ticks.get(kind)!;
  return {
    kind,
    cpuMsPerCallerSecond: (1_000 * rate(own)) / callers,
    ratio: rate(own) / rate(bare),
    roundRatios: own.map((stretch, round) => rate([stretch]) / rate([bare[round]!])),
    ticks: {
      count: ofTicks.reduce((sum, { count }) => sum + count, 0),
      p999: Math.max(...ofTicks.map(({ p999 }) => p999)),
      lateShare: ofTicks.reduce((sum, { lateShare }) => sum + lateShare, 0) / ofTicks.length,
    },
  };
}
