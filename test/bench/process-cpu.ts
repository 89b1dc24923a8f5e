import { readFileSync } from 'node:fs';

/** The kernel counts in ticks of 10 ms on every Linux that Node runs on (USER_HZ). */
const TICK_MS = 10;

/** User and system time of a whole process since its start, from /proc; milliseconds, in steps of 10. */
export function processCpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The command's name, in brackets, may hold anything; field 3 begins after its last bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

export function processesCpuMs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + processCpuMs(pid), 0);
}

/** What all processes of the machine have used since it started; milliseconds over all cores. */
export function machineCpuMs(): number {
  const total = readFileSync('/proc/stat', 'latin1').split('\n', 1)[0]!;
  // Time idle and time waiting for input and output are fields 3 and 4.
  const [user = 0, nice = 0, system = 0, , , interrupt = 0, softInterrupt = 0] = total
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + interrupt + softInterrupt) * TICK_MS;
}
