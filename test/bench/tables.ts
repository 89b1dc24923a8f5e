import { formatLossTable, lossTable, WHOLE_TABLE } from './loss-table.ts';
import { formatOpusLossTable, opusLossTable } from './opus-loss.ts';

/** What is computed in virtual time, by name: no server, no callers. */
export const TABLES: Readonly<Record<string, (short: boolean) => string>> = {
  'opus-loss': (short) => formatOpusLossTable(short ? opusLossTable([10], 1) : opusLossTable([0, 3, 5, 10, 20, 30], 4)),
  'loss-table': (short) =>
    formatLossTable(
      lossTable(short ? { ...WHOLE_TABLE, lossPercents: [0, 10], lossBursts: [1], jittersMs: [0, 60] } : WHOLE_TABLE),
    ),
};
