import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MixerEvent } from '../mixer/protocol.ts';
import { addressRanges } from './config/address-ranges.ts';
import type { Config } from './config/schema.ts';
import { createGuard, createSession, mixerOptions, openCertificate, registrarSettings } from './configured-parts.ts';
import { Conferences } from './focus/conference-control.ts';
import { Focus } from './focus/focus.ts';
import { Overload } from './guard/overload.ts';
import { watchEventLoop } from './guard/watch-event-loop.ts';
import { createHttpServer } from './http/http-server.ts';
import type { Log } from './log.ts';
import { Messages } from './messages/messages.ts';
import { createMetrics } from './metrics.ts';
import { metricsSource } from './metrics-source.ts';
import { Mixers } from './mixers/mixers.ts';
import { NodeTimers } from './node-timers.ts';
import { Recordings } from './recordings/recordings.ts';
import { openRegistrar } from './registrar/open-registrar.ts';
import { logRoomChange } from './rooms/log-room-change.ts';
import { Rooms } from './rooms/rooms.ts';
import { NodeDns } from './sip/resolve/node-dns.ts';
import { SipServer } from './sip/sip-server.ts';
import { type AdminToken, adminToken } from './store/admin-token.ts';
import { Database } from './store/database.ts';

const GOODBYE_MS = 2000;

export interface RunningServer {
  readonly sipPort: number;
  /** Null without TLS. */
  readonly sipsPort: number | null;
  readonly httpPort: number;
  readonly token: AdminToken;
  /** Says BYE to everybody, finishes recordings, closes all. */
  stop(): Promise<void>;
}

/** Builds everything from the configuration and listens. Rejects when a port is taken or a directory cannot be used. */
export async function startServer(config: Config, log: Log, version: string): Promise<RunningServer> {
  const timers = new NodeTimers();
  const token = adminToken(config.dataDir, config.apiToken);
  const certificate = await openCertificate(config, timers, log);
  const database = new Database(config.dataDir);
  const recordings = new Recordings({ directory: join(config.dataDir, 'recordings'), log });
  await recordings.open();

  const rooms = new Rooms(
    { maxParticipants: config.maxParticipants, locked: false, muteOnEntry: false },
    (room, change) => logRoomChange(log, room, change),
  );
  const mixers = new Mixers({
    ...mixerOptions(config),
    program: join(fileURLToPath(import.meta.url), '../../mixer/main.js'),
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
    failed: (flow) => guard.failed(flow),
    isBanned: (flow) => guard.isBanned(flow),
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

  const stop = async (): Promise<void> => {
    await Promise.race([focus.stop(), new Promise((resolve) => timers.set(GOODBYE_MS, () => resolve(null)))]);
    await Promise.all([...rooms].map((room) => conferences.stopRecordings(room)));
    await sip.settled(GOODBYE_MS);
    await Promise.all([http.close(), sip.close(), recordings.close(GOODBYE_MS)]);
    certificate?.close();
    mixers.stop();
    stopWatching();
    office.close();
    database.close();
  };
  return { sipPort: sip.port, sipsPort: sip.sipsPort, httpPort: web.port, token, stop };
}
