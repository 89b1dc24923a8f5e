import { setFlagsFromString } from 'node:v8';
import { createContext, runInContext, runInNewContext } from 'node:vm';

/** What is run in bounds: nothing under test may go on for ever, or keep more and more. */

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** The work of one input is over in milliseconds; a busy machine may take long for some hundred. */
const TIME_LIMIT_MS = 60_000;

/** How far two measurements of the same differ. */
const NOISE_BYTES = 384 * 1024;

const context = createContext({ work: () => {} });

/** Does some work, and throws when it has not ended after a minute, even in the middle of an endless loop. */
export function inTime(work: () => void, limitMs = TIME_LIMIT_MS): void {
  context['work'] = work;
  runInContext('work()', context, { timeout: limitMs });
}

/** What is in use of the heap and of buffers, after all garbage is gone. */
function bytesInUse(): number {
  for (let round = 0; round < 3; round++) collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Does `count` times a piece of work, as above for each thousand; says of what throws which it was. */
export function eachInTime(count: number, one: (number: number) => void, describe: (number: number) => string): void {
  for (let number = 0; number < count; ) {
    const end = Math.min(count, number + 1000);
    try {
      inTime(() => {
        for (; number < end; number++) one(number);
      });
    } catch (cause) {
      throw new Error(describe(number), { cause });
    }
  }
}

/**
 * Runs some rounds of the same work and throws when memory grows: when its least use in the later rounds is above that in
 * the earlier ones by more than `bytesPerRound` for each round between, and what is noise.
 */
export function inFlatMemory(rounds: number, bytesPerRound: number, round: (number: number) => void): void {
  const used: number[] = [];
  for (let number = 0; number < rounds; number++) {
    round(number);
    used.push(bytesInUse());
  }
  // What is made once, such as caches and compiled code, comes in the first rounds.
  const settled = used.slice(Math.ceil(rounds / 4));
  const half = Math.floor(settled.length / 2);
  const grown = Math.min(...settled.slice(half)) - Math.min(...settled.slice(0, half));
  if (grown > bytesPerRound * half + NOISE_BYTES) {
    const megabytes = used.map((bytes) => (bytes / 2 ** 20).toFixed(2)).join(', ');
    throw new Error(`Memory grew by ${grown} bytes in ${half} rounds; MB after each: ${megabytes}`);
  }
}
