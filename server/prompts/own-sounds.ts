import { readdirSync, statSync } from 'node:fs';
import { join, parse } from 'node:path';
import type { Log } from '../log.ts';
import { PLAYABLE, soundFileProblem } from './sound-file.ts';

/** What ids and names of sounds look like. */
const SOUND_ID = /^[a-z0-9][a-z0-9-]{0,63}$/;
/** Of one directory; what there is beyond is left out. */
const MAX_FILES = 1000;

/**
 * Good sounds in a directory: id to path, sorted by id. Each one that is no good is logged and left out. An absent
 * directory has none.
 *
 * @param known the ids that make sense there; null: all do
 */
export function ownSounds(directory: string, known: readonly string[] | null, log: Log): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of filesIn(directory, log)) {
    const file = join(directory, name);
    const reason = problemWith(file, known, found);
    if (reason === null) found.set(parse(name).name, file);
    else log.warn({ file, reason }, 'a sound of promptsDir cannot be used, and is left out');
  }
  return found;
}

function problemWith(file: string, known: readonly string[] | null, found: ReadonlyMap<string, string>): string | null {
  const { name, ext } = parse(file);
  if (ext !== '.wav' && ext !== '.g722') return `must be ${PLAYABLE}`;
  if (!SOUND_ID.test(name)) return 'must be called by 1 to 64 of a-z, 0-9 and "-", not "-" first';
  if (known !== null && !known.includes(name)) return `must be one of ${known.join(', ')}`;
  const other = found.get(name);
  return other === undefined ? soundFileProblem(file) : `${other} is there too`;
}

/** Names, sorted; too many are logged and left out. */
function filesIn(directory: string, log: Log): string[] {
  if (!isDirectory(directory)) return [];
  const names = entries(directory).sort();
  if (names.length > MAX_FILES) {
    log.warn(
      { directory, files: names.length, used: MAX_FILES },
      'promptsDir has too many files; the rest is left out',
    );
  }
  return names.slice(0, MAX_FILES);
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Logs what is in `directory` besides the directories that are looked into. Throws when it is no directory. */
export function checkOwnDirectory(directory: string, known: readonly string[], log: Log): void {
  for (const name of entries(directory).slice(0, MAX_FILES)) {
    if (known.includes(name)) continue;
    const reason = `only these are looked into: ${known.join(', ')}`;
    log.warn({ file: join(directory, name), reason }, 'something in promptsDir is left out');
  }
}

/** Names of all that is not hidden. */
function entries(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => !name.startsWith('.'));
  } catch (error) {
    throw new Error(`promptsDir must be a directory that can be read: ${(error as Error).message}`);
  }
}
