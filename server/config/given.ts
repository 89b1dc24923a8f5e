import { type ConfigKey, configKeys, configSchema, notesOf } from './schema.ts';

/** Where a value comes from. */
export type Origin =
  | { kind: 'default' }
  /** Not given, and found out: `how` says from what. */
  | { kind: 'found'; how: string }
  | { kind: 'file'; file: string; line: number }
  | { kind: 'variable'; name: string }
  | { kind: 'flag'; name: string };

/** One value that somebody gave, not yet checked. */
export interface Given {
  key: ConfigKey;
  value: unknown;
  origin: Origin;
  /** Where a part of the value stands, such as `[1, 'name']` of `rooms`. */
  originOf?: (path: ReadonlyArray<PropertyKey>) => Origin;
}

/** One thing that is wrong; `text` is whole sentences for the person who is to mend it. */
export interface ConfigProblem {
  /** Null where it is not about one key: an unknown flag, a file that cannot be read. */
  key: string | null;
  origin: Origin;
  /** As it was given; null where nothing was, or it is a secret. */
  given: string | null;
  /** What is wrong, or what would be right. */
  text: string;
}

/** `sipPort` → `PARLEY_SIP_PORT`. */
export const variableOf = (key: string) => `PARLEY_${key.replace(/[A-Z]/g, '_$&').toUpperCase()}`;

/** `sipPort` → `--sip-port`. */
export const flagOf = (key: string) => `--${key.replace(/[A-Z]/g, '-$&').toLowerCase()}`;

/** Keys that one line of text can say: all but `rooms`. */
export const scalarKeys: readonly ConfigKey[] = configKeys.filter((key) => key !== 'rooms');

/**
 * Reads a variable's or flag's text as what the key's schema asks for. Text that does not read so stays text, which the
 * schema then refuses.
 */
export function valueFromText(key: ConfigKey, text: string): unknown {
  switch (configSchema.shape[key].def.innerType.def.type) {
    case 'number':
      return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
    case 'boolean':
      return text === 'true' || (text === 'false' ? false : text);
    case 'array':
      return text.split(',').map((part) => part.trim());
    default:
      return text;
  }
}

/** A value as people wrote it, one line; null for secrets, and secrets within it hidden. */
export function shown(key: ConfigKey, value: unknown, member?: string): string | null {
  if (notesOf(key).secret || (member !== undefined && isSecretOfRoom(member))) return null;
  if (typeof value === 'string') return `"${value}"`;
  return withoutSecrets(value) ?? 'nothing';
}

/** As JSON, with the PINs of rooms hidden. */
export function withoutSecrets(value: unknown): string | undefined {
  return JSON.stringify(value, (name, part: unknown) =>
    isSecretOfRoom(name) && part !== null && part !== undefined ? '(hidden)' : part,
  );
}

const isSecretOfRoom = (name: string): boolean => name === 'pin' || name === 'moderatorPin';

/** The nearest of the names, if it is near enough to be a slip of the pen. */
export function meant(name: string, names: readonly string[]): string | null {
  const near = names
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  return near && near.distance <= Math.min(3, Math.ceil(name.length / 4)) ? near.candidate : null;
}

/** Levenshtein's. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = previous[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, previous[column]! + 1, current[column - 1]! + 1));
    }
    previous = current;
  }
  return previous[b.length]!;
}

export function unknownName(what: string, name: string, origin: Origin, names: readonly string[]): ConfigProblem {
  const nearest = meant(name, names);
  return {
    key: null,
    origin,
    given: null,
    text: `there is no ${what} "${name}"${nearest ? `; perhaps ${nearest} was meant` : ''}`,
  };
}
