import { resolve } from 'node:path';
import { z } from 'zod';
import { crossChecks } from './cross-checks.ts';
import type { Environment } from './environment.ts';
import { FILE_VARIABLE, readEnvironment } from './environment.ts';
import { readConfigFile } from './file.ts';
import type { CommandOptions } from './flags.ts';
import { readFlags } from './flags.ts';
import type { ConfigProblem, Given, Origin } from './given.ts';
import { meant, shown } from './given.ts';
import { type Host, thisHost } from './host.ts';
import { notes } from './notes.ts';
import { portShares } from './port-pairs.ts';
import { otherFamilyAddress, resolvePublicAddress } from './public-address.ts';
import {
  type Config,
  type ConfigKey,
  configKeys,
  configSchema,
  type GivenConfig,
  notesOf,
  roomKeys,
} from './schema.ts';

/** Where each value in force comes from. */
export type ConfigSources = Readonly<Record<ConfigKey, Origin>>;

export type LoadedConfig =
  | { ok: true; config: Config; sources: ConfigSources; options: CommandOptions }
  /** All that is wrong, not just the first. */
  | { ok: false; problems: ConfigProblem[]; options: CommandOptions };

export interface ConfigInput {
  /** Without the program's own name. */
  argv: readonly string[];
  env: Environment;
  cwd: string;
  host?: Host;
}

/**
 * Puts the configuration together: defaults, then the file, then the environment, then flags.
 * Every value that was given is checked, even one that another overrides. Changes nothing, on disk or elsewhere.
 */
export function loadConfig({ argv, env, cwd, host = thisHost() }: ConfigInput): LoadedConfig {
  const flags = readFlags(argv);
  const environment = readEnvironment(env);
  const file = readConfigFile(cwd, namedFile(flags.options.config, environment.file));
  const given = [...file.given, ...environment.given, ...flags.given];
  const problems = [
    ...file.problems,
    ...environment.problems,
    ...flags.problems,
    ...given.flatMap((value) => checkValue(value)),
  ];

  const wrong = new Set(problems.map(({ key }) => key?.split('.')[0]));
  const usable = given.filter(({ key }) => !wrong.has(key));
  const values = configSchema.parse(Object.fromEntries(usable.map(({ key, value }) => [key, value])));
  const sources = sourcesOf(usable);
  const config = complete(values, sources, cwd, host);
  problems.push(...crossChecks(config, sources, host).filter(({ key }) => !wrong.has(key ?? undefined)));
  return problems.length > 0
    ? { ok: false, problems, options: flags.options }
    : { ok: true, config, sources, options: flags.options };
}

function namedFile(flag: string | null, variable: string | null): { file: string; origin: Origin } | null {
  if (flag !== null) return { file: flag, origin: { kind: 'flag', name: '--config' } };
  if (variable !== null) return { file: variable, origin: { kind: 'variable', name: FILE_VARIABLE } };
  return null;
}

function checkValue(given: Given): ConfigProblem[] {
  const { error } = configSchema.shape[given.key].safeParse(given.value);
  return (error?.issues ?? []).flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((name) => problemAt(given, [...issue.path, name], unknownRoomKey(name)))
      : [problemAt(given, issue.path, `must be ${rightFor(given.key, issue.path)}`)],
  );
}

function problemAt({ key, value, origin, originOf }: Given, path: readonly PropertyKey[], text: string): ConfigProblem {
  return {
    key: [key, ...path.map(String)].join('.'),
    origin: originOf?.(path) ?? origin,
    given: shown(key, valueAt(value, path), String(path.at(-1) ?? '')),
    text,
  };
}

function unknownRoomKey(name: string): string {
  const nearest = meant(name, roomKeys);
  return `there is no such key in a room${nearest ? `; perhaps ${nearest} was meant` : ''}`;
}

const valueAt = (value: unknown, path: ReadonlyArray<PropertyKey>): unknown =>
  path.reduce<unknown>((whole, step) => (whole as Record<PropertyKey, unknown> | undefined)?.[step], value);

/** The innermost note on the way down to the part that is wrong. */
function rightFor(key: ConfigKey, path: ReadonlyArray<PropertyKey>): string {
  let { right } = notesOf(key);
  let schema: unknown = configSchema.shape[key];
  for (const step of path) {
    while (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) schema = schema.unwrap();
    if (schema instanceof z.ZodArray) schema = schema.element;
    else if (schema instanceof z.ZodObject) schema = schema.shape[String(step)];
    right = (schema instanceof z.ZodType && notes.get(schema)?.right) || right;
  }
  return right;
}

function sourcesOf(given: readonly Given[]): Record<ConfigKey, Origin> {
  const fromDefault = configKeys.map((key) => [key, { kind: 'default' }] as const);
  return Object.fromEntries([...fromDefault, ...given.map(({ key, origin }) => [key, origin] as const)]) as Record<
    ConfigKey,
    Origin
  >;
}

/** Finds what nobody gave, and notes in `sources` how. */
function complete(values: GivenConfig, sources: Record<ConfigKey, Origin>, cwd: string, host: Host): Config {
  const orElse = <T>(key: ConfigKey, given: T | undefined, find: () => readonly [T, string]): T => {
    if (given !== undefined) return given;
    const [value, how] = find();
    sources[key] = { kind: 'found', how };
    return value;
  };
  const { audio: pairs, video: videoPairs } = portShares(values);
  const publicAddress = orElse('publicAddress', values.publicAddress, () => {
    const { address, how } = resolvePublicAddress(values.bind, host.interfaces);
    return [[address], how];
  });
  const other = otherFamilyAddress(values.bind, publicAddress, host.interfaces);
  const inCwd = (file: string | undefined) => (file === undefined ? undefined : resolve(cwd, file));
  const enoughPortsFor = Math.floor(pairs / values.maxParticipants);
  return {
    ...values,
    publicAddress: other === null ? publicAddress : [...publicAddress, other.address],
    domain: orElse('domain', values.domain, () => [publicAddress[0]!, 'the same as publicAddress']),
    maxCalls: orElse('maxCalls', values.maxCalls, () =>
      pairs < 1000 ? [Math.max(1, pairs), 'as media ports allow'] : [1000, 'default'],
    ),
    // A room lives in one mixer, and each mixer has its own part of the ports: a full room must find its ports there.
    audioMixers: orElse('audioMixers', values.audioMixers, () =>
      enoughPortsFor < host.cores ? [Math.max(1, enoughPortsFor), 'as media ports allow'] : [host.cores, 'cores'],
    ),
    videoMixers: orElse('videoMixers', values.videoMixers, () =>
      videoPairs > 0 ? [1, 'default'] : [0, 'as media ports allow'],
    ),
    dataDir: resolve(cwd, values.dataDir),
    videoFont: inCwd(values.videoFont),
    promptsDir: inCwd(values.promptsDir),
    recordingFolder: inCwd(values.recordingFolder),
    tlsCertificate: inCwd(values.tlsCertificate),
    tlsKey: inCwd(values.tlsKey),
    tlsClientCa: inCwd(values.tlsClientCa),
    apiToken: values.apiToken,
    rooms: values.rooms.map((room) => ({ ...room, maxParticipants: room.maxParticipants ?? values.maxParticipants })),
  };
}
