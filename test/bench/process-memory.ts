import { readFileSync } from 'node:fs';

/** Of processes together, in bytes. What the kernel keeps for their sockets is in neither. */
export interface ProcessMemory {
  /** Resident; pages that several share are counted for each. */
  rss: number;
  /** Pages that several share are divided among them. */
  pss: number;
}

/** The kernel walks all pages for it and holds up the process meanwhile: not while anything is measured. */
export function processesMemory(pids: readonly number[]): ProcessMemory {
  const memory = { rss: 0, pss: 0 };
  for (const pid of pids) {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
    memory.rss += bytes(text, 'Rss');
    memory.pss += bytes(text, 'Pss');
  }
  return memory;
}

function bytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]) * 1024;
}
