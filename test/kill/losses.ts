import type { CodedVoice } from './coded-sound.ts';
import type { FoundBoundary, FoundSpeech, Stretch } from './found-speech.ts';

/** One meeting of the callers, and so one recording. Times are of the callers' clock. */
export interface Round {
  beganMs: number;
  endMs: number;
  /** What ended it. */
  endedBy: 'server' | 'callers';
  mixerKillsMs: readonly number[];
  /** What each has said. */
  callers: readonly ({ voice: CodedVoice } & Stretch)[];
}

export interface Loss {
  cause: 'begin' | 'mixer' | 'end' | 'none';
  /** Whose, and whether in the mix or in the track. */
  where: string;
  hole: Stretch;
  /** Of what had been said before a mixer was killed; otherwise all of it. */
  lostMs: number;
  /** How long after the last of these deaths sound is recorded again; 0 where no mixer died. */
  awayMs: number;
}

/** A hole that begins so long after a mixer was killed, or ends so long before, has nothing to do with it. */
const AROUND_KILL_MS = 150;

export function lossOf(where: string, hole: Stretch, said: Stretch, { mixerKillsMs, endedBy }: Round): Loss {
  const kills = mixerKillsMs.filter((ms) => ms > hole.fromMs - AROUND_KILL_MS && ms < hole.toMs + AROUND_KILL_MS);
  const [first] = kills;
  const isEnd = hole.toMs >= said.toMs;
  if (first !== undefined) {
    const awayMs = isEnd ? 0 : Math.max(0, hole.toMs - kills.at(-1)!);
    return { cause: 'mixer', where, hole, lostMs: Math.max(0, first - hole.fromMs), awayMs };
  }
  const lostMs = hole.toMs - hole.fromMs;
  if (isEnd && endedBy === 'server') return { cause: 'end', where, hole, lostMs, awayMs: 0 };
  return { cause: hole.fromMs <= said.fromMs ? 'begin' : 'none', where, hole, lostMs, awayMs: 0 };
}

/** The most that the same moments are apart in two files, milliseconds. */
export function apartOf(some: readonly FoundBoundary[], others: readonly FoundBoundary[]): number {
  return Math.max(0, ...[...differences(some, others).values()].map(Math.abs));
}

/** How many moments are in both files, and how many of them are whole in both, which alone can be held against each other. */
export function comparable(
  some: readonly FoundBoundary[],
  others: readonly FoundBoundary[],
): { common: number; compared: number } {
  const numbers = new Set(others.map(({ number }) => number));
  const common = some.filter(({ number }) => numbers.has(number)).length;
  return { common, compared: differences(some, others).size };
}

/** By their number, of those that are whole in both. */
export function differences(some: readonly FoundBoundary[], others: readonly FoundBoundary[]): Map<number, number> {
  const at = new Map(others.filter(({ isWhole }) => isWhole).map(({ number, atMs }) => [number, atMs]));
  const found = new Map<number, number>();
  for (const { number, atMs, isWhole } of some) {
    const other = at.get(number);
    if (isWhole && other !== undefined) found.set(number, atMs - other);
  }
  return found;
}

/** The most that one track is before another, each held against the mix at the same moment, milliseconds. */
export function timesApart(
  tracks: ReadonlyMap<CodedVoice, FoundSpeech>,
  mixes: ReadonlyMap<CodedVoice, FoundSpeech>,
): number {
  const all = [...tracks].map(([voice, { boundaries }]) => differences(boundaries, mixes.get(voice)!.boundaries));
  let most = 0;
  for (const [index, some] of all.entries()) {
    for (const others of all.slice(index + 1)) {
      for (const [number, difference] of some) {
        most = Math.max(most, Math.abs(difference - (others.get(number) ?? difference)));
      }
    }
  }
  return most;
}
