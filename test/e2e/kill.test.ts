import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PROJECT_FOLDER } from './clients/parley.ts';
import { peersPresent } from './clients/peer-programs.ts';

/** The short form of `npm run kill`. */
describe.runIf(peersPresent('ffmpeg', 'python3'))('kill -9 over a recorded conference', () => {
  test('of mixer, server and ffmpeg, six times: what was recorded is in order', async () => {
    const program = join(PROJECT_FOLDER, 'dist/test/kill/main.js');
    const { output, code } = await new Promise<{ output: string; code: number | null }>((resolve) => {
      const child = execFile(process.execPath, [program, '--kills', '6', '--seed', '2'], (_error, stdout, stderr) => {
        resolve({ output: `${stdout}\n${stderr}`, code: child.exitCode });
      });
    });
    for (const victim of ['mixer', 'server', 'ffmpeg']) expect(output).toContain(`of 6: ${victim}`);
    expect(output).toMatch(/all \d+ recordings are in order/);
    expect(code, output).toBe(0);
  }, 120_000);
});
