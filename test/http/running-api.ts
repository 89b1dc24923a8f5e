import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import pino from 'pino';
import { afterEach } from 'vitest';
import { type ApiParts, openApi } from '../../server/api-parts.ts';
import {
  createHttpServer,
  type HttpLimits,
  type HttpServer,
  type HttpServerOptions,
} from '../../server/http/http-server.ts';
import { createMetrics, type MetricsSnapshot } from '../../server/metrics.ts';
import { NodeTimers } from '../../server/node-timers.ts';
import type { FfmpegResult } from '../../server/recordings/finishing/ffmpeg.ts';
import { DownloadLinks } from '../../server/recordings/keeping/download-links.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import type { SoundImport } from '../../server/sounds/import-sound.ts';
import { SoundLibrary } from '../../server/sounds/sound-library.ts';
import { Database } from '../../server/store/database.ts';
import { RecordTable } from '../../server/store/record-table.ts';
import { FakeConference } from './fake-conference.ts';
import { FakeDiagnosis } from './fake-diagnosis.ts';
import { FakeUsers } from './fake-users.ts';

export const TOKEN = 'a-token-for-tests';

export const quietServer: MetricsSnapshot = {
  rooms: 1,
  participants: 2,
  calls: 2,
  callsStarted: 5,
  callScores: { 4: 2, 2: 1 },
  callsEnded: { 'remote-bye': 2, cancelled: 1 },
  sipTransactions: 0,
  sipConnections: 0,
  timers: 3,
  sipRequestsReceived: { INVITE: 5, ACK: 4, BYE: 2, NONSENSE: 1, MORE: 1 },
  sipRequestsSent: { BYE: 1 },
  sipResponsesReceived: { 200: 1 },
  sipResponsesSent: { 100: 5, 200: 7 },
  sipMalformed: 9,
  users: 3,
  registrations: 2,
  authentications: { succeeded: 4, failed: 1 },
  sipTurnedAway: { scanner: 2 },
  addressesBanned: 1,
  bans: 1,
  pins: { right: 2, wrong: 1 },
  eventStreams: 4,
  eventStreamsDropped: { slow: 1, token: 2 },
  webhookDeliveries: { delivered: 20, retried: 3, dead: 1 },
  webhookEventsWaiting: 6,
  recordingsRunning: 0,
  recordingsStarted: 1,
  recordingsFailed: 0,
  mixerRestarts: 1,
  mixers: [0, 1].map((index) => ({
    name: String(index),
    up: index === 0,
    sockets: 4,
    socketErrors: 3,
    portsInUse: 4,
    portsResting: 2,
    ticks: 1000,
    lateTicks: 1,
    tickTimes: { counts: [0, 0, 997, ...new Array<number>(21).fill(0), 3], totalMs: 400 },
    tickLoad: 0.25,
    load: 0.4,
    opusComplexity: 5,
    quality: index === 0 ? { mos: 4.2, lossPercent: 1, jitterMs: 3, roundTripMs: 20 } : null,
    encodes: 100,
    encodesUnshared: 300,
    decodes: 200,
    cpuMs: 1500,
    memoryBytes: 1e6,
  })),
  videoMixerRestarts: 2,
  videoMixers: [
    {
      ...{ name: '0', up: true, rooms: 1, streams: 3, portsInUse: 6, portsResting: 2, socketErrors: 0 },
      ...{ composed: 250, encodes: 300, encodesUnshared: 900, decodes: 700, framesBroken: 1, framesSkipped: 4 },
      ...{ encoders: 2, effort: 1, recordings: 0, load: 1.5, memoryBytes: 2e8, cpuMs: 9000 },
    },
  ],
};

export interface RunningApi {
  conference: FakeConference;
  users: FakeUsers;
  /** What happens in them becomes events; the conference has rooms of its own. */
  rooms: Rooms;
  records: RecordTable;
  sounds: SoundLibrary;
  parts: ApiParts;
  database: Database;
  http: HttpServer;
  port: number;
  /** Why it is not ready; change it to change that. */
  notReady: string[];
  /** Lines of the log. */
  logged: Array<Record<string, unknown>>;
  /** With the token, unless `headers` say another. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
}

export interface CallOptions {
  headers?: Record<string, string>;
  json?: unknown;
  body?: string;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it freely, and then compare.
  json: any;
}

/** A second of it, whatever was uploaded but for what says that it is bad. */
async function makeSilence({ sourcePath, targetPath }: SoundImport): Promise<FfmpegResult> {
  if ((await readFile(sourcePath, 'utf8')) === 'bad') return { ok: false, reason: 'it is bad', died: false };
  await writeFile(targetPath, Buffer.alloc(44 + 96_000));
  return { ok: true, stderr: '' };
}

const running: Array<() => Promise<void>> = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((stop) => stop()));
});

/** A real server on a free port of loopback, over a conference without calls; ends with the test. */
export async function startApi(
  limits: Partial<HttpLimits> = {},
  more: Pick<HttpServerOptions, 'tls' | 'upgrade' | 'corsOrigins' | 'consoleDirectory'> = {},
  webhookAddresses: readonly string[] = ['127.0.0.0/8'],
  /** By which links expire. */
  epochMs: () => number = Date.now,
): Promise<RunningApi> {
  const conference = new FakeConference();
  const users = new FakeUsers();
  const notReady: string[] = [];
  const logged: Array<Record<string, unknown>> = [];
  const stream = new Writable({
    write(line, _encoding, done) {
      logged.push(JSON.parse(String(line)));
      done();
    },
  });
  const log = pino({ level: 'debug' }, stream);
  const dataDir = mkdtempSync(join(tmpdir(), 'parley-api-'));
  const database = new Database(dataDir);
  const rooms = new Rooms();
  const records = new RecordTable(database);
  const parts = openApi({
    rooms,
    database,
    timers: new NodeTimers(),
    log,
    token: TOKEN,
    recordingsOf: () => [],
    webhookAddresses,
  });
  const sounds = new SoundLibrary({
    ...{ directory: join(dataDir, 'sounds'), log, epochMs: Date.now },
    findFfmpeg: async () => '/no/ffmpeg',
    import: makeSilence,
  });
  await sounds.open();
  const http = createHttpServer({
    controls: {
      conference,
      users,
      tokens: parts.tokens,
      webhooks: parts.webhooks,
      records,
      diagnosis: new FakeDiagnosis(),
      sounds,
      links: new DownloadLinks(Buffer.alloc(32, 7), epochMs),
    },
    streams: parts.streams,
    idempotency: parts.idempotency,
    health: { notReadyBecause: () => notReady },
    metrics: createMetrics({ snapshot: async () => quietServer }, '1.2.3'),
    log,
    version: '1.2.3',
    limits,
    ...more,
  });
  running.push(async () => {
    await http.close(0);
    parts.close();
    database.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const { port } = await http.listen(0, '127.0.0.1');
  return {
    conference,
    users,
    rooms,
    records,
    sounds,
    parts,
    database,
    http,
    port,
    notReady,
    logged,
    async call(method, path, { headers = {}, json, body } = {}) {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${TOKEN}`,
          ...(json !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...((json !== undefined || body !== undefined) && { body: body ?? JSON.stringify(json) }),
      });
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.includes('json') ?? false;
      return {
        status: response.status,
        headers: response.headers,
        text,
        json: isJson && text !== '' ? JSON.parse(text) : undefined,
      };
    },
  };
}
