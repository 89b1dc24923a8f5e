import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MediaPorts, MixerEvent } from '../mixer/protocol.ts';
import { describeConfig, describeProblems, helpText } from './config/describe.ts';
import { loadConfig } from './config/load.ts';
import type { Config } from './config/schema.ts';
import { Conferences } from './focus/conference-control.ts';
import { Focus } from './focus/focus.ts';
import { createHttpServer } from './http/http-server.ts';
import { createLog, type Log } from './log.ts';
import { createMetrics } from './metrics.ts';
import { metricsSource } from './metrics-source.ts';
import { Mixers } from './mixers/mixers.ts';
import { NodeTimers } from './node-timers.ts';
import { Recordings } from './recordings/recordings.ts';
import { logRoomChange } from './rooms/log-room-change.ts';
import { Rooms } from './rooms/rooms.ts';
import { MediaSession } from './sdp/media-session.ts';
import { SipServer } from './sip/sip-server.ts';
import { adminToken } from './store/admin-token.ts';

const EXIT_BAD_CONFIGURATION = 2;
/** All of a stop: goodbyes, recordings, sockets. */
const STOP_DEADLINE_MS = 4500;
const GOODBYE_MS = 2000;
const PORT_QUARANTINE_MS = 5000;

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

/** Builds everything from the configuration and listens. */
async function start(config: Config, log: Log): Promise<void> {
  const timers = new NodeTimers();
  const token = adminToken(config.dataDir, config.apiToken);
  const recordings = new Recordings({ directory: join(config.dataDir, 'recordings'), log });
  await recordings.open();

  const rooms = new Rooms(
    { maxParticipants: config.maxParticipants, locked: false, muteOnEntry: false },
    (room, change) => logRoomChange(log, room, change),
  );
  const mixers = new Mixers({
    count: config.audioMixers,
    program: join(fileURLToPath(import.meta.url), '../../mixer/main.js'),
    settings: {
      bindAddress: config.bind,
      portQuarantineMs: PORT_QUARANTINE_MS,
      silenceTimeoutMs: config.rtpSilenceTimeoutSeconds * 1000,
      opusComplexity: config.opusComplexity,
    },
    rtpPortMin: config.rtpMin,
    rtpPortMax: config.rtpMax,
    timers,
    log,
    event: (event) => mixerEvent(event),
    recordingsLost: (lost) => carry(conferences.recordingsLost(lost)),
  });
  const focus = new Focus({
    rooms,
    mixers,
    timers,
    log,
    adhocRooms: config.adhocRooms,
    maxCalls: config.maxCalls,
    createSession: (ports) => createSession(config, ports),
    emptied: (room) => carry(conferences.stopRecordings(room)),
  });
  const conferences = new Conferences({ rooms, focus, mixers, recordings, log });
  const carry = (work: Promise<unknown>): void => {
    work.catch((error: unknown) => log.error({ err: error }, 'recording not carried out'));
  };
  const mixerEvent = (event: MixerEvent): void => {
    if (event.event === 'recordingFailed') carry(conferences.recordingFailed(event.recording, event.reason));
    else focus.happened(event);
  };
  const sip = new SipServer({
    timers,
    log,
    bind: config.bind,
    port: config.sipPort,
    publicAddress: config.publicAddress,
    maxCalls: config.maxCalls,
    invited: (call) => focus.invited(call),
    availability: (options, flow) => focus.availability(options.uri?.user ?? null, flow.remoteAddress),
  });
  const metrics = createMetrics(metricsSource({ rooms, focus, sip, mixers, recordings, timers }), version);
  const http = createHttpServer({
    control: conferences,
    token: token.token,
    health: { notReadyBecause: () => (mixers.ready ? [] : ['a mixer is being started again']) },
    metrics,
    log,
    version,
  });

  for (const { name, ...policy } of config.rooms) rooms.open(name, 'configured', policy);
  await mixers.start();
  await sip.listen();
  const web = await http.listen(config.httpPort, config.httpBind);

  let stopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    log.info({ signal, calls: focus.calls }, 'stopping');
    setTimeout(() => process.exit(1), STOP_DEADLINE_MS).unref();
    await Promise.race([focus.stop(), new Promise((resolve) => timers.set(GOODBYE_MS, () => resolve(null)))]);
    await Promise.all([...rooms].map((room) => conferences.stopRecordings(room)));
    await sip.settled(GOODBYE_MS);
    await Promise.all([http.close(), sip.close(), recordings.close(GOODBYE_MS)]);
    mixers.stop();
    log.info('stopped');
    process.exit(0);
  };
  process.on('SIGTERM', (signal) => void stop(signal));
  process.on('SIGINT', (signal) => void stop(signal));

  log.info({ version, sipPort: sip.port, http: web, publicAddress: config.publicAddress }, 'ready');
  announce(config, sip.port, web.port, token);
}

function createSession(config: Config, ports: MediaPorts): MediaSession {
  const { publicAddress: address, codecs } = config;
  return new MediaSession({ address, ...ports, codecs, sessionId: randomInt(1, 2 ** 47) });
}

/** A token is shown when it is made, and to a person at a terminal; other starts may be logged for years. */
function tokenPlace(config: Config): string {
  return config.apiToken === undefined ? `in ${join(config.dataDir, 'api-token')}` : 'the configured one';
}

/** For the person who started it. */
function announce(
  config: Config,
  sipPort: number,
  httpPort: number,
  { token, created }: { token: string; created: boolean },
): void {
  const host = config.publicAddress.includes(':') ? `[${config.publicAddress}]` : config.publicAddress;
  const port = sipPort === 5060 ? '' : `:${sipPort}`;
  const room = config.rooms[0]?.name ?? 'ROOM';
  const lines = [
    `Dial     sip:${room}@${host}${port}`,
    `API      http://${config.httpBind === '0.0.0.0' ? host : config.httpBind}:${httpPort}/api/v1`,
    created || process.stdout.isTTY ? `Token    ${token}` : `Token    ${tokenPlace(config)}`,
  ];
  process.stdout.write(`\n${lines.map((line) => `  ${line}\n`).join('')}\n`);
}

const config = readConfig();
const log = createLog({ level: config.logLevel });
start(config, log).catch((error: unknown) => {
  log.fatal({ err: error }, 'cannot start');
  process.stderr.write(`Parley cannot start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
