import { readdirSync, readFileSync } from 'node:fs';

/** The kernel counts in ticks of 10 ms on every Linux that Node runs on (USER_HZ). */
const TICK_MS = 10;

/** User and system time of a whole process, from /proc: of the threads that it has now, since they began. Milliseconds. */
export function processCpuMs(pid: number): number {
  // /proc/PID/stat has it in steps of 10 ms only.
  const tasks = `/proc/${pid}/task`;
  const nanoseconds = readdirSync(tasks).reduce((sum, task) => {
    return sum + Number(readFileSync(`${tasks}/${task}/schedstat`, 'latin1').split(' ', 1)[0]);
  }, 0);
  return nanoseconds / 1e6;
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
