import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import type { ConfigProblem, Given, Origin } from './given.ts';
import { unknownName } from './given.ts';
import { configKeys, isConfigKey } from './schema.ts';

/** Looked for in the working directory, in this order, when no file is named. */
export const fileNames = ['parley.yaml', 'parley.yml', 'parley.json'] as const;

export interface ReadFile {
  /** As it is told to people; null when there is none. */
  file: string | null;
  given: Given[];
  problems: ConfigProblem[];
}

/** Reads the named file, which must then be there, or the first that is found. */
export function readConfigFile(cwd: string, named: { file: string; origin: Origin } | null): ReadFile {
  if (named) {
    const read = readText(resolve(cwd, named.file));
    return 'text' in read ? parseConfigFile(named.file, read.text) : cannotRead(named.file, read.reason, named.origin);
  }
  for (const file of fileNames) {
    const read = readText(resolve(cwd, file));
    if ('text' in read) return parseConfigFile(file, read.text);
    if (read.code !== 'ENOENT') return cannotRead(file, read.reason, { kind: 'file', file, line: 1 });
  }
  return { file: null, given: [], problems: [] };
}

function readText(path: string): { text: string } | { code: string | undefined; reason: string } {
  try {
    return { text: readFileSync(path, 'utf8') };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { code, reason: code === 'ENOENT' ? 'there is no such file' : message };
  }
}

const cannotRead = (file: string, reason: string, origin: Origin): ReadFile => ({
  file,
  given: [],
  problems: [{ key: null, origin, given: null, text: `the file ${file} cannot be read: ${reason}` }],
});

/** Reads YAML 1.2, of which JSON is a part. */
export function parseConfigFile(file: string, text: string): ReadFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const originAt = (offset: number): Origin => ({ kind: 'file', file, line: Math.max(1, lines.linePos(offset).line) });
  const faults = [...document.errors, ...document.warnings].map(
    ({ message, pos }): ConfigProblem => ({ key: null, origin: originAt(pos[0]), given: null, text: message }),
  );
  if (faults.length > 0) return { file, given: [], problems: faults };
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) {
    return { file, given: [], problems: [] };
  }
  if (!isMap(document.contents)) {
    const problem = {
      key: null,
      origin: originAt(0),
      given: null,
      text: 'the file must be a mapping of keys to values',
    };
    return { file, given: [], problems: [problem] };
  }
  return readMapping(document, file, originAt);
}

function readMapping(document: Document, file: string, originAt: (offset: number) => Origin): ReadFile {
  const read: ReadFile = { file, given: [], problems: [] };
  if (!isMap(document.contents)) return read;
  const values = valuesOf(document);
  if (values === null) {
    const text = 'its aliases unfold to too much';
    return { ...read, problems: [{ key: null, origin: originAt(0), given: null, text }] };
  }
  for (const { key: node } of document.contents.items) {
    const name = isScalar(node) ? String(node.value) : String(node);
    const start = isNode(node) ? (node.range?.[0] ?? 0) : 0;
    const origin = originAt(start);
    if (!isConfigKey(name)) {
      read.problems.push(unknownName('key', name, origin, configKeys));
      continue;
    }
    const originOf = (path: ReadonlyArray<PropertyKey>) => {
      const part = document.getIn([name, ...path], true);
      return isNode(part) && part.range ? originAt(part.range[0]) : origin;
    };
    read.given.push({ key: name, value: values[name], origin, originOf });
  }
  return read;
}

/** Null when aliases make a small file huge. */
function valuesOf(document: Document): Record<string, unknown> | null {
  try {
    return document.toJS({ maxAliasCount: 100 }) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof ReferenceError) return null;
    throw error;
  }
}
