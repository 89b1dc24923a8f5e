import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fixedDefault } from '../../server/config/describe.ts';
import { FILE_VARIABLE } from '../../server/config/environment.ts';
import { parseConfigFile } from '../../server/config/file.ts';
import { commandFlags } from '../../server/config/flags.ts';
import { flagOf, scalarKeys, variableOf } from '../../server/config/given.ts';
import { loadConfig } from '../../server/config/load.ts';
import { configKeys, notesOf, roomKeys } from '../../server/config/schema.ts';

const docs = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');

describe('docs/configuration.md', () => {
  it.each(configKeys)('has a row on %s that says what the program says', (key) => {
    const { meaning, right, otherwise } = notesOf(key);
    const fixed = fixedDefault(key);
    const cells = [
      `\`${key}\``,
      scalarKeys.includes(key) ? `\`${variableOf(key)}\`` : '',
      scalarKeys.includes(key) ? `\`${flagOf(key)}\`` : '',
      otherwise ?? `\`${fixed}\``,
      `${meaning} Must be ${right}.`,
    ];
    expect(docs).toContain(`| ${cells.join(' | ')} |\n`.replace(/\| {2}\|/g, '| |').replace(/\| {2}\|/g, '| |'));
  });

  it('names no variable or flag that is not there', () => {
    const variables = [...scalarKeys.map(variableOf), FILE_VARIABLE, 'PARLEY_REQUIRE_PEERS'];
    const flags = [...scalarKeys.map(flagOf), ...Object.keys(commandFlags)];
    for (const [name] of docs.matchAll(/PARLEY_[A-Z0-9_]+/g)) expect(variables).toContain(name);
    for (const [, name] of docs.matchAll(/[`\s](--[a-z0-9-]{2,})/g)) expect(flags).toContain(name);
  });

  it("has each of a room's keys", () => {
    for (const key of roomKeys) expect(docs).toContain(`\`${key}\``);
  });

  it('shows a file that is right', () => {
    const [, example] = /```yaml\n([\s\S]+?)```/.exec(docs) ?? [];
    const { given, problems } = parseConfigFile('parley.yaml', example ?? '');
    expect(problems).toEqual([]);
    expect(given.length).toBeGreaterThan(3);
    const argv = given
      .filter(({ key }) => key !== 'rooms' && key !== 'bind' && key !== 'dataDir')
      .map(({ key, value }) => `${flagOf(key)}=${String(value)}`);
    expect(loadConfig({ argv, env: {}, cwd: '/tmp' })).toMatchObject({ ok: true });
  });
});
