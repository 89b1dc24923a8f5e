import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Parley } from '../e2e/clients/parley.ts';
import { SippClient } from '../e2e/clients/sipp-client.ts';
import type { CallJob, CallResult } from './call-generator.ts';
import type { DurationSummary } from './histogram.ts';
import { processCpuMs } from './process-cpu.ts';
import { type FromRegisterGenerator, type RegisterJob, userName } from './register-generator.ts';

/** What signalling costs over real sockets: whole calls with media allocated, registrations, and memory for both. */

export interface CallFigures {
  readonly name: string;
  readonly callsPerSecond: number;
  readonly failed: number;
  /** Over all our processes, and the parts; CPU milliseconds for a call from INVITE to BYE. */
  readonly cpuMsPerCall: number;
  readonly serverCpuMsPerCall: number;
  readonly mixerCpuMsPerCall: number;
  /** From INVITE to 200; null where SIPp made the calls. */
  readonly setUpMs: DurationSummary | null;
}

export interface RegistrationFigures {
  /** CPU milliseconds of the server for the first registration of a user (two requests), and for a refresh (one). */
  readonly firstCpuMs: number;
  readonly refreshCpuMs: number;
  readonly refreshesPerSecond: number;
  /** For so long that as many transactions end as begin, each being kept for 32 s. */
  readonly sustained: {
    readonly seconds: number;
    readonly refreshesPerSecond: number;
    readonly refreshCpuMs: number;
    /** Resident, at the end of it. */
    readonly bytes: number;
  };
}

/** Resident memory of the server and its mixers, in bytes: just started, and with so many, half a minute after the last. */
export interface MemoryFigures {
  readonly count: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

export interface SignallingFigures {
  readonly calls: readonly CallFigures[];
  readonly registrations: RegistrationFigures;
  readonly idleCalls: MemoryFigures;
  readonly registered: MemoryFigures;
}

export interface SignallingScale {
  /** Calls of each measurement. */
  readonly calls: number;
  readonly idleCalls: number;
  readonly registrations: number;
  readonly sustainSeconds: number;
  readonly sippCallsPerSecond: readonly number[];
}

const GENERATOR = fileURLToPath(new URL(`call-generator${import.meta.url.slice(-3)}`, import.meta.url));
const REGISTER_GENERATOR = fileURLToPath(new URL(`register-generator${import.meta.url.slice(-3)}`, import.meta.url));
const PASSWORD = 'a password';
/** Users that are made at a time. */
const USERS_AT_ONCE = 50;

/** One room is in one mixer, and rests its ports for 5 s after a call: 2,000 calls a second would need them all. */
export function startServer(): Promise<Parley> {
  return Parley.start({
    env: {
      PARLEY_LOG_LEVEL: 'warn',
      PARLEY_MAX_PARTICIPANTS: '5000',
      PARLEY_AUDIO_MIXERS: '1',
      PARLEY_RTP_MIN: '12000',
      PARLEY_RTP_MAX: '32699',
    },
  });
}

export async function measureSignalling(scale: SignallingScale, withSipp: boolean): Promise<SignallingFigures> {
  const calls = await onServer(async (server) => {
    const { calls: count } = scale;
    // Code that has not run yet is interpreted: it is compiled before anything is measured.
    await measureCalls(server, 'warming up', { calls: count, callsPerSecond: null, concurrency: 20, stay: false });
    const figures = [
      await measureCalls(server, 'as fast as it goes, 20 at a time', {
        calls: count,
        callsPerSecond: null,
        concurrency: 20,
        stay: false,
      }),
      await measureCalls(server, '500 a second', { calls: count, callsPerSecond: 500, concurrency: 500, stay: false }),
      await measureCalls(server, '100 a second', {
        calls: Math.ceil(count / 4),
        callsPerSecond: 100,
        concurrency: 500,
        stay: false,
      }),
    ];
    for (const rate of withSipp ? scale.sippCallsPerSecond : []) figures.push(await measureSipp(server, rate, count));
    return figures;
  });
  told(calls);
  const idleCalls = told(await onServer((server) => measureIdleCalls(server, scale.idleCalls)));
  const registering = await onServer((server) => measureRegistering(server, scale.registrations, scale.sustainSeconds));
  return { calls, idleCalls, ...registering };
}

/** What is known already, for who waits. */
function told<Figures>(figures: Figures): Figures {
  console.error(JSON.stringify(figures));
  return figures;
}

async function onServer<Result>(measure: (server: Parley) => Promise<Result>): Promise<Result> {
  const server = await startServer();
  try {
    return await measure(server);
  } finally {
    await server.kill();
  }
}

export async function measureCalls(
  server: Parley,
  name: string,
  job: Omit<CallJob, 'sipPort' | 'uri'>,
): Promise<CallFigures> {
  const used = cpuOf(server);
  const { result, end } = await generate(server, job);
  const failed = Object.values(result.failed).reduce((sum, count) => sum + count, 0);
  const figures = { name, failed, setUpMs: result.setUpMs, callsPerSecond: result.completed / result.seconds };
  end();
  return { ...figures, ...used(job.calls) };
}

async function measureSipp(server: Parley, callsPerSecond: number, calls: number): Promise<CallFigures> {
  const used = cpuOf(server);
  const startedMs = performance.now();
  const scenario = { builtIn: 'uac' };
  const sipp = await SippClient.start({ scenario, room: 'bench', serverPort: server.sipPort, calls, callsPerSecond });
  const { successful, failed } = await sipp.finished(120_000);
  const seconds = (performance.now() - startedMs) / 1_000;
  const name = `SIPp uac, ${callsPerSecond} a second`;
  return { name, callsPerSecond: successful / seconds, failed, setUpMs: null, ...used(calls) };
}

/** CPU since now, for each of so many calls. */
function cpuOf(server: Parley): (calls: number) => {
  cpuMsPerCall: number;
  serverCpuMsPerCall: number;
  mixerCpuMsPerCall: number;
} {
  const mixers = server.mixerPids();
  const mixerCpuMs = (): number => mixers.reduce((sum, pid) => sum + processCpuMs(pid), 0);
  const before = { server: processCpuMs(server.program.pid), mixer: mixerCpuMs() };
  return (calls) => {
    const serverCpuMsPerCall = (processCpuMs(server.program.pid) - before.server) / calls;
    const mixerCpuMsPerCall = (mixerCpuMs() - before.mixer) / calls;
    return { cpuMsPerCall: serverCpuMsPerCall + mixerCpuMsPerCall, serverCpuMsPerCall, mixerCpuMsPerCall };
  };
}

async function generate(
  server: Parley,
  job: Omit<CallJob, 'sipPort' | 'uri'>,
): Promise<{ result: CallResult; end(): void }> {
  const child = fork(GENERATOR, { execArgv: [] });
  child.send({ ...job, sipPort: server.sipPort, uri: server.sipUri('bench') });
  const [result] = (await once(child, 'message')) as [CallResult | { error: string }];
  if ('error' in result) throw new Error(result.error);
  return { result, end: () => child.disconnect() };
}

async function measureIdleCalls(server: Parley, calls: number): Promise<MemoryFigures> {
  const bytesBefore = residentBytes(server);
  const { result, end } = await generate(server, { calls, callsPerSecond: 200, concurrency: calls, stay: true });
  if (result.completed < calls) throw new Error(`calls failed: ${JSON.stringify(result.failed)}`);
  // The transactions of their INVITEs are gone after 32 s.
  await pause(40_000);
  const bytesAfter = residentBytes(server);
  end();
  return { count: calls, bytesBefore, bytesAfter };
}

/** Users have two phones each: to make 10,000 of them at once would be too much for the API's limit of requests. */
async function measureRegistering(
  server: Parley,
  phones: number,
  sustainSeconds: number,
): Promise<{ registrations: RegistrationFigures; registered: MemoryFigures }> {
  const users = Math.ceil(phones / 2);
  const bytesBefore = residentBytes(server);
  for (let first = 0; first < users; first += USERS_AT_ONCE) {
    const some = Array.from({ length: Math.min(USERS_AT_ONCE, users - first) }, (_, index) => userName(first + index));
    await Promise.all(some.map((user) => server.api.putUser(user, PASSWORD)));
  }
  const child = fork(REGISTER_GENERATOR, { execArgv: [] });
  const job: RegisterJob = { sipPort: server.sipPort, phones, users, password: PASSWORD, refreshes: 2, sustainSeconds };
  const rounds: { cpuMs: number; seconds: number; perSecond: number }[] = [];
  let cpuMs = processCpuMs(server.program.pid);
  child.send(job);
  for (let round = 0; round <= job.refreshes + 1; round++) {
    const [message] = (await once(child, 'message')) as [FromRegisterGenerator];
    if (message.type === 'failed') throw new Error(message.reason);
    // What is written to the database later belongs to it.
    await pause(1_000);
    const nowMs = processCpuMs(server.program.pid);
    const { registered, seconds } = message;
    rounds.push({ cpuMs: (nowMs - cpuMs) / registered, seconds, perSecond: registered / seconds });
    cpuMs = nowMs;
    child.send('next');
  }
  const sustainedBytes = residentBytes(server);
  await pause(40_000);
  const [first, , refresh, sustained] = rounds;
  return {
    registrations: {
      firstCpuMs: first!.cpuMs,
      refreshCpuMs: refresh!.cpuMs,
      refreshesPerSecond: refresh!.perSecond,
      sustained: {
        seconds: sustained!.seconds,
        refreshesPerSecond: sustained!.perSecond,
        refreshCpuMs: sustained!.cpuMs,
        bytes: sustainedBytes,
      },
    },
    registered: { count: phones, bytesBefore, bytesAfter: residentBytes(server) },
  };
}

/** Of the server and its mixers. */
function residentBytes(server: Parley): number {
  return [server.program.pid, ...server.mixerPids()].reduce((sum, pid) => {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return sum + Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
  }, 0);
}

export function describeSignalling(figures: SignallingFigures): string {
  const lines = figures.calls.map(({ name, callsPerSecond, failed, setUpMs, ...cpu }) => {
    const parts = `server ${cpu.serverCpuMsPerCall.toFixed(2)}, mixer ${cpu.mixerCpuMsPerCall.toFixed(2)}`;
    const times = setUpMs === null ? '' : `, set up in ${setUpMs.median} ms (median), ${setUpMs.p99} ms (p99)`;
    const failures = failed > 0 ? `, ${failed} FAILED` : '';
    return `${name}: ${callsPerSecond.toFixed(0)} calls/s, CPU ${cpu.cpuMsPerCall.toFixed(2)} ms a call (${parts})${times}${failures}`;
  });
  const { registrations, idleCalls, registered } = figures;
  const { refreshesPerSecond, refreshCpuMs, firstCpuMs, sustained } = registrations;
  const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  const memory = ({ bytesBefore, bytesAfter }: MemoryFigures): string =>
    `${megabytes(bytesBefore)} at the start, ${megabytes(bytesAfter)} with them`;
  return [
    ...lines,
    `registrations: ${refreshesPerSecond.toFixed(0)} refreshes/s, CPU ${refreshCpuMs.toFixed(3)} ms each; first ones ${firstCpuMs.toFixed(3)} ms`,
    `  for ${sustained.seconds.toFixed(0)} s: ${sustained.refreshesPerSecond.toFixed(0)} refreshes/s, CPU ${sustained.refreshCpuMs.toFixed(3)} ms each, then ${megabytes(sustained.bytes)}`,
    `memory, ${idleCalls.count} idle calls: ${memory(idleCalls)}`,
    `memory, ${registered.count} registrations: ${memory(registered)}`,
  ].join('\n');
}
