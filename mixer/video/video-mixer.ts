import { MixerFailure } from '../mixer-failure.ts';
import { guarded, type PacketFault } from '../net/guarded-handler.ts';
import { PacketBuffers } from '../net/packet-buffers.ts';
import { PortBinder } from '../net/port-binder.ts';
import { usesSystemCalls } from '../net/udp-socket.ts';
import type {
  FromVideoMixer,
  StreamKey,
  VideoMixerEvent,
  VideoMixerMethod,
  VideoMixerParams,
  VideoMixerResult,
  VideoMixerSettings,
  VideoMixerStatistics,
} from '../video-protocol.ts';
import type { Engine } from './engine/engine.ts';
import type { PictureScaler } from './engine/picture-scaler.ts';
import { ENCODER_SPEEDS } from './engine/video-encoder.ts';
import { Texts } from './paint/texts.ts';
import { ProcessLoad } from './process-load.ts';
import { newCounts } from './video-counts.ts';
import { VideoRoom } from './video-room.ts';
import { VideoStream } from './video-stream.ts';

/** How often sockets are read: bursts of a key frame must not overflow the kernel's buffer. */
const READ_EVERY_MS = 10;
/** When something else is to be done anyway, they are read too, but no more often. */
const READ_AGAIN_MS = 4;
/** How often packets are let go while some wait for their turn. */
const SEND_EVERY_MS = 5;
/** Painting waits for the next step after so long, so that packets do not have to wait for all of it. */
const PAINT_MS = 10;
const BEST_EFFORT = ENCODER_SPEEDS.length - 1;
/** The golden ratio: however many rooms there are, their phases are spread evenly. */
const PHASE_STEP = 0.618;

export interface VideoMixerRim {
  send(message: FromVideoMixer): void;
  /** Monotonic, milliseconds. */
  now(): number;
  /** Since 1970, milliseconds. */
  wallClock(): number;
  /** There is something to do already: `run` must be called soon. */
  wake(): void;
}

type Handlers = {
  [M in VideoMixerMethod]: (params: VideoMixerParams<M>) => VideoMixerResult<M> | Promise<VideoMixerResult<M>>;
};

interface StreamPlace {
  stream: VideoStream;
  room: VideoRoom;
}

/** All rooms and video streams of one process, and the requests about them. */
export class VideoMixer {
  private readonly settings: VideoMixerSettings;
  private readonly engine: Engine;
  private readonly rim: VideoMixerRim;
  private readonly ports: PortBinder;
  private readonly buffers = new PacketBuffers(usesSystemCalls ? 1 : undefined);
  private readonly rooms = new Map<string, VideoRoom>();
  private readonly streams = new Map<string, StreamPlace>();
  /** Of streams whose ports are still being bound. */
  private readonly opening = new Set<string>();
  private readonly counts = newCounts();
  private phase = 0;
  private readMs = Number.NEGATIVE_INFINITY;
  private readonly load: ProcessLoad;
  private readonly scaler: PictureScaler;
  private readonly texts: Texts;

  constructor(settings: VideoMixerSettings, engine: Engine, rim: VideoMixerRim) {
    this.settings = settings;
    this.engine = engine;
    this.rim = rim;
    this.ports = new PortBinder(settings, rim.now);
    this.load = new ProcessLoad(rim.now());
    this.scaler = engine.pictureScaler();
    const renderer = engine.textRenderer(settings.font);
    this.texts = new Texts(renderer);
    if (renderer.fontProblem != null) this.unusable('font', renderer.fontProblem);
    void this.chooseEncoder();
  }

  private async chooseEncoder(): Promise<void> {
    if (this.settings.encoder === 'software') return;
    const problem = await this.engine.useEncoder(this.settings.encoder);
    if (problem !== null) this.unusable('encoder', problem);
  }

  private unusable(setting: 'font' | 'encoder', reason: string): void {
    this.tell({ event: 'settingUnusable', setting, reason });
  }

  /** Does what is due; returns when to be called again, null when there is no room. */
  run(nowMs: number): number | null {
    if (this.rooms.size === 0) return null;
    if (nowMs - this.readMs >= READ_AGAIN_MS) this.receive(nowMs);
    const untilMs = nowMs + PAINT_MS;
    for (const room of this.rooms.values()) room.run(nowMs, untilMs);
    for (const { stream } of this.streams.values()) stream.send(nowMs);
    if (this.load.measure(nowMs)) {
      const { load } = this.load;
      for (const room of this.rooms.values()) room.loadMeasured(load);
      this.tell({
        event: 'load',
        load: Math.min(1, load),
        tickLoad: Math.min(1, load),
        lateTicks: this.counts.framesSkipped,
      });
    }
    return this.nextMs(nowMs);
  }

  private receive(nowMs: number): void {
    this.readMs = nowMs;
    for (const { stream } of this.streams.values()) stream.receive(nowMs);
  }

  private nextMs(nowMs: number): number {
    let nextMs = this.readMs + READ_EVERY_MS;
    for (const room of this.rooms.values()) nextMs = Math.min(nextMs, room.nextMs);
    for (const { stream } of this.streams.values()) {
      if (stream.waits) return Math.min(nextMs, nowMs + SEND_EVERY_MS);
    }
    return nextMs;
  }

  request(id: number, method: VideoMixerMethod, params: VideoMixerParams<VideoMixerMethod>): void {
    this.answer(id, method, params).catch((error: unknown) => {
      const code = error instanceof MixerFailure ? error.code : 'internal';
      this.rim.send({ type: 'error', id, code, message: error instanceof Error ? error.message : String(error) });
    });
  }

  /** Settled when all recordings are on the disk. */
  async close(): Promise<void> {
    for (const { stream } of this.streams.values()) stream.close(this.rim.now());
    await Promise.all([...this.rooms.values()].map((room) => room.close()));
  }

  private async answer(
    id: number,
    method: VideoMixerMethod,
    params: VideoMixerParams<VideoMixerMethod>,
  ): Promise<void> {
    const handler = this.handlers[method] as (
      params: unknown,
    ) => VideoMixerResult<VideoMixerMethod> | Promise<VideoMixerResult<VideoMixerMethod>>;
    if (!handler) throw new MixerFailure('bad-request', `there is no ${method}`);
    this.rim.send({ type: 'reply', id, result: await handler(params) });
  }

  private readonly handlers: Handlers = {
    openRoom: ({ room, scene }) => {
      if (this.rooms.has(room)) throw new MixerFailure('already-exists', `room ${room} is open`);
      const { engine, scaler, texts, counts, rim, tell, phase } = this;
      this.phase = (phase + PHASE_STEP) % 1;
      this.rooms.set(
        room,
        new VideoRoom({ engine, scaler, texts, counts, now: rim.now, wake: rim.wake, tell, scene, phase }),
      );
      rim.wake();
      return {};
    },

    updateRoom: ({ room, scene }) => {
      this.room(room).update(scene);
      return {};
    },

    closeRoom: ({ room }) => {
      const closing = this.room(room);
      for (const { stream, room: place } of this.streams.values()) {
        if (place === closing) this.handlers.closeStream(stream.key);
      }
      this.rooms.delete(room);
      // Not waited for: a disk that hangs must not keep a room open.
      void closing.close();
      return {};
    },

    openStream: async (params) => {
      const { leg, stream: name, cname } = params;
      const room = this.room(params.room);
      const id = idOf(params);
      if (this.streams.has(id) || this.opening.has(id))
        throw new MixerFailure('already-exists', `stream ${id} is open`);
      const { engine, counts, settings, rim, buffers } = this;
      const stream = new VideoStream({
        ...{ key: { leg, stream: name }, cname, engine, counts, buffers, event: this.tell },
        ...{ silenceTimeoutMs: settings.silenceTimeoutMs, startMs: rim.now() },
        wallClockOffsetMs: rim.wallClock() - rim.now(),
      });
      this.opening.add(id);
      const fault = (fault: PacketFault): void => this.tell({ event: 'packetFault', ...stream.key, ...fault });
      const sockets = await this.ports
        .bind(guarded(stream.receivedRtp, fault), guarded(stream.receivedRtcp, fault), params.ports?.rtpPort)
        .finally(() => this.opening.delete(id));
      if (this.rooms.get(params.room) !== room) {
        this.ports.release(sockets);
        throw new MixerFailure('no-such-room', `room ${params.room} was closed meanwhile`);
      }
      stream.open(sockets);
      this.streams.set(id, { stream, room });
      room.add(stream);
      if (params.media) stream.update(params.media);
      return { rtpPort: sockets.rtpPort, rtcpPort: sockets.rtcpPort };
    },

    updateStream: (params) => {
      const { stream, room } = this.place(params);
      stream.update(params.media);
      room.streamUpdated();
      return {};
    },

    moveStream: (params) => {
      const place = this.place(params);
      const room = this.room(params.room);
      place.room.remove(place.stream);
      place.room = room;
      room.add(place.stream);
      return {};
    },

    closeStream: (key) => {
      const { stream, room } = this.place(key);
      this.streams.delete(idOf(key));
      room.remove(stream);
      const statistics = stream.statistics();
      this.ports.release(stream.close(this.rim.now()));
      return statistics;
    },

    streamStatistics: (key) => this.place(key).stream.statistics(),

    sendKeyFrame: (key) => {
      this.place(key).stream.keyFrameAsked(this.rim.now());
      return {};
    },

    soundDelay: ({ leg, delayMs, senderNtpMs }) => {
      for (const stream of ['main', 'slides'] as const) {
        this.streams.get(idOf({ leg, stream }))?.stream.incoming.soundIsLate(delayMs, senderNtpMs);
      }
      return {};
    },

    picture: async ({ room, width }) => ({ jpeg: await this.room(room).jpeg(width) }),

    startRecording: async (params) => {
      await this.room(params.room).startRecording(params);
      return {};
    },

    controlRecording: ({ recording, paused, originMs }) => {
      this.roomRecording(recording).pauseRecording(recording, paused, originMs);
      return {};
    },

    stopRecording: ({ recording }) => this.roomRecording(recording).stopRecording(recording),

    statistics: () => this.statistics(),
  };

  private statistics(): VideoMixerStatistics {
    const { user, system } = process.cpuUsage();
    let encoders = 0;
    let recordings = 0;
    let effort = BEST_EFFORT;
    for (const room of this.rooms.values()) {
      effort = Math.min(effort, room.effort);
      encoders += room.encoders;
      recordings += room.recordings;
    }
    return {
      ...{ rooms: this.rooms.size, streams: this.streams.size, encoders, effort, recordings },
      ...this.ports.statistics,
      ...this.counts,
      load: this.load.load,
      memoryBytes: process.memoryUsage.rss(),
      cpuMs: (user + system) / 1000,
    };
  }

  private readonly tell = (event: VideoMixerEvent): void => this.rim.send({ type: 'event', ...event });

  private room(id: string): VideoRoom {
    const room = this.rooms.get(id);
    if (!room) throw new MixerFailure('no-such-room', `room ${id} is not open`);
    return room;
  }

  private roomRecording(recording: string): VideoRoom {
    for (const room of this.rooms.values()) if (room.isRecording(recording)) return room;
    throw new MixerFailure('no-such-recording', `recording ${recording} is not running`);
  }

  private place(key: StreamKey): StreamPlace {
    const place = this.streams.get(idOf(key));
    if (!place) throw new MixerFailure('no-such-leg', `stream ${idOf(key)} is not open`);
    return place;
  }
}

function idOf({ leg, stream }: StreamKey): string {
  return `${leg}/${stream}`;
}
