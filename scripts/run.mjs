// Installs and builds what is missing or stale, then runs one task: so that `npm start` and `npm test`
// work in a fresh clone with nothing done before. Plain JavaScript: it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { consoleIsBuilt } from './build-console.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [task = 'start', ...args] = process.argv.slice(2);

function run(command, commandArgs, options = {}) {
  const { status, signal, error } = spawnSync(command, commandArgs, { cwd: root, stdio: 'inherit', ...options });
  if (error) throw error;
  if (signal) process.kill(process.pid, signal);
  if (status !== 0) process.exit(status ?? 1);
}

const bin = (name) => join(root, 'node_modules', '.bin', process.platform === 'win32' ? `${name}.cmd` : name);

/** `npm ci` when the lock file is not the one that was installed last. */
function install() {
  const stamp = join(root, 'node_modules', '.parley-lock');
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  run('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error']);
  writeFileSync(stamp, lock);
}

const build = () => {
  run(bin('tsc'), ['-p', 'tsconfig.json']);
  if (!consoleIsBuilt()) run(process.execPath, [join(root, 'scripts/build-console.mjs')]);
};

/** Replaces this process by the server, so that signals and the exit code are the server's own. */
function start() {
  process.argv = [process.argv[0], join(root, 'dist/server/main.js'), ...args];
  return import('../dist/server/main.js');
}

const check = () => {
  run(bin('biome'), ['ci', '--error-on-warnings', '.']);
  run(bin('tsc'), ['-p', 'tsconfig.test.json']);
  run(bin('tsc'), ['-p', 'console/tsconfig.json']);
};

const tasks = {
  start,
  build: () => {},
  check,
  test: () => {
    if (args.length === 0) check();
    run(bin('vitest'), ['run', ...args]);
  },
  bench: () => run(process.execPath, [join(root, 'dist/test/bench/main.js'), ...args]),
  fuzz: () => run(process.execPath, [join(root, 'dist/test/fuzz/main.js'), ...args]),
  kill: () => run(process.execPath, [join(root, 'dist/test/kill/main.js'), ...args]),
};

const action = tasks[task];
if (!action) {
  console.error(`unknown task ${task}; tasks: ${Object.keys(tasks).join(', ')}`);
  process.exit(2);
}
install();
build();
await action();
