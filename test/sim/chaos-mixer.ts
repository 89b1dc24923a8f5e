import {
  type LegStatistics,
  type MixerEvent,
  type MixerMethod,
  type MixerParams,
  type MixerRequests,
  type MixerSettings,
  PROTOCOL_VERSION,
  type SoundToPlay,
} from '../../mixer/protocol.ts';
import type { MixerProcessOptions } from '../../server/mixers/mixer-process.ts';
import { FakeProcess, Refused } from './chaos-process.ts';

const NOTHING_COUNTED: LegStatistics = {
  ...{ packetsReceived: 0, packetsSent: 0, bytesReceived: 0, bytesSent: 0, packetsLost: 0, jitterMs: 0 },
  ...{ remoteFractionLost: null, roundTripMs: null, concealedFrames: 0, latePackets: 0, bufferDelayMs: 0 },
  ...{ latchedAddress: null, latchedPort: null, receivingCodec: null, quality: null, srtpRefused: 0 },
  ...{ foreignPackets: 0, firstReceivedMs: null, lastReceivedMs: null, firstSentMs: null },
  ...{ receivedLevelDb: null, sentLevelDb: null },
};

/** Of a recording's part, by virtual time. */
interface FakeRecording {
  readonly room: string;
  /** As long as it is not paused. */
  originMs: number | null;
  positionMs: number;
}

/** In the place of a mixer process: rooms, legs and sounds, without any sound. */
export class FakeMixerProcess extends FakeProcess<MixerRequests, MixerEvent, MixerSettings> {
  readonly legs = new Map<string, string>();
  readonly rooms = new Set<string>();
  readonly playbacks = new Map<string, SoundToPlay>();
  readonly recordings = new Map<string, FakeRecording>();
  /** Whose name is being recorded, and how that ends. */
  private readonly naming = new Map<string, (durationMs: number) => void>();
  private nextPort = 0;

  constructor(options: MixerProcessOptions) {
    super(options, PROTOCOL_VERSION, []);
    this.world.alive.add(this);
  }

  protected leave(): void {
    this.world.alive.delete(this);
  }

  protected configured({ rtpPortMin }: MixerSettings): void {
    this.nextPort = rtpPortMin;
  }

  protected carryOut(method: MixerMethod, params: unknown, id: number): object | null {
    switch (method) {
      case 'openRoom':
        return this.openRoom(params as MixerParams<'openRoom'>);
      case 'closeRoom':
        return this.closeRoom(params as MixerParams<'closeRoom'>);
      case 'openLeg':
        return this.openLeg(params as MixerParams<'openLeg'>);
      case 'moveLeg':
        return this.moveLeg(params as MixerParams<'moveLeg'>);
      case 'closeLeg':
        return this.closeLeg(params as MixerParams<'closeLeg'>);
      case 'updateLeg':
      case 'controlLeg':
      case 'legStatistics':
        this.find((params as MixerParams<'legStatistics'>).leg);
        return method === 'legStatistics' ? NOTHING_COUNTED : {};
      case 'playSound':
        return this.playSound(params as SoundToPlay);
      case 'controlSound':
        return { positionMs: 0, durationMs: 1000 };
      case 'stopSound':
        this.end((params as MixerParams<'stopSound'>).playback, 'stopped');
        return {};
      case 'startRecording':
        return this.startRecording(params as MixerParams<'startRecording'>);
      case 'controlRecording':
        return this.controlRecording(params as MixerParams<'controlRecording'>);
      case 'stopRecording':
        return this.stopRecording((params as MixerParams<'stopRecording'>).recording);
      case 'recordLeg':
        this.find((params as MixerParams<'recordLeg'>).leg);
        this.recordName(id, params as MixerParams<'recordLeg'>);
        return null;
      default:
        throw new Refused('internal');
    }
  }

  private openRoom({ room }: { room: string }): object {
    if (this.rooms.has(room)) this.world.problems.push(`mixer: room ${room} opened twice`);
    this.rooms.add(room);
    return {};
  }

  private closeRoom({ room }: { room: string }): object {
    if (!this.rooms.delete(room)) this.world.problems.push(`mixer: room ${room} closed twice`);
    if ([...this.legs.values()].includes(room)) this.world.problems.push(`mixer: room ${room} closed with legs in it`);
    const isRecorded = [...this.recordings.values()].some((recording) => recording.room === room);
    if (isRecorded) this.world.problems.push(`mixer: room ${room} closed while it is recorded`);
    this.endAll(({ to }) => 'room' in to && to.room === room);
    return {};
  }

  private openLeg({ room, leg, ports }: MixerParams<'openLeg'>): object {
    if (!this.rooms.has(room)) throw new Refused('no-such-room');
    if (this.legs.has(leg)) this.world.problems.push(`mixer: leg ${leg} opened twice`);
    this.legs.set(leg, room);
    this.nextPort += 2;
    return ports ?? { rtpPort: this.nextPort, rtcpPort: this.nextPort + 1 };
  }

  private moveLeg({ leg, room }: MixerParams<'moveLeg'>): object {
    this.find(leg);
    if (!this.rooms.has(room)) throw new Refused('no-such-room');
    this.legs.set(leg, room);
    return {};
  }

  private closeLeg({ leg }: { leg: string }): object {
    this.find(leg);
    this.legs.delete(leg);
    this.naming.get(leg)?.(this.world.random.below(3) * 500);
    this.endAll(({ to }) => 'leg' in to && to.leg === leg);
    return NOTHING_COUNTED;
  }

  private playSound(sound: SoundToPlay): object {
    const { to, playback, repeat } = sound;
    if ('leg' in to) this.find(to.leg);
    else if (!this.rooms.has(to.room)) throw new Refused('no-such-room');
    this.playbacks.set(playback, sound);
    const { timers, random } = this.world;
    if (!repeat) timers.set(500 + random.below(3000), () => this.end(playback, 'finished'));
    return {};
  }

  private startRecording({ room, recording, paused }: MixerParams<'startRecording'>): object {
    if (!this.rooms.has(room)) throw new Refused('no-such-room');
    const others = [...this.recordings.values()].filter((other) => other.room === room);
    if (others.length > 0) this.world.problems.push(`mixer: room ${room} recorded twice`);
    const originMs = paused ? null : this.world.timers.now();
    this.recordings.set(recording, { room, originMs, positionMs: 0 });
    return { positionMs: 0, originMs };
  }

  private controlRecording({ recording, paused }: MixerParams<'controlRecording'>): object {
    const known = this.recording(recording);
    const nowMs = this.world.timers.now();
    if (known.originMs !== null) known.positionMs = nowMs - known.originMs;
    known.originMs = paused ? null : nowMs - known.positionMs;
    return { positionMs: known.positionMs, originMs: known.originMs };
  }

  private stopRecording(id: string): object {
    const { originMs, positionMs } = this.recording(id);
    this.recordings.delete(id);
    return { durationMs: originMs === null ? positionMs : this.world.timers.now() - originMs, bytes: 0 };
  }

  /** Its disk is full, or whatever. */
  failRecording(recording: string): void {
    if (this.recordings.delete(recording)) this.happens({ event: 'recordingFailed', recording, reason: 'no luck' });
  }

  private recording(id: string): FakeRecording {
    const recording = this.recordings.get(id);
    if (recording === undefined) throw new Refused('no-such-recording');
    return recording;
  }

  private recordName(id: number, { leg, maxMs }: MixerParams<'recordLeg'>): void {
    const { timers, random } = this.world;
    const timer = timers.set(random.below(maxMs), () => ended(random.below(3) * 500));
    const ended = (durationMs: number): void => {
      timer.clear();
      this.naming.delete(leg);
      this.reply(id, { durationMs });
    };
    this.naming.set(leg, ended);
  }

  private endAll(which: (sound: SoundToPlay) => boolean): void {
    for (const [playback, sound] of this.playbacks) if (which(sound)) this.end(playback, 'stopped');
  }

  private end(playback: string, reason: 'finished' | 'stopped'): void {
    if (this.playbacks.delete(playback)) this.happens({ event: 'playbackEnded', playback, reason });
  }

  private find(leg: string): void {
    if (!this.legs.has(leg)) throw new Refused('no-such-leg');
  }
}
