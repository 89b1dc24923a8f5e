import type { ApiParts } from './api-parts.ts';
import type { Focus } from './focus/focus.ts';
import type { PinGuard } from './focus/pin-guard.ts';
import type { RequestGuard } from './guard/request-guard.ts';
import type { MetricsSnapshot, MetricsSource, MixerMetrics } from './metrics.ts';
import type { Mixers } from './mixers/mixers.ts';
import type { NodeTimers } from './node-timers.ts';
import type { Recordings } from './recordings/recordings.ts';
import type { OpenRegistrar } from './registrar/open-registrar.ts';
import type { Rooms } from './rooms/rooms.ts';
import type { SipServer } from './sip/sip-server.ts';

export interface Measured {
  rooms: Rooms;
  focus: Focus;
  sip: SipServer;
  mixers: Mixers;
  recordings: Recordings;
  timers: NodeTimers;
  office: OpenRegistrar;
  guard: RequestGuard;
  pins: PinGuard;
  api: Pick<ApiParts, 'streams' | 'webhooks'>;
}

const NO_MIXER_YET: Omit<MixerMetrics, 'name' | 'up'> = {
  sockets: 0,
  socketErrors: 0,
  portsInUse: 0,
  portsResting: 0,
  ticks: 0,
  lateTicks: 0,
  tickTimes: { counts: [], totalMs: 0 },
  tickLoad: 0,
  load: 0,
  opusComplexity: 0,
  quality: null,
  encodes: 0,
  encodesUnshared: 0,
  decodes: 0,
  cpuMs: 0,
  memoryBytes: 0,
};

/** Asks all parts what they count. */
export function metricsSource({
  rooms,
  focus,
  sip,
  mixers,
  recordings,
  timers,
  office,
  guard,
  pins,
  api,
}: Measured): MetricsSource {
  const last: MixerMetrics[] = [];
  return {
    async snapshot(): Promise<MetricsSnapshot> {
      const answers = await mixers.statistics();
      for (const [index, answer] of answers.entries()) {
        const name = String(index);
        last[index] = answer
          ? { name, up: true, ...answer }
          : { ...(last[index] ?? { name, ...NO_MIXER_YET }), up: false };
      }
      const recorded = recordings.list();
      return {
        rooms: rooms.size,
        participants: [...rooms].reduce((sum, room) => sum + room.size, 0),
        calls: sip.calls,
        callsStarted: focus.counts.started,
        callsEnded: focus.counts.ended,
        callScores: focus.counts.scores,
        sipTransactions: sip.transactions,
        sipConnections: sip.connections,
        timers: timers.active,
        sipRequestsReceived: sip.counts.requestsReceived,
        sipRequestsSent: sip.counts.requestsSent,
        sipResponsesReceived: sip.counts.responsesReceived,
        sipResponsesSent: sip.counts.responsesSent,
        sipMalformed: sip.counts.malformed,
        users: office.users.size,
        registrations: office.bindings.size,
        authentications: office.authentication.counts,
        sipTurnedAway: guard.turned,
        addressesBanned: guard.banned,
        bans: guard.bans,
        pins: pins.counts,
        eventStreams: api.streams.size,
        eventStreamsDropped: api.streams.dropped,
        webhookDeliveries: { ...api.webhooks.counts },
        webhookEventsWaiting: api.webhooks.waiting,
        recordingsRunning: recorded.filter(({ state }) => state === 'recording').length,
        recordingsStarted: recordings.started,
        recordingsFailed: recordings.failed,
        mixerRestarts: mixers.restarts,
        mixers: last,
      };
    },
  };
}
