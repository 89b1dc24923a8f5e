import type { Load } from './load-protocol.ts';
import type { LoadCodec } from './load-signal.ts';

/** What the benchmark can measure, by name. */

export interface LoadScenario extends Load {
  name: string;
  /** The number of callers is found first: half of those that one core carries. */
  halfLoad: boolean;
}

const CODECS: Readonly<Record<string, readonly LoadCodec[]>> = {
  pcmu: ['PCMU'],
  g722: ['G722'],
  opus: ['opus'],
  mix: ['PCMU', 'G722', 'opus'],
};
const TALKERS = 3;
const TALKERS_OF_SMALL_ROOMS = 2;
/** Where a search for half load begins. */
const FIRST_GUESS = 100;

/** What a run without filters measures. */
const STANDARD: readonly string[] = [
  ...Object.keys(CODECS).flatMap((codec) =>
    [10, 100, 500].flatMap((callers) => [1, 3, 'all'].map((talkers) => `${codec}-${callers}-${talkers}`)),
  ),
  'opus-20-all',
  ...['20x5-pcmu', '20x5-opus', '100x5-pcmu', '100x5-g722', '100x5-opus', '100x5-mix'].map(
    (rooms) => `small-rooms-${rooms}`,
  ),
  ...['pcmu', 'g722', 'opus', 'mix'].map((codec) => `half-load-${codec}`),
];

const QUICK: readonly string[] = [
  ...Object.keys(CODECS).map((codec) => `${codec}-10-3`),
  'opus-20-all',
  'small-rooms-4x5-pcmu',
];

export const NAMING = `names are CODEC-CALLERS-TALKERS (one room), small-rooms-ROOMSxCALLERS-CODEC and half-load-CODEC;
CODEC is ${Object.keys(CODECS).join(', ')}; TALKERS a number or \`all\`; any that are not in the list are measured, too`;

/** All names that are measured without being asked for by their whole name. */
export const standardNames = (quick: boolean): readonly string[] => (quick ? QUICK : STANDARD);

/**
 * Those that the filters choose: parts of names between dashes, such as `g722-100`, `all` or `small-rooms`; or whole
 * names, also of what is not in the list. Throws for a filter that chooses nothing.
 */
export function chosenScenarios(filters: readonly string[], quick: boolean): LoadScenario[] {
  const names = filters.length === 0 ? standardNames(quick) : filters.flatMap(matching);
  return [...new Set(names)].map((name) => scenario(name)!);
}

function matching(filter: string): string[] {
  const wanted = filter.toLowerCase();
  const found = STANDARD.filter((name) => `-${name}-`.includes(`-${wanted}-`));
  if (found.length > 0) return found;
  if (scenario(wanted)) return [wanted];
  throw new Error(`no scenario matches ${filter}`);
}

/** Null for a name that means nothing. */
export function scenario(name: string): LoadScenario | null {
  const halfLoad = /^half-load-(\w+)$/.exec(name);
  if (halfLoad) return load(name, halfLoad[1]!, 1, FIRST_GUESS, TALKERS, true);
  const rooms = /^small-rooms-(\d+)x(\d+)-(\w+)$/.exec(name);
  if (rooms) return load(name, rooms[3]!, Number(rooms[1]), Number(rooms[2]), TALKERS_OF_SMALL_ROOMS);
  const room = /^([a-z0-9]+)-(\d+)-(\d+|all)$/.exec(name);
  if (!room) return null;
  const callers = Number(room[2]);
  return load(name, room[1]!, 1, callers, room[3] === 'all' ? callers : Number(room[3]));
}

function load(
  name: string,
  codec: string,
  rooms: number,
  callersPerRoom: number,
  talkersPerRoom: number,
  halfLoad = false,
): LoadScenario | null {
  const codecs = CODECS[codec];
  if (!codecs || rooms < 1 || callersPerRoom < 1 || talkersPerRoom > callersPerRoom) return null;
  return { name, codecs, rooms, callersPerRoom, talkersPerRoom, halfLoad };
}
