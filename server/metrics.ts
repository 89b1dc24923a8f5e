import { Counter, Gauge, Registry } from 'prom-client';
import { TICK_TIME_BOUNDS_MS, type TickTimeCounts } from '../mixer/protocol.ts';
import { histogramText } from './histogram-text.ts';
import { type VideoMixerMetrics, videoMetrics } from './video-metrics.ts';

/** One mixer process; its counters begin at 0 again when it is restarted, which Prometheus understands. */
export interface MixerMetrics {
  /** Stable over restarts, such as `0`. */
  name: string;
  up: boolean;
  sockets: number;
  socketErrors: number;
  portsInUse: number;
  portsResting: number;
  ticks: number;
  lateTicks: number;
  tickTimes: TickTimeCounts;
  /** 0–1. */
  tickLoad: number;
  /** 0–1. */
  load: number;
  opusComplexity: number;
  /** Means over the participants whom something was received from; null without one. */
  quality: { mos: number; lossPercent: number; jitterMs: number; roundTripMs: number | null } | null;
  encodes: number;
  encodesUnshared: number;
  decodes: number;
  cpuMs: number;
  memoryBytes: number;
}

/** All that is counted and measured, at one moment. Counters only ever grow. */
export interface MetricsSnapshot {
  rooms: number;
  participants: number;
  /** Between INVITE and end, answered or not. */
  calls: number;
  callsStarted: number;
  /** By `CallEnd['cause']`. */
  callsEnded: Readonly<Record<string, number>>;
  /** Calls that ended, by their estimated opinion score, rounded down. */
  callScores: Readonly<Record<string, number>>;
  sipTransactions: number;
  sipConnections: number;
  /** Timers of SIP transactions, dialogs and conferences that are set. */
  timers: number;
  /** By method, received and sent; retransmissions count. */
  sipRequestsReceived: Readonly<Record<string, number>>;
  sipRequestsSent: Readonly<Record<string, number>>;
  /** By status. */
  sipResponsesReceived: Readonly<Record<number, number>>;
  sipResponsesSent: Readonly<Record<number, number>>;
  /** Messages that could not be parsed. */
  sipMalformed: number;
  users: number;
  registrations: number;
  /** By result. */
  authentications: Readonly<Record<string, number>>;
  /** Requests that were turned away before anything was done about them, by reason. */
  sipTurnedAway: Readonly<Record<string, number>>;
  addressesBanned: number;
  bans: number;
  /** PINs of rooms, by what became of them. */
  pins: Readonly<Record<string, number>>;
  eventStreams: number;
  /** By reason. */
  eventStreamsDropped: Readonly<Record<string, number>>;
  /** By result. */
  webhookDeliveries: Readonly<Record<string, number>>;
  webhookEventsWaiting: number;
  recordingsRunning: number;
  recordingsStarted: number;
  recordingsFailed: number;
  mixerRestarts: number;
  mixers: readonly MixerMetrics[];
  videoMixerRestarts: number;
  videoMixers: readonly VideoMixerMetrics[];
}

export interface MetricsSource {
  /** Called for each scrape. A mixer that does not answer is left at what it last said. */
  snapshot(): Promise<MetricsSnapshot>;
}

export interface Metrics {
  /** Of `page()`. */
  readonly contentType: string;
  /** The present values in Prometheus' text format. */
  page(): Promise<string>;
  countHttpRequest(method: string, status: number): void;
}

type Values = Iterable<readonly [value: number, labels?: Readonly<Record<string, string>>]>;

interface Definition {
  name: string;
  help: string;
  type: 'gauge' | 'counter';
  labels?: readonly string[];
  read(snapshot: MetricsSnapshot): Values;
}

const one = (value: number): Values => [[value]];

/** A method comes from the network: only known ones become a label. */
const methods = new Set([
  ...['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'REGISTER', 'PRACK', 'SUBSCRIBE'],
  ...['NOTIFY', 'PUBLISH', 'INFO', 'REFER', 'MESSAGE', 'UPDATE'],
]);

function byMethod(counts: Readonly<Record<string, number>>): Values {
  const totals = new Map<string, number>();
  for (const [method, count] of Object.entries(counts)) {
    const label = methods.has(method) ? method : 'other';
    totals.set(label, (totals.get(label) ?? 0) + count);
  }
  return [...totals].map(([method, count]) => [count, { method }] as const);
}

const by = (label: string, counts: Readonly<Record<string, number>>): Values =>
  Object.entries(counts).map(([name, count]) => [count, { [label]: name }] as const);

const mixers = (value: (mixer: MixerMetrics) => number) => (snapshot: MetricsSnapshot) =>
  snapshot.mixers.map((mixer) => [value(mixer), { mixer: mixer.name }] as const);

/** Without participants there is nothing to be said. */
const quality =
  (value: (mean: NonNullable<MixerMetrics['quality']>) => number | null) =>
  (snapshot: MetricsSnapshot): Values =>
    snapshot.mixers.flatMap((mixer) => {
      const measured = mixer.quality && value(mixer.quality);
      return measured === null ? [] : [[measured, { mixer: mixer.name }] as const];
    });

const total = (value: (mixer: MixerMetrics) => number) => (snapshot: MetricsSnapshot) =>
  one(snapshot.mixers.reduce((sum, mixer) => sum + value(mixer), 0));

/** What any process of ours costs. */
type Costs = Pick<MixerMetrics, 'cpuMs' | 'memoryBytes'>;

const processes = (server: () => number, value: (mixer: Costs) => number) => (snapshot: MetricsSnapshot) => [
  [server(), { process: 'server' }] as const,
  ...snapshot.mixers.map((mixer) => [value(mixer), { process: `mixer-${mixer.name}` }] as const),
  ...snapshot.videoMixers.map((mixer) => [value(mixer), { process: `video-mixer-${mixer.name}` }] as const),
];

const gauge = (name: string, help: string, read: Definition['read'], labels: readonly string[] = []): Definition => ({
  name,
  help,
  type: 'gauge',
  labels,
  read,
});

const counter = (name: string, help: string, read: Definition['read'], labels: readonly string[] = []): Definition => ({
  name,
  help,
  type: 'counter',
  labels,
  read,
});

const serverCpuSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** Every metric but those of HTTP; docs/metrics.md lists them all. */
const definitions: readonly Definition[] = [
  gauge('parley_rooms', 'Rooms there are.', (s) => one(s.rooms)),
  gauge('parley_participants', 'Participants in all rooms.', (s) => one(s.participants)),
  gauge('parley_calls', 'Calls between INVITE and end.', (s) => one(s.calls)),
  counter('parley_calls_started_total', 'Calls that began, in both directions.', (s) => one(s.callsStarted)),
  counter('parley_calls_ended_total', 'Calls that ended, by cause.', (s) => by('cause', s.callsEnded), ['cause']),
  counter(
    'parley_calls_by_mos_total',
    'Calls that ended, by the estimated opinion score of what was received, rounded down.',
    (s) => by('mos', s.callScores),
    ['mos'],
  ),
  gauge('parley_sip_transactions', 'SIP transactions that are not terminated.', (s) => one(s.sipTransactions)),
  gauge('parley_sip_connections', 'Connections that SIP runs over.', (s) => one(s.sipConnections)),
  gauge('parley_timers', 'Timers that are set.', (s) => one(s.timers)),
  counter(
    'parley_sip_requests_received_total',
    'SIP requests received, retransmissions too.',
    (s) => byMethod(s.sipRequestsReceived),
    ['method'],
  ),
  counter(
    'parley_sip_requests_sent_total',
    'SIP requests sent, retransmissions too.',
    (s) => byMethod(s.sipRequestsSent),
    ['method'],
  ),
  counter(
    'parley_sip_responses_received_total',
    'SIP responses received, retransmissions too.',
    (s) => by('status', s.sipResponsesReceived),
    ['status'],
  ),
  counter(
    'parley_sip_responses_sent_total',
    'SIP responses sent, retransmissions too.',
    (s) => by('status', s.sipResponsesSent),
    ['status'],
  ),
  counter('parley_sip_malformed_total', 'SIP messages that could not be parsed.', (s) => one(s.sipMalformed)),
  gauge('parley_users', 'Users there are.', (s) => one(s.users)),
  gauge('parley_registrations', 'Phones that are registered.', (s) => one(s.registrations)),
  counter(
    'parley_authentications_total',
    'Passwords that were looked at, by result.',
    (s) => by('result', s.authentications),
    ['result'],
  ),
  counter(
    'parley_sip_turned_away_total',
    'SIP requests that got no answer or 503 before anything else, by reason.',
    (s) => by('reason', s.sipTurnedAway),
    ['reason'],
  ),
  gauge('parley_addresses_banned', 'Addresses that are banned for wrong passwords.', (s) => one(s.addressesBanned)),
  counter('parley_bans_total', 'Addresses that were banned for wrong passwords.', (s) => one(s.bans)),
  counter('parley_pins_total', 'PINs of rooms that callers gave, by result.', (s) => by('result', s.pins), ['result']),
  gauge('parley_event_streams', 'Event streams that are open.', (s) => one(s.eventStreams)),
  counter(
    'parley_event_streams_dropped_total',
    'Event streams that were ended before their readers wanted, by reason.',
    (s) => by('reason', s.eventStreamsDropped),
    ['reason'],
  ),
  counter(
    'parley_webhook_deliveries_total',
    'Attempts to tell webhooks of an event, by result.',
    (s) => by('result', s.webhookDeliveries),
    ['result'],
  ),
  gauge('parley_webhook_events_waiting', 'Events that are yet to be delivered to webhooks.', (s) =>
    one(s.webhookEventsWaiting),
  ),
  gauge(
    'parley_rtp_sockets',
    'Media sockets that are open.',
    total((mixer) => mixer.sockets),
  ),
  counter(
    'parley_rtp_socket_errors_total',
    'Media packets that could not be sent or were refused where they went, as far as the kernel says.',
    mixers((mixer) => mixer.socketErrors),
    ['mixer'],
  ),
  gauge(
    'parley_rtp_ports_used',
    'Media ports in use.',
    total((mixer) => mixer.portsInUse),
  ),
  gauge(
    'parley_rtp_ports_resting',
    'Media ports that rest after use.',
    total((mixer) => mixer.portsResting),
  ),
  gauge('parley_recordings', 'Recordings that run.', (s) => one(s.recordingsRunning)),
  counter('parley_recordings_started_total', 'Recordings that were started.', (s) => one(s.recordingsStarted)),
  counter('parley_recordings_failed_total', 'Recordings that failed.', (s) => one(s.recordingsFailed)),
  counter('parley_mixer_restarts_total', 'Mixer processes that died and were started again.', (s) =>
    one(s.mixerRestarts),
  ),
  gauge(
    'parley_mixer_up',
    '1 when the mixer process runs.',
    mixers((mixer) => (mixer.up ? 1 : 0)),
    ['mixer'],
  ),
  gauge(
    'parley_mixer_tick_load',
    'Share of the last second that ticks took.',
    mixers((mixer) => mixer.tickLoad),
    ['mixer'],
  ),
  gauge(
    'parley_mixer_load',
    'Share of the last seconds that the process was busy with ticks and packets.',
    mixers((mixer) => mixer.load),
    ['mixer'],
  ),
  gauge(
    'parley_mixer_opus_complexity',
    'Complexity that the load leaves for Opus encoders.',
    mixers((mixer) => mixer.opusComplexity),
    ['mixer'],
  ),
  gauge(
    'parley_mixer_mos',
    'Mean estimated opinion score of what participants are received with.',
    quality((mean) => mean.mos),
    ['mixer'],
  ),
  gauge(
    'parley_mixer_loss_ratio',
    'Mean share of packets lost on the way from participants.',
    quality((mean) => mean.lossPercent / 100),
    ['mixer'],
  ),
  gauge(
    'parley_mixer_jitter_seconds',
    'Mean interarrival jitter of participants.',
    quality((mean) => mean.jitterMs / 1000),
    ['mixer'],
  ),
  gauge(
    'parley_mixer_round_trip_seconds',
    'Mean round trip to participants who report.',
    quality((mean) => (mean.roundTripMs === null ? null : mean.roundTripMs / 1000)),
    ['mixer'],
  ),
  counter(
    'parley_mixer_ticks_total',
    'Room ticks.',
    mixers((mixer) => mixer.ticks),
    ['mixer'],
  ),
  counter(
    'parley_mixer_late_ticks_total',
    'Room ticks that began more than a tick late.',
    mixers((mixer) => mixer.lateTicks),
    ['mixer'],
  ),
  counter(
    'parley_mixer_encodes_total',
    'Frames encoded.',
    mixers((mixer) => mixer.encodes),
    ['mixer'],
  ),
  counter(
    'parley_mixer_encodes_unshared_total',
    'Frames that would have been encoded with one encoder a listener.',
    mixers((mixer) => mixer.encodesUnshared),
    ['mixer'],
  ),
  counter(
    'parley_mixer_decodes_total',
    'Frames decoded.',
    mixers((mixer) => mixer.decodes),
    ['mixer'],
  ),
  counter('parley_video_mixer_restarts_total', 'Video mixer processes that died and were started again.', (s) =>
    one(s.videoMixerRestarts),
  ),
  ...videoMetrics.map(
    ({ name, help, type, value }): Definition => ({
      ...{ name, help, type, labels: ['mixer'] },
      read: (snapshot) => snapshot.videoMixers.map((mixer) => [value(mixer), { mixer: mixer.name }] as const),
    }),
  ),
  counter(
    'parley_process_cpu_seconds_total',
    'User and system time, by process.',
    processes(serverCpuSeconds, (mixer) => mixer.cpuMs / 1000),
    ['process'],
  ),
  gauge(
    'parley_process_memory_bytes',
    'Resident memory, by process.',
    processes(
      () => process.memoryUsage.rss(),
      (mixer) => mixer.memoryBytes,
    ),
    ['process'],
  ),
];

const TICK_TIMES = {
  name: 'parley_mixer_tick_seconds',
  help: 'How long the mixer took each time that rooms were due.',
  label: 'mixer',
  bounds: TICK_TIME_BOUNDS_MS.map((bound) => bound / 1000),
};

/** Every metric's name, as it stands in the documents. */
export const metricNames: readonly string[] = [
  ...definitions.map(({ name }) => name),
  TICK_TIMES.name,
  'parley_http_requests_total',
  'parley_build_info',
];

/** Makes the metrics page over what the source says. */
export function createMetrics(source: MetricsSource, version: string): Metrics {
  const registry = new Registry();
  const writers = definitions.map((definition) => writer(registry, definition));
  const httpRequests = new Counter({
    name: 'parley_http_requests_total',
    help: 'HTTP requests answered.',
    labelNames: ['method', 'status'],
    registers: [registry],
  });
  const build = new Gauge({
    name: 'parley_build_info',
    help: 'Always 1.',
    labelNames: ['version'],
    registers: [registry],
  });
  build.set({ version }, 1);

  return {
    contentType: registry.contentType,
    async page() {
      const snapshot = await source.snapshot();
      for (const write of writers) write(snapshot);
      const tickTimes = snapshot.mixers.map(({ name, tickTimes: { counts, totalMs } }) => {
        return { name, counts, sum: totalMs / 1000 };
      });
      return (await registry.metrics()) + histogramText(TICK_TIMES, tickTimes);
    },
    countHttpRequest(method, status) {
      httpRequests.inc({ method, status: String(status) });
    },
  };
}

/** Counters are totals of others: each scrape sets them anew. Nothing runs between that and the page being written. */
function writer(registry: Registry, { name, help, type, labels = [], read }: Definition) {
  const options = { name, help, labelNames: [...labels], registers: [registry] };
  if (type === 'gauge') {
    const metric = new Gauge(options);
    return (snapshot: MetricsSnapshot) => {
      metric.reset();
      for (const [value, labelled = {}] of read(snapshot)) metric.set(labelled, value);
    };
  }
  const metric = new Counter(options);
  return (snapshot: MetricsSnapshot) => {
    metric.reset();
    for (const [value, labelled = {}] of read(snapshot)) metric.inc(labelled, value);
  };
}
