import {
  type FromMixer,
  type LegStatistics,
  type MixerErrorCode,
  type MixerEvent,
  type MixerMethod,
  type MixerParams,
  PROTOCOL_VERSION,
  type SoundToPlay,
  type ToMixer,
} from '../../mixer/protocol.ts';
import type { MixerProcessOptions } from '../../server/mixers/mixer-process.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { VirtualTimers } from './virtual-timers.ts';

/** Where fake mixers live. */
export interface MixerWorld {
  readonly timers: VirtualTimers;
  readonly random: SeededRandom;
  readonly alive: Set<FakeMixerProcess>;
  /** What no server should ask of a mixer. */
  readonly problems: string[];
}

let world: MixerWorld | null = null;

/** Those that are started from now on live there. */
export function mixersLiveIn(given: MixerWorld): void {
  world = given;
}

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

class Refused extends Error {
  readonly code: MixerErrorCode;

  constructor(code: MixerErrorCode) {
    super(code);
    this.code = code;
  }
}

/** In the place of a mixer process: rooms, legs and sounds, without any sound. Takes its time for everything. */
export class FakeMixerProcess {
  readonly legs = new Map<string, string>();
  readonly rooms = new Set<string>();
  readonly playbacks = new Map<string, SoundToPlay>();
  readonly recordings = new Map<string, FakeRecording>();
  /** Whose name is being recorded, and how that ends. */
  private readonly naming = new Map<string, (durationMs: number) => void>();
  private readonly options: MixerProcessOptions;
  private readonly world: MixerWorld;
  private gone = false;
  private nextPort = 0;
  private lastMs = 0;

  constructor(options: MixerProcessOptions) {
    if (world === null) throw new Error('a mixer before there is a world for it');
    this.options = options;
    this.world = world;
    world.alive.add(this);
    this.tell({ type: 'hello', version: PROTOCOL_VERSION, pid: world.alive.size });
  }

  send(message: ToMixer): void {
    this.inOrder(() => this.take(message));
  }

  kill(): void {
    this.crash();
  }

  disconnect(): void {
    this.gone = true;
    this.world.alive.delete(this);
  }

  crash(): void {
    if (this.gone) return;
    this.disconnect();
    this.options.exited('crashed');
  }

  /** Something that happens to a leg of itself. */
  happens(event: MixerEvent): void {
    this.tell({ type: 'event', ...event });
  }

  private take(message: ToMixer): void {
    if (message.type === 'configure') {
      this.nextPort = message.settings.rtpPortMin;
      return;
    }
    const { id, method, params } = message;
    try {
      const result = this.carryOut(method, params);
      if (result === null) this.recordName(id, params as MixerParams<'recordLeg'>);
      else this.tell({ type: 'reply', id, result: result as never });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.tell({ type: 'error', id, code: error.code, message: `${method} ${JSON.stringify(params)}` });
    }
  }

  /** Null: it is answered later. */
  private carryOut(method: MixerMethod, params: MixerParams<MixerMethod>): object | null {
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
      this.tell({ type: 'reply', id, result: { durationMs } as never });
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

  private tell(message: FromMixer): void {
    this.inOrder(() => this.options.received(message));
  }

  /** After a moment, but nothing overtakes what was before it. */
  private inOrder(action: () => void): void {
    const { timers, random } = this.world;
    this.lastMs = Math.max(this.lastMs, timers.now() + random.below(20));
    timers.set(this.lastMs - timers.now(), () => {
      if (!this.gone) action();
    });
  }
}
