import { type CodedVoice, HOP_MS, numberOf, readCodes, STEP_MS } from './coded-sound.ts';

/** Where the beginning of a quarter second is in a file; its number counts on the callers' clock. */
export interface FoundBoundary {
  number: number;
  atMs: number;
  /** See `CodeBoundary`. */
  isWhole: boolean;
}

/** What one voice is found to say in a file. */
export interface FoundSpeech {
  /** In order of the file. */
  boundaries: readonly FoundBoundary[];
  /** Which hops of 10 ms of the callers' clock are there. */
  spokenHops: ReadonlySet<number>;
}

export interface Stretch {
  fromMs: number;
  toMs: number;
}

/** Where one quarter second becomes the next the ear is unsure for so long; and a packet may be concealed. */
const CLOSED_HOPS = 8;

/** @param zeroMs of the callers' clock when the file begins, give or take two seconds */
export function findSpeech(samples: Float32Array, voice: CodedVoice, zeroMs: number): FoundSpeech {
  const { hops, boundaries } = readCodes(samples, voice);
  const placed = boundaries.map(({ code, atMs, isWhole }) => ({
    number: numberOf(voice, code, (atMs + zeroMs) / STEP_MS),
    ...{ atMs, isWhole },
  }));
  const spokenHops = new Set<number>();
  let nearest = 0;
  hops.forEach((code, hop) => {
    if (code < 0 || placed.length === 0) return;
    const atMs = (hop + 0.5) * HOP_MS;
    while (nearest + 1 < placed.length && apart(placed[nearest + 1]!, atMs) <= apart(placed[nearest]!, atMs)) nearest++;
    const { number, atMs: boundaryMs } = placed[nearest]!;
    const saidMs = number * STEP_MS + atMs - boundaryMs;
    if (numberOf(voice, code, saidMs / STEP_MS - 0.5) === Math.floor(saidMs / STEP_MS)) {
      spokenHops.add(Math.floor(saidMs / HOP_MS));
    }
  });
  return { boundaries: placed, spokenHops };
}

const apart = ({ atMs }: FoundBoundary, ms: number): number => Math.abs(atMs - ms);

/** What of a stretch of the callers' clock is not there, without what is too short to tell. */
export function missing({ spokenHops }: FoundSpeech, { fromMs, toMs }: Stretch): Stretch[] {
  const holes: Stretch[] = [];
  let lastHop = Math.floor(fromMs / HOP_MS) - 1;
  const end = Math.floor(toMs / HOP_MS);
  for (let hop = lastHop + 1; hop <= end; hop++) {
    if (hop < end && !spokenHops.has(hop)) continue;
    if (hop - lastHop - 1 > CLOSED_HOPS) holes.push({ fromMs: (lastHop + 1) * HOP_MS, toMs: hop * HOP_MS });
    lastHop = hop;
  }
  return holes;
}
