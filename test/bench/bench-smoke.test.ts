import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { PROJECT_FOLDER } from '../e2e/clients/parley.ts';
import type { ScenarioResult } from './load-run.ts';

const run = promisify(execFile);

test('the short form of the benchmark measures every figure', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'parley-bench-'));
  try {
    const file = join(folder, 'result.json');
    const { stdout } = await run(process.execPath, [
      join(PROJECT_FOLDER, 'dist/test/bench/main.js'),
      ...['--short', '--json', file],
    ]);
    expect(stdout).toMatch(/callers\/core/);
    const { results } = JSON.parse(readFileSync(file, 'utf8')) as { results: ScenarioResult[] };
    expect(results.map(({ scenario }) => scenario.codec)).toEqual(['PCMU', 'opus']);
    for (const { parley, floor } of results) {
      expect(parley.callersPerCore).toBeGreaterThan(1);
      expect(parley.load.addedDelayMs?.count).toBeGreaterThan(10);
      expect(parley.load.packetsReceived).toBeGreaterThan(0.9 * parley.load.packetsSent);
      expect(floor.load.packetsReceived).toBeGreaterThan(0.9 * floor.load.packetsSent);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 60_000);
