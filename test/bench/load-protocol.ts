import type { DurationSummary } from './histogram.ts';
import type { LoadCodec } from './load-signal.ts';

/** What the benchmark and its load generator say to each other, over the IPC channel of the child process. */

export interface LoadJob {
  codec: LoadCodec;
  callers: number;
  talkers: number;
  /** Calls over SIP, or packets straight to these ports of an echo. */
  target: { kind: 'room'; sipPort: number; uri: string } | { kind: 'echo'; ports: number[] };
}

export interface LoadResult {
  seconds: number;
  packetsSent: number;
  packetsReceived: number;
  packetsLost: number;
  gapsMs: DurationSummary;
  /** Null when there is no mixer in between. */
  addedDelayMs: DurationSummary | null;
  /** Markers that were not found in what a listener got. */
  markersMissed: number;
  /** Of the generator itself: share of one core, and how late its timer was. */
  generatorCpu: number;
  generatorLatenessMs: DurationSummary;
}

export type ToGenerator = { type: 'start'; job: LoadJob } | { type: 'measure'; seconds: number } | { type: 'stop' };

export type FromGenerator =
  | { type: 'running' }
  | { type: 'measuring' }
  | { type: 'measured'; result: LoadResult }
  | { type: 'stopped' }
  | { type: 'failed'; message: string };
