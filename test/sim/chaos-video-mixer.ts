import {
  type StreamKey,
  VIDEO_PROTOCOL_VERSION,
  type VideoMixerEvent,
  type VideoMixerMethod,
  type VideoMixerParams,
  type VideoMixerRequests,
  type VideoMixerSettings,
  type VideoScene,
  type VideoStreamStatistics,
} from '../../mixer/video-protocol.ts';
import type { MixerProcessOptions } from '../../server/mixers/mixer-process.ts';
import { FakeProcess, Refused } from './chaos-process.ts';

const NOTHING_COUNTED: VideoStreamStatistics = {
  ...{ packetsReceived: 0, packetsSent: 0, bytesReceived: 0, bytesSent: 0, packetsExpected: 0, packetsLost: 0 },
  ...{ jitterMs: 0, remoteFractionLost: null, roundTripMs: null, nacksSent: 0, retransmitted: 0, keyFramesAsked: 0 },
  ...{ keyFramesSent: 0, framesDecoded: 0, framesBroken: 0, framesSent: 0, received: null, sent: null },
};

interface FakeStream {
  readonly key: StreamKey;
  room: string;
}

const idOf = ({ leg, stream }: StreamKey): string => `${leg} ${stream}`;

/** In the place of a video mixer process: rooms, scenes and streams, without any picture. */
export class FakeVideoMixerProcess extends FakeProcess<VideoMixerRequests, VideoMixerEvent, VideoMixerSettings> {
  readonly streams = new Map<string, FakeStream>();
  readonly rooms = new Map<string, VideoScene>();
  /** The room of each. */
  readonly recordings = new Map<string, string>();
  private nextPort = 0;

  constructor(options: MixerProcessOptions<VideoMixerRequests, VideoMixerEvent>) {
    super(options, VIDEO_PROTOCOL_VERSION, ['engine']);
    this.world.videoAlive.add(this);
  }

  /** Its disk is full, or whatever. */
  failRecording(recording: string): void {
    if (this.recordings.delete(recording)) this.happens({ event: 'recordingFailed', recording, reason: 'no luck' });
  }

  protected leave(): void {
    this.world.videoAlive.delete(this);
  }

  protected configured({ rtpPortMin }: VideoMixerSettings): void {
    this.nextPort = rtpPortMin;
  }

  protected carryOut(method: VideoMixerMethod, params: unknown): object {
    switch (method) {
      case 'openRoom':
        return this.openRoom(params as VideoMixerParams<'openRoom'>);
      case 'updateRoom':
        return this.updateRoom(params as VideoMixerParams<'updateRoom'>);
      case 'closeRoom':
        return this.closeRoom(params as VideoMixerParams<'closeRoom'>);
      case 'openStream':
        return this.openStream(params as VideoMixerParams<'openStream'>);
      case 'moveStream':
        return this.moveStream(params as VideoMixerParams<'moveStream'>);
      case 'closeStream':
        this.find(params as StreamKey);
        this.streams.delete(idOf(params as StreamKey));
        return NOTHING_COUNTED;
      case 'updateStream':
      case 'sendKeyFrame':
      case 'streamStatistics':
        this.find(params as StreamKey);
        return method === 'streamStatistics' ? NOTHING_COUNTED : {};
      case 'soundDelay':
        return {};
      case 'picture':
        this.hasRoom((params as VideoMixerParams<'picture'>).room);
        return { jpeg: '' };
      case 'startRecording':
        return this.startRecording(params as VideoMixerParams<'startRecording'>);
      case 'controlRecording':
        this.hasRecording((params as VideoMixerParams<'controlRecording'>).recording);
        return {};
      case 'stopRecording':
        this.hasRecording((params as VideoMixerParams<'stopRecording'>).recording);
        this.recordings.delete((params as VideoMixerParams<'stopRecording'>).recording);
        return { bytes: 0 };
      default:
        throw new Refused('internal');
    }
  }

  private openRoom({ room, scene }: VideoMixerParams<'openRoom'>): object {
    if (this.rooms.has(room)) this.problem(`room ${room} opened twice`);
    this.rooms.set(room, scene);
    return {};
  }

  private updateRoom({ room, scene }: VideoMixerParams<'updateRoom'>): object {
    this.hasRoom(room);
    this.rooms.set(room, scene);
    return {};
  }

  private closeRoom({ room }: VideoMixerParams<'closeRoom'>): object {
    if (!this.rooms.delete(room)) this.problem(`room ${room} closed twice`);
    if ([...this.streams.values()].some((stream) => stream.room === room)) {
      this.problem(`room ${room} closed with streams in it`);
    }
    if ([...this.recordings.values()].includes(room)) this.problem(`room ${room} closed while it is recorded`);
    return {};
  }

  private openStream({ room, leg, stream, ports }: VideoMixerParams<'openStream'>): object {
    this.hasRoom(room);
    const key = { leg, stream };
    if (this.streams.has(idOf(key))) this.problem(`stream ${idOf(key)} opened twice`);
    this.streams.set(idOf(key), { key, room });
    this.nextPort += 2;
    return ports ?? { rtpPort: this.nextPort, rtcpPort: this.nextPort + 1 };
  }

  private moveStream({ room, ...key }: VideoMixerParams<'moveStream'>): object {
    const stream = this.find(key);
    this.hasRoom(room);
    stream.room = room;
    return {};
  }

  private startRecording({ room, recording }: VideoMixerParams<'startRecording'>): object {
    this.hasRoom(room);
    if ([...this.recordings.values()].includes(room)) this.problem(`room ${room} recorded twice`);
    this.recordings.set(recording, room);
    return {};
  }

  private find(key: StreamKey): FakeStream {
    const stream = this.streams.get(idOf(key));
    if (stream === undefined) throw new Refused('no-such-stream');
    return stream;
  }

  private hasRoom(room: string): void {
    if (!this.rooms.has(room)) throw new Refused('no-such-room');
  }

  private hasRecording(recording: string): void {
    if (!this.recordings.has(recording)) throw new Refused('no-such-recording');
  }

  private problem(what: string): void {
    this.world.problems.push(`video mixer: ${what}`);
  }
}
