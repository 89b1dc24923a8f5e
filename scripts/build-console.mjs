// Puts the moderator's console into dist/console, unless it is there as the sources are now. Plain JavaScript, as run.mjs,
// which runs it as a process of its own: the bundler changes the environment, and takes memory that the server has no use for.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(fileURLToPath(import.meta.url), '../..');
const source = join(root, 'console');
const target = join(root, 'dist/console');
const stamp = join(target, '.built-from');

/** One digest of all that the result depends on. */
function digestOfSources() {
  const files = readdirSync(source, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name));
  const hash = createHash('sha256');
  for (const path of [...paths.sort(), join(root, 'package-lock.json'), fileURLToPath(import.meta.url)]) {
    hash.update(path.slice(root.length)).update('\0').update(readFileSync(path)).update('\0');
  }
  return hash.digest('hex');
}

export const consoleIsBuilt = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === digestOfSources();

async function buildConsole() {
  const digest = digestOfSources();
  const { build } = await import('vite');
  await build({
    configFile: false,
    logLevel: 'warn',
    root: source,
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir: target,
      emptyOutDir: true,
      target: 'es2022',
      // Everything is a file of its own: the page's policy allows nothing inline.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
    },
  });
  writeFileSync(stamp, digest);
}

if (process.argv[1] === fileURLToPath(import.meta.url) && !consoleIsBuilt()) await buildConsole();
