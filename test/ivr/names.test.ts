import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Names } from '../../server/ivr/names.ts';

let directory: string;
let names: Names;
/** Ends what is being recorded, with this much of it. */
let ends: (durationMs: number) => void;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'parley-names-'));
  const recorder = {
    recordLeg: ({ path }: { path: string }) =>
      new Promise<{ durationMs: number }>((resolve) => {
        ends = (durationMs) => {
          if (durationMs > 0) writeFileSync(path, 'a voice');
          resolve({ durationMs });
        };
      }),
  };
  names = new Names(directory, recorder, pino({ level: 'silent' }));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it('a name is kept until it is forgotten', async () => {
  const recording = names.record('ann');
  ends(700);
  await recording;
  expect(existsSync(names.of('ann') ?? '')).toBe(true);
  names.forget('ann');
  expect([names.of('ann'), readdirSync(directory)]).toEqual([null, []]);
});

it('who says nothing has none', async () => {
  const recording = names.record('ann');
  ends(0);
  await recording;
  expect(names.of('ann')).toBeNull();
});

it('of who hangs up while saying theirs, nothing is left', async () => {
  const recording = names.record('ann');
  names.forget('ann');
  ends(700);
  await recording;
  expect([names.of('ann'), readdirSync(directory)]).toEqual([null, []]);
});
