import { LEAST_SHARE, type LoadFigures, OTHER_CPU_LIMIT_CORES, percent } from './load-figures.ts';
import type { TickTimes } from './tick-times.ts';

/** From here on, ticks that begin more than 20 ms late are not the odd one. */
const MOST_LATE_TICKS = 0.01;
/** Of a core, or of all. */
const BUSY = 0.9;

export interface Measured {
  figures: LoadFigures;
  ticks: TickTimes;
  /** By the clock, 0–1: a mixer that waits for a core is busy, too. */
  mixerLoad: number;
  rooms: number;
  /** Of the machine. */
  cores: number;
}

/** Why there are no figures, or what makes them doubtful. */
export function judged({ figures, ticks, mixerLoad, rooms, cores }: Measured): {
  failure: string | null;
  doubts: string[];
} {
  const { cpuCores, otherCpuCores, load, doubts } = figures;
  const back = load.packetsReceived / load.packetsSent;
  const late = ticks.lateShare > MOST_LATE_TICKS;
  if (back >= LEAST_SHARE && !late) return { failure: null, doubts };
  const signs = `${percent(back)} of the packets due came back, ${percent(ticks.lateShare)} of the ticks were over 20 ms late`;
  // What one mixer can use, as one room has no more; or the machine, with the generator on it.
  const full = (rooms === 1 && cpuCores > BUSY) || cpuCores + load.generatorCpu > BUSY * cores;
  const disturbed = otherCpuCores > OTHER_CPU_LIMIT_CORES;
  const overloaded = full || (mixerLoad > BUSY && !disturbed);
  if (back >= LEAST_SHARE && !overloaded) return { failure: null, doubts: [signs, ...doubts] };
  const [parley, generator, others] = [cpuCores, load.generatorCpu, otherCpuCores].map((value) => value.toFixed(2));
  const used = `cores used: ${parley} by Parley, ${generator} by the generator, ${others} by others`;
  const cause = full || !disturbed ? 'overloaded' : 'spoilt by other programs';
  return { failure: `${cause}: ${signs}; a mixer was busy ${percent(mixerLoad)}; ${used}`, doubts };
}
