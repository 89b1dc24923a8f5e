import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Parley } from '../e2e/clients/parley.ts';
import type { CallJob, CallResult } from './call-generator.ts';
import { processCpuMs } from './process-cpu.ts';

/** Whole calls, INVITE to BYE, with media allocated: what they cost and how many there can be. */
export interface CallFigures {
  readonly name: string;
  readonly result: CallResult;
  readonly callsPerSecond: number;
  /** CPU milliseconds a call, over all our processes. */
  readonly cpuMsPerCall: number;
  readonly serverCpuMsPerCall: number;
  readonly mixerCpuMsPerCall: number;
}

const GENERATOR = fileURLToPath(new URL(`call-generator${import.meta.url.slice(-3)}`, import.meta.url));

/** One room is in one mixer; its ports are kept for 5 s after a call, so many calls a second need many. */
export function startServer(): Promise<Parley> {
  return Parley.start({
    env: {
      PARLEY_LOG_LEVEL: process.env['PARLEY_LOG_LEVEL'] ?? 'warn',
      PARLEY_MAX_PARTICIPANTS: '5000',
      PARLEY_AUDIO_MIXERS: '1',
      PARLEY_RTP_MIN: '12000',
      PARLEY_RTP_MAX: '32699',
    },
  });
}

export async function measureCalls(
  server: Parley,
  name: string,
  job: Omit<CallJob, 'sipPort' | 'uri'>,
): Promise<CallFigures> {
  const mixers = server.mixerPids();
  const cpu = (): [number, number] => [
    processCpuMs(server.program.pid),
    mixers.reduce((sum, pid) => sum + processCpuMs(pid), 0),
  ];
  const before = cpu();
  const result = await generate({ ...job, sipPort: server.sipPort, uri: server.sipUri('bench') });
  const after = cpu();
  const [serverMs, mixerMs] = [(after[0] - before[0]) / job.calls, (after[1] - before[1]) / job.calls];
  return {
    name,
    result,
    callsPerSecond: result.completed / result.seconds,
    cpuMsPerCall: serverMs + mixerMs,
    serverCpuMsPerCall: serverMs,
    mixerCpuMsPerCall: mixerMs,
  };
}

async function generate(job: CallJob): Promise<CallResult> {
  const child = fork(GENERATOR);
  child.send(job);
  const [result] = (await once(child, 'message')) as [CallResult | { error: string }];
  child.disconnect();
  if ('error' in result) throw new Error(result.error);
  return result;
}

/** Resident set of a process, in bytes. */
export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) * 1024;
}
