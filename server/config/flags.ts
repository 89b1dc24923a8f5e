import type { ConfigProblem, Given } from './given.ts';
import { flagOf, scalarKeys, unknownName, valueFromText } from './given.ts';
import type { ConfigKey } from './schema.ts';

/** What the command line asks for besides values. */
export interface CommandOptions {
  /** Only check the configuration. */
  check: boolean;
  help: boolean;
  version: boolean;
  /** The file named by `--config`; null when none was. */
  config: string | null;
}

/** Flags that are no configuration keys. */
export const commandFlags = {
  '--config': 'Takes this file instead of parley.yaml, parley.yml or parley.json in the working directory.',
  '--check': 'Only checks the configuration, says what is in force and where it comes from.',
  '--help': 'Says all this.',
  '--version': 'Says the version.',
} as const;

const keyOfFlag = new Map<string, ConfigKey>(scalarKeys.map((key) => [flagOf(key), key]));
const allFlags = [...Object.keys(commandFlags), ...keyOfFlag.keys()];

export interface ReadFlags {
  options: CommandOptions;
  given: Given[];
  problems: ConfigProblem[];
}

/** Reads `--name value` and `--name=value`; each flag at most once. */
export function readFlags(argv: readonly string[]): ReadFlags {
  const read: ReadFlags = {
    options: { check: false, help: false, version: false, config: null },
    given: [],
    problems: [],
  };
  const seen = new Set<string>();
  const refuse = (name: string, text: string) =>
    read.problems.push({ key: keyOfFlag.get(name) ?? null, origin: { kind: 'flag', name }, given: null, text });

  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index]!;
    const equals = argument.indexOf('=');
    const name = equals < 0 ? argument : argument.slice(0, equals);
    if (!allFlags.includes(name)) {
      read.problems.push(unknownName('flag', name, { kind: 'flag', name }, allFlags));
      // Its value is not another mistake.
      if (equals < 0 && name.startsWith('--') && isValue(argv[index + 1])) index++;
      continue;
    }
    if (seen.has(name)) refuse(name, 'is given twice');
    seen.add(name);
    if (name === '--check' || name === '--help' || name === '--version') {
      if (equals >= 0) refuse(name, 'takes no value');
      read.options[name.slice(2) as 'check' | 'help' | 'version'] = true;
      continue;
    }
    const value = equals < 0 ? argv[index + 1] : argument.slice(equals + 1);
    if (equals < 0 && !isValue(value)) {
      refuse(name, 'needs a value');
      continue;
    }
    if (equals < 0) index++;
    take(read, name, value!);
  }
  return read;
}

/** A negative number is a value, if never a right one. */
const isValue = (argument: string | undefined) => argument !== undefined && !/^--\D/.test(argument);

function take(read: ReadFlags, name: string, text: string): void {
  if (name === '--config') {
    read.options.config = text;
    return;
  }
  const key = keyOfFlag.get(name)!;
  read.given.push({ key, value: valueFromText(key, text), origin: { kind: 'flag', name } });
}
