import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { matroskaHeader } from '../../mixer/recording/matroska.ts';
import { recordedDurationMs } from '../../server/recordings/capture-duration.ts';
import { openPlain } from '../../server/recordings/finishing/source.ts';
import { sine, writeCapture } from './captures.ts';

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'parley-duration-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

it('a part of which a crash left nothing ends where it began', async () => {
  await writeCapture(join(directory, 'mix-1.mka'), 'opus', [{ fromMs: 0, toMs: 500 }], sine(440));
  await writeFile(join(directory, 'mix-2.mka'), matroskaHeader('opus', 'demo', new Date()));
  const parts = [
    { number: 1, startMs: 0 },
    { number: 2, startMs: 1585 },
  ];
  const source = {
    ...{ id: 'one', room: 'demo', directory, videoParts: [], durationMs: 0, sealed: false },
    startedAt: '2026-01-02T03:04:05.000Z',
  };
  expect(await recordedDurationMs({ ...source, parts }, openPlain)).toBe(1585);
  expect(await recordedDurationMs({ ...source, parts: parts.slice(0, 1) }, openPlain)).toBe(500);
});
