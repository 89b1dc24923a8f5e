import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { announce } from './announce.ts';
import { describeConfig, describeProblems, helpText } from './config/describe.ts';
import { loadConfig } from './config/load.ts';
import type { Config } from './config/schema.ts';
import { createLog, type Log } from './log.ts';
import { startServer } from './server.ts';

const EXIT_BAD_CONFIGURATION = 2;
/** All of a stop: goodbyes, recordings, sockets. */
const STOP_DEADLINE_MS = 4500;

const { version } = JSON.parse(readFileSync(packageFile(), 'utf8')) as { version: string };

/** Beside the sources, or a level up from the compiled ones. */
function packageFile(): string {
  const here = fileURLToPath(import.meta.url);
  return join(here, here.endsWith('.ts') ? '../../package.json' : '../../../package.json');
}

function readConfig(): Config {
  const loaded = loadConfig({ argv: process.argv.slice(2), env: process.env, cwd: process.cwd() });
  if (loaded.options.help) finish(0, helpText());
  if (loaded.options.version) finish(0, version);
  if (!loaded.ok) finish(EXIT_BAD_CONFIGURATION, describeProblems(loaded.problems), process.stderr);
  if (loaded.options.check) finish(0, `configuration is fine\n${describeConfig(loaded.config, loaded.sources)}`);
  return loaded.config;
}

function finish(code: number, text: string, stream: NodeJS.WriteStream = process.stdout): never {
  stream.write(`${text}\n`);
  process.exit(code);
}

async function run(config: Config, log: Log): Promise<void> {
  const server = await startServer(config, log, version);
  let stopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    setTimeout(() => process.exit(1), STOP_DEADLINE_MS).unref();
    await server.stop();
    log.info('stopped');
    process.exit(0);
  };
  process.on('SIGTERM', (signal) => void stop(signal));
  process.on('SIGINT', (signal) => void stop(signal));

  const { sipPort, sipsPort, httpPort, token } = server;
  log.info({ version, sipPort, sipsPort, httpPort, publicAddress: config.publicAddress }, 'ready');
  announce(config, server, token);
}

const config = readConfig();
const log = createLog({ level: config.logLevel });
run(config, log).catch((error: unknown) => {
  log.fatal({ err: error }, 'cannot start');
  process.stderr.write(`Parley cannot start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
