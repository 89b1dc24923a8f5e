import { join } from 'node:path';
import { openApi } from './api-parts.ts';
import { readAuthorities } from './certificate/authorities.ts';
import { ConferenceEvents } from './conference-event/conference-events.ts';
import { createConferences } from './conference-parts.ts';
import { addressRanges } from './config/address-ranges.ts';
import type { Config } from './config/schema.ts';
import {
  createGuard,
  openCertificate,
  recordingSettings,
  registrarSettings,
  storageSettings,
} from './configured-parts.ts';
import type { Identify } from './focus/admission.ts';
import { Overload } from './guard/overload.ts';
import { watchEventLoop } from './guard/watch-event-loop.ts';
import { consoleDirectory } from './http/console.ts';
import { createHttpServer } from './http/http-server.ts';
import type { Log } from './log.ts';
import { Messages } from './messages/messages.ts';
import { createMetrics } from './metrics.ts';
import { metricsSource } from './metrics-source.ts';
import { NodeTimers } from './node-timers.ts';
import { findFfmpeg } from './recordings/finishing/ffmpeg-binary.ts';
import { DownloadLinks, linkSecret } from './recordings/keeping/download-links.ts';
import { openStorage } from './recordings/keeping/open-storage.ts';
import { Recordings } from './recordings/recordings.ts';
import { openRecords } from './records/open-records.ts';
import { openRegistrar } from './registrar/open-registrar.ts';
import { keepRooms } from './rooms/durable-rooms.ts';
import { logRoomChange } from './rooms/log-room-change.ts';
import { saidOf } from './rooms/policy.ts';
import { Rooms } from './rooms/rooms.ts';
import { NodeDns } from './sip/resolve/node-dns.ts';
import { SipServer } from './sip/sip-server.ts';
import { ownAddressFor } from './sip/transport/addresses.ts';
import { SoundLibrary } from './sounds/sound-library.ts';
import { type AdminToken, adminToken } from './store/admin-token.ts';
import { Database } from './store/database.ts';
import { RoomTable } from './store/room-table.ts';

const GOODBYE_MS = 2000;
/** For goodbyes and work on recordings together, so that what follows has time enough before `main.ts` ends all. */
const PATIENCE_MS = 3000;

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
  const clientCa = await readAuthorities(config.tlsClientCa);
  const database = new Database(config.dataDir);
  const storage = await openStorage(storageSettings(config));
  const recordings = new Recordings({ ...recordingSettings(config), timers, storage, log });
  recordings.load();
  const sounds = new SoundLibrary({
    directory: join(config.dataDir, 'sounds'),
    log,
    findFfmpeg: () => findFfmpeg(process.env['PATH'] ?? ''),
    epochMs: Date.now,
  });
  await sounds.open();

  const rooms = new Rooms({ maxParticipants: config.maxParticipants });
  rooms.subscribe((room, change) => logRoomChange(log, room, change));
  const { webhookAddresses } = config;
  const recordingsOf = (room: string) => recordings.latest(room);
  const api = openApi({ rooms, database, timers, log, token: token.token, recordingsOf, webhookAddresses });
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
  const { watch, traces, ...records } = openRecords({
    ...{ rooms, database, timers, log, isTrusted, days: config.recordsDays },
    ownAddress: (peer) => ownAddressFor(config.publicAddress, peer),
  });
  const identify: Identify = (request, flow) => office.signIn.identify(request, flow);
  const conference = createConferences(config, {
    ...{ rooms, recordings, sounds, timers, log, identify, isTrusted, observer: watch },
    call: (invitee, handler) => sip.call(invitee, handler),
    sendText: ({ room, id }, text) => messages.fromRoom(room, id, text),
    sendTexts: (room, members, text) => messages.fromRoomTo(room, members, text),
  });
  const { mixers, video, focus, floorControl, pins, conferences } = conference;
  const messages = new Messages({
    focus,
    rooms,
    location: office.location,
    timers,
    log,
    domain: config.domain,
    identify,
    isTrusted,
    send: (message, concluded) => sip.send(message, concluded),
  });
  const conferenceEvents = new ConferenceEvents({
    focus,
    rooms,
    timers,
    log,
    domain: config.domain,
    hasVideo: () => video.available,
    identify,
    isTrusted,
  });
  const sip = new SipServer({
    timers,
    log,
    bind: config.bind,
    port: config.sipPort,
    tls:
      config.tls && certificate
        ? { port: config.sipsPort, identity: certificate.current, verification: config.tlsVerify, clientCa }
        : null,
    webSocketOrigins: config.webSocketOrigins,
    publicAddress: config.publicAddress,
    dns: new NodeDns(),
    maxCalls: config.maxCalls,
    invited: (call) => focus.invited(call),
    referred: (referral) => focus.referred(referral),
    availability: (options, flow) => focus.availability(options, flow),
    methods: { REGISTER: office.registrar, MESSAGE: messages },
    packages: { conference: conferenceEvents },
    locate: (uri) => office.location.locate(uri),
    guard,
    flowClosed: (flow) => void office.bindings.flowClosed(flow),
    trace: traces,
  });
  const metrics = createMetrics(
    metricsSource({ rooms, focus, sip, mixers, video, recordings, timers, office, guard, pins, api }),
    version,
  );
  const http = createHttpServer({
    controls: {
      ...{ conference: conferences, users: office.accounts, tokens: api.tokens, webhooks: api.webhooks },
      ...{ records: records.records, diagnosis: records.diagnosis, sounds },
      links: new DownloadLinks(linkSecret(config.dataDir), Date.now),
    },
    streams: api.streams,
    idempotency: api.idempotency,
    corsOrigins: config.httpCorsOrigins,
    consoleDirectory: consoleDirectory(),
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

  for (const { name, ...policy } of config.rooms) rooms.open(name, 'configured', saidOf(policy));
  keepRooms(rooms, new RoomTable(database), log);
  // When the rooms are there: what becomes of recordings that a crash left is told, too.
  await recordings.open();
  await Promise.all([mixers.start(), video.start()]);
  await sip.listen();
  const web = await http.listen(config.httpPort, config.httpBind);
  // The last, so that its default takes no port that somebody gave to another.
  await floorControl.listen(config.bind, config.bfcpPort);
  const stopWatching = watchEventLoop(overload, log);

  const stop = async (): Promise<void> => {
    const beganMs = timers.now();
    const leftMs = (): number => Math.min(GOODBYE_MS, Math.max(0, beganMs + PATIENCE_MS - timers.now()));
    await Promise.race([conference.stop(), new Promise((resolve) => timers.set(GOODBYE_MS, () => resolve(null)))]);
    conferenceEvents.stop();
    await conference.stopRecordings();
    await sip.settled(leftMs());
    await Promise.all([http.close(), sip.close(), floorControl.close(), recordings.close(leftMs()), sounds.close()]);
    certificate?.close();
    mixers.stop();
    video.stop();
    stopWatching();
    office.close();
    api.close();
    records.close();
    database.close();
  };
  return { sipPort: sip.port, sipsPort: sip.sipsPort, httpPort: web.port, token, stop };
}
