import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Whether the programs that a test plays against are installed; says which one is missing.
 *
 * For `describe.runIf`. With PARLEY_REQUIRE_PEERS=1 a missing one throws instead, so that the test file fails and a
 * build machine cannot quietly skip it.
 */
export function peersPresent(...programs: string[]): boolean {
  const missing = programs.filter((program) => !isInstalled(program));
  if (missing.length === 0) return true;
  const message = `not installed: ${missing.join(', ')}`;
  if (process.env['PARLEY_REQUIRE_PEERS'] === '1') throw new Error(`${message} (PARLEY_REQUIRE_PEERS=1)`);
  console.warn(`SKIPPED, ${message}`);
  return false;
}
