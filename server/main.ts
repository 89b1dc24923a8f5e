import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MediaPorts, MixerEvent } from '../mixer/protocol.ts';
import { ServerCertificate } from './certificate/server-certificate.ts';
import { addressRanges } from './config/address-ranges.ts';
import { describeConfig, describeProblems, helpText } from './config/describe.ts';
import { loadConfig } from './config/load.ts';
import type { Config } from './config/schema.ts';
import { Conferences } from './focus/conference-control.ts';
import { Focus } from './focus/focus.ts';
import { Overload } from './guard/overload.ts';
import { type GuardOptions, RequestGuard } from './guard/request-guard.ts';
import { watchEventLoop } from './guard/watch-event-loop.ts';
import { createHttpServer } from './http/http-server.ts';
import { createLog, type Log } from './log.ts';
import { Messages } from './messages/messages.ts';
import { createMetrics } from './metrics.ts';
import { metricsSource } from './metrics-source.ts';
import { Mixers } from './mixers/mixers.ts';
import { NodeTimers } from './node-timers.ts';
import { Recordings } from './recordings/recordings.ts';
import { openRegistrar, type RegistrarSettings } from './registrar/open-registrar.ts';
import { logRoomChange } from './rooms/log-room-change.ts';
import { Rooms } from './rooms/rooms.ts';
import { MediaSession } from './sdp/media-session.ts';
import { writeHost } from './sip/message/host.ts';
import { NodeDns } from './sip/resolve/node-dns.ts';
import { SipServer } from './sip/sip-server.ts';
import { ownAddressFor } from './sip/transport/addresses.ts';
import { adminToken } from './store/admin-token.ts';
import { Database } from './store/database.ts';

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
  const certificate = config.tls || config.httpTls ? await openCertificate(config, timers, log) : null;
  const database = new Database(config.dataDir);
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
      maxTalkers: config.maxTalkers,
      automaticGain: config.automaticGain,
      comfortNoiseDb: config.comfortNoiseDb,
    },
    rtpPortMin: config.rtpMin,
    rtpPortMax: config.rtpMax,
    timers,
    log,
    event: (event) => mixerEvent(event),
    recordingsLost: (lost) => carry(conferences.recordingsLost(lost)),
  });
  const overload = new Overload();
  const guard = createGuard(config, {
    log,
    now: () => timers.now(),
    overload,
    isSignedIn: (flow) => office.bindings.userAt(flow) !== null,
  });
  const office = openRegistrar(registrarSettings(config), {
    database,
    timers,
    log,
    epochMs: Date.now,
    serviceRoute: (flow) => sip.routeFor(flow),
    flowOf: (source) => sip.flowOf(source),
    failed: (address) => guard.failed(address),
  });
  const isTrusted = addressRanges(config.trustedPeers);
  const focus = new Focus({
    rooms,
    mixers,
    timers,
    log,
    adhocRooms: config.adhocRooms,
    identify: (request, flow) => office.signIn.identify(request, flow),
    isTrusted,
    call: (invitee, handler) => sip.call(invitee, handler),
    domain: config.domain,
    maxCalls: config.maxCalls,
    maxMixerLoad: config.maxMixerLoad,
    createSession: (ports, peer) => createSession(config, ports, peer),
    emptied: (room) => carry(conferences.stopRecordings(room)),
  });
  const messages = new Messages({
    focus,
    rooms,
    location: office.location,
    log,
    domain: config.domain,
    identify: (request, flow) => office.signIn.identify(request, flow),
    isTrusted,
    send: (message, concluded) => sip.send(message, concluded),
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
    tls:
      config.tls && certificate
        ? { port: config.sipsPort, identity: certificate.current, verification: config.tlsVerify }
        : null,
    webSocketOrigins: config.webSocketOrigins,
    publicAddress: config.publicAddress,
    dns: new NodeDns(),
    maxCalls: config.maxCalls,
    invited: (call) => focus.invited(call),
    referred: (referral) => focus.referred(referral),
    availability: (options, flow) => focus.availability(options, flow),
    methods: { REGISTER: office.registrar, MESSAGE: messages },
    locate: (uri) => office.location.locate(uri),
    guard,
    flowClosed: (flow) => void office.bindings.flowClosed(flow),
  });
  const metrics = createMetrics(
    metricsSource({ rooms, focus, sip, mixers, recordings, timers, office, guard }),
    version,
  );
  const http = createHttpServer({
    controls: { conference: conferences, users: office.accounts },
    token: token.token,
    health: { notReadyBecause: () => (mixers.ready ? [] : ['a mixer is being started again']) },
    metrics,
    log,
    version,
    tls: config.httpTls && certificate ? certificate.current : null,
    upgrade: { path: '/sip', take: (request, stream, head) => sip.upgrade(request, stream, head) },
  });
  if (certificate) {
    certificate.changed = (pair) => {
      sip.setIdentity(pair);
      http.setIdentity(pair);
    };
  }

  for (const { name, ...policy } of config.rooms) rooms.open(name, 'configured', policy);
  await mixers.start();
  await sip.listen();
  const web = await http.listen(config.httpPort, config.httpBind);
  const stopWatching = watchEventLoop(overload, log);

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
    certificate?.close();
    mixers.stop();
    stopWatching();
    office.close();
    database.close();
    log.info('stopped');
    process.exit(0);
  };
  process.on('SIGTERM', (signal) => void stop(signal));
  process.on('SIGINT', (signal) => void stop(signal));

  const { port: sipPort, sipsPort } = sip;
  log.info({ version, sipPort, sipsPort, http: web, publicAddress: config.publicAddress }, 'ready');
  announce(config, { sipPort, sipsPort, httpPort: web.port }, token);
}

function openCertificate(config: Config, timers: NodeTimers, log: Log): Promise<ServerCertificate> {
  const { dataDir, domain, publicAddress, tlsCertificate, tlsKey } = config;
  const files = tlsCertificate && tlsKey ? { certificate: tlsCertificate, key: tlsKey } : null;
  const names = [...new Set([domain, ...publicAddress, 'localhost', '127.0.0.1', '::1'])];
  return ServerCertificate.open({ timers, log, dataDir, files, names });
}

function registrarSettings(config: Config): RegistrarSettings {
  const { domain, publicAddress, digestAlgorithms, digestQop, maxContactsPerUser, maxRegistrations } = config;
  return {
    domain,
    aliases: [...publicAddress, 'localhost'],
    algorithms: digestAlgorithms,
    qop: digestQop,
    expiry: { minimumS: config.registrationMinSeconds, maximumS: config.registrationMaxSeconds },
    maxContactsPerUser,
    maxBindings: maxRegistrations,
  };
}

type GuardSurroundings = Pick<GuardOptions, 'log' | 'now' | 'overload' | 'isSignedIn'>;

function createGuard(config: Config, surroundings: GuardSurroundings): RequestGuard {
  return new RequestGuard({
    ...surroundings,
    bans: {
      afterFailures: config.banAfterFailures,
      windowMs: config.failureWindowSeconds * 1000,
      banMs: config.banSeconds * 1000,
    },
    requestsPerSecond: config.requestsPerSecondPerAddress,
    requestsPerSecondPrivate: config.requestsPerSecondPerPrivateAddress,
    scanners: config.scannerUserAgents,
  });
}

/** `peer` is the address that the call comes from. */
function createSession(config: Config, ports: MediaPorts, peer: string): MediaSession {
  const { publicAddress, codecs, srtp } = config;
  const address = ownAddressFor(publicAddress, peer);
  return new MediaSession({ address, ...ports, codecs, srtp, sessionId: randomInt(1, 2 ** 47) });
}

/** A token is shown when it is made, and to a person at a terminal; other starts may be logged for years. */
function tokenPlace(config: Config): string {
  return config.apiToken === undefined ? `in ${join(config.dataDir, 'api-token')}` : 'the configured one';
}

/** For the person who started it. */
function announce(
  config: Config,
  ports: { sipPort: number; sipsPort: number | null; httpPort: number },
  { token, created }: { token: string; created: boolean },
): void {
  const host = writeHost(config.publicAddress[0] ?? config.domain);
  const at = (port: number, usual: number) => (port === usual ? host : `${host}:${port}`);
  const everywhere = config.httpBind === '0.0.0.0' || config.httpBind === '::';
  const web = `${everywhere ? host : writeHost(config.httpBind)}:${ports.httpPort}`;
  const secure = config.httpTls ? 's' : '';
  const room = config.rooms[0]?.name ?? 'ROOM';
  const lines = [
    `Dial     sip:${room}@${at(ports.sipPort, 5060)}`,
    ...(ports.sipsPort === null ? [] : [`TLS      sip:${room}@${at(ports.sipsPort, 5061)};transport=tls`]),
    `Browser  ws${secure}://${web}/sip`,
    `API      http${secure}://${web}/api/v1`,
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
