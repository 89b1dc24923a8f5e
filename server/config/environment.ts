import type { ConfigProblem, Given } from './given.ts';
import { scalarKeys, unknownName, valueFromText, variableOf } from './given.ts';
import type { ConfigKey } from './schema.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Names the file. */
export const FILE_VARIABLE = 'PARLEY_CONFIG';

/** Belong to others than the server. */
const ignored = new Set(['PARLEY_REQUIRE_PEERS']);

const keyOfVariable = new Map<string, ConfigKey>(scalarKeys.map((key) => [variableOf(key), key]));

/** Reads every `PARLEY_…` variable. An empty one counts as not given, which is what compose files make of an unset one. */
export function readEnvironment(env: Environment): { given: Given[]; file: string | null; problems: ConfigProblem[] } {
  const given: Given[] = [];
  const problems: ConfigProblem[] = [];
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith('PARLEY_') || ignored.has(name) || name === FILE_VARIABLE || !text) continue;
    const key = keyOfVariable.get(name);
    if (key) given.push({ key, value: valueFromText(key, text), origin: { kind: 'variable', name } });
    else
      problems.push(
        unknownName('variable', name, { kind: 'variable', name }, [...keyOfVariable.keys(), FILE_VARIABLE]),
      );
  }
  return { given, file: env[FILE_VARIABLE] || null, problems };
}
