import type { ApiParts } from './api-parts.ts';
import type { Focus } from './focus/focus.ts';
import type { PinGuard } from './focus/pin-guard.ts';
import type { RequestGuard } from './guard/request-guard.ts';
import type { MetricsSnapshot, MetricsSource, MixerMetrics } from './metrics.ts';
import type { Mixers } from './mixers/mixers.ts';
import type { VideoMixers } from './mixers/video-mixers.ts';
import type { NodeTimers } from './node-timers.ts';
import type { Recordings } from './recordings/recordings.ts';
import type { OpenRegistrar } from './registrar/open-registrar.ts';
import type { Rooms } from './rooms/rooms.ts';
import type { SipServer } from './sip/sip-server.ts';
import type { VideoMixerMetrics } from './video-metrics.ts';

export interface Measured {
  rooms: Rooms;
  focus: Focus;
  sip: SipServer;
  mixers: Mixers;
  video: VideoMixers;
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

const NO_VIDEO_MIXER_YET: Omit<VideoMixerMetrics, 'name' | 'up'> = {
  ...{ rooms: 0, streams: 0, portsInUse: 0, portsResting: 0, socketErrors: 0, composed: 0, encodes: 0 },
  ...{ encodesUnshared: 0, decodes: 0, framesBroken: 0, framesSkipped: 0, encoders: 0, effort: 2, recordings: 0 },
  ...{ load: 0, memoryBytes: 0, cpuMs: 0 },
};

/** What each process last said: one that does not answer is left at that. */
class LastSaid<Measured extends object> {
  private readonly last: (Measured & { name: string; up: boolean })[] = [];
  private readonly none: Measured;

  /** @param none as long as it has said nothing */
  constructor(none: Measured) {
    this.none = none;
  }

  update(answers: readonly (Measured | null)[]): readonly (Measured & { name: string; up: boolean })[] {
    for (const [index, answer] of answers.entries()) {
      const name = String(index);
      this.last[index] = answer
        ? { ...answer, name, up: true }
        : { ...(this.last[index] ?? { ...this.none, name }), up: false };
    }
    return this.last;
  }
}

/** Asks all parts what they count. */
export function metricsSource({
  rooms,
  focus,
  sip,
  mixers,
  video,
  recordings,
  timers,
  office,
  guard,
  pins,
  api,
}: Measured): MetricsSource {
  const sound = new LastSaid(NO_MIXER_YET);
  const pictures = new LastSaid(NO_VIDEO_MIXER_YET);
  return {
    async snapshot(): Promise<MetricsSnapshot> {
      const [ofSound, ofPictures] = await Promise.all([mixers.statistics(), video.statistics()]);
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
        mixers: sound.update(ofSound),
        videoMixerRestarts: video.restarts,
        videoMixers: pictures.update(ofPictures),
      };
    },
  };
}
