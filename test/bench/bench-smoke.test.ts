import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { PROJECT_FOLDER } from '../e2e/clients/parley.ts';
import type { ParleyFigures, ScenarioResult } from './load-run.ts';

const run = promisify(execFile);

test('the short form of the benchmark measures every figure, with all codecs in one room', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'parley-bench-'));
  try {
    const file = join(folder, 'result.json');
    const { stdout } = await run(process.execPath, [
      join(PROJECT_FOLDER, 'dist/test/bench/main.js'),
      ...['mix-9-3', '--quick', '--json', file],
    ]);
    expect(stdout).toMatch(/^\| mix-9-3 /m);
    const { results } = JSON.parse(readFileSync(file, 'utf8')) as { results: ScenarioResult[] };
    expect(results).toHaveLength(1);
    const { timesNode, floor } = results[0]!;
    const parley = results[0]!.parley as ParleyFigures;
    // Whether each figure is there; a busy machine may make them as bad as it likes.
    expect(parley.callersPerCore).toBeGreaterThan(1);
    expect(timesNode === null).toBe(parley.failure !== null);
    expect(parley.load.addedDelayMs?.count).toBeGreaterThan(10);
    expect(parley.load.addedDelayMs?.median).toBeGreaterThan(0);
    expect(parley.ticks.count).toBeGreaterThan(10);
    expect(parley.gc.mixers.totalMs).toBeGreaterThanOrEqual(parley.gc.mixers.maxMs);
    const { server, mixers } = parley.memoryPerCaller;
    for (const { managed } of [server, mixers]) {
      expect(managed).toBeGreaterThan(5_000);
      expect(managed).toBeLessThan(500_000);
    }
    for (const { packetsReceived, packetsSent } of [parley, floor.node, floor.c ?? floor.node].map(
      ({ load }) => load,
    )) {
      expect(packetsReceived).toBeGreaterThan(0.5 * packetsSent);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 60_000);
