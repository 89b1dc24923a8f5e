import { commandFlags } from './flags.ts';
import { type ConfigProblem, flagOf, type Origin, scalarKeys, variableOf, withoutSecrets } from './given.ts';
import type { ConfigSources } from './load.ts';
import { type Config, configKeys, configSchema, notesOf } from './schema.ts';

/** What `--check` prints: every value in force and where it comes from; secrets are hidden. */
export function describeConfig(config: Config, sources: ConfigSources): string {
  const rows = configKeys.map((key) => {
    const value = config[key];
    const text = notesOf(key).secret && value !== undefined ? '(hidden)' : valueText(value);
    return [
      key,
      key === 'apiToken' && value === undefined ? '(made at the first start)' : text,
      originText(sources[key]),
    ];
  });
  const widths = [0, 1].map((column) => Math.min(48, Math.max(...rows.map((row) => row[column]!.length))));
  return rows
    .map(([key, value, from]) => `  ${key!.padEnd(widths[0]!)}  ${value!.padEnd(widths[1]!)}  ${from}`)
    .join('\n');
}

/** One line for each problem. */
export function describeProblems(problems: readonly ConfigProblem[]): string {
  return problems.map(describeProblem).join('\n');
}

function describeProblem({ key, origin, given, text }: ConfigProblem): string {
  const about = [originText(origin), key].filter((part) => part !== null && part !== '').join(': ');
  return `${about}: ${given === null ? '' : `given ${given}; `}${text}`;
}

function originText(origin: Origin): string {
  switch (origin.kind) {
    case 'default':
      return 'default';
    case 'found':
      return origin.how;
    case 'file':
      return `${origin.file}:${origin.line}`;
    case 'variable':
    case 'flag':
      return origin.name;
  }
}

function valueText(value: unknown): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  const texts = Array.isArray(value) && value.length > 0 && value.every((part) => typeof part === 'string');
  return texts ? value.join(',') : (withoutSecrets(value) ?? '');
}

/** What `--help` prints. */
export function helpText(): string {
  const flags = scalarKeys.map((key) => [`${flagOf(key)} VALUE`, `${notesOf(key).meaning} ${defaultText(key)}`]);
  const commands = Object.entries(commandFlags).map(([flag, meaning]) => [
    flag === '--config' ? '--config FILE' : flag,
    meaning,
  ]);
  const rows = [...commands, ...flags];
  const width = Math.max(...rows.map(([flag]) => flag!.length));
  return [
    'Usage: npm start -- [flags]',
    '',
    ...rows.map(([flag, meaning]) => `  ${flag!.padEnd(width)}  ${meaning}`),
    '',
    `Each may also be a variable (${variableOf('sipPort')}) or stand in the file (sipPort: 5060); flags go over variables,`,
    'variables over the file. docs/configuration.md says more.',
  ].join('\n');
}

function defaultText(key: (typeof configKeys)[number]): string {
  return `[${notesOf(key).otherwise ?? fixedDefault(key)}]`;
}

/** A key's fixed default as text; empty where it is found rather than fixed. */
export function fixedDefault(key: (typeof configKeys)[number]): string {
  const { data } = configSchema.shape[key].safeParse(undefined);
  if (data === undefined || notesOf(key).otherwise) return '';
  return Array.isArray(data) ? data.join(',') : String(data);
}
