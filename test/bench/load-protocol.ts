import type { DurationSummary } from './histogram.ts';
import type { LoadCodec } from './load-signal.ts';

/** What the benchmark and its load generator say to each other, over the IPC channel of the child process. */

/** Who calls, and what they send. The callers of a room have seats from 0 on; those who talk have the first ones. */
export interface Load {
  /** The seats of a room take turns. */
  codecs: readonly LoadCodec[];
  rooms: number;
  callersPerRoom: number;
  talkersPerRoom: number;
}

export const callersOf = ({ rooms, callersPerRoom }: Load): number => rooms * callersPerRoom;

export interface LoadJob extends Load {
  /** Only those callers by whom delay is measured, or only the others. */
  part?: 'measured' | 'others';
  /** Calls over SIP to a room each, or packets straight to these ports of an echo. */
  target: { kind: 'rooms'; sipPort: number; uris: string[] } | { kind: 'echo'; ports: number[] };
}

export interface LoadResult {
  seconds: number;
  packetsSent: number;
  packetsReceived: number;
  packetsLost: number;
  gapsMs: DurationSummary;
  /** Null when there is no mixer in between, or nobody who only listens. */
  addedDelayMs: DurationSummary | null;
  /** Markers that were not found in what a listener got. */
  markersMissed: number;
  /** Of the generator itself: share of one core, and how late its timer was. */
  generatorCpu: number;
  generatorLatenessMs: DurationSummary;
}

export type ToGenerator = { type: 'start'; job: LoadJob } | { type: 'measure'; seconds: number } | { type: 'stop' };

export type FromGenerator =
  /** With `refusal`, a call was not answered with 200, and nothing is sent; `calls` are up. */
  | { type: 'running'; calls: number; refusal: string | null }
  | { type: 'measuring' }
  | { type: 'measured'; result: LoadResult }
  | { type: 'stopped' }
  | { type: 'failed'; message: string };
