import { KEY_BYTES } from '../sealed/sealed-format.ts';
import { Leg } from './leg.ts';
import { LoadControl } from './load-control.ts';
import { MixerFailure } from './mixer-failure.ts';
import { guarded, type PacketFault } from './net/guarded-handler.ts';
import { PacketBuffers } from './net/packet-buffers.ts';
import { PortBinder } from './net/port-binder.ts';
import { usesSystemCalls } from './net/udp-socket.ts';
import { Playbacks } from './playback/playbacks.ts';
import { recordVoice } from './playback/record-voice.ts';
import type {
  FromMixer,
  MixerEvent,
  MixerMethod,
  MixerParams,
  MixerResult,
  MixerSettings,
  MixerStatistics,
  RecordingPosition,
  RecordingToStart,
} from './protocol.ts';
import { meanQuality } from './quality/mean-quality.ts';
import { Room } from './room.ts';
import { RoomClock } from './room-clock.ts';
import { RoomRecording } from './room-recording.ts';
import { TickLoad, TickTimes } from './tick-load.ts';

/** Weight of the last second in the load: one that is busy, as when code is first compiled, turns nobody away. */
const LOAD_SMOOTHING = 0.3;

export interface MixerRim {
  send(message: FromMixer): void;
  /** Monotonic, milliseconds. */
  now(): number;
  /** The same at another zero: that of `process.hrtime`, which all processes of the machine have in common. */
  machineNow(): number;
  /** Since 1970, milliseconds. */
  wallClock(): number;
  /** Busy share of the time since the last call, 0–1. */
  utilization(): number;
  /** There is a room again: `run` must be called. */
  wake(): void;
}

type Handlers = { [M in MixerMethod]: (params: MixerParams<M>) => MixerResult<M> | Promise<MixerResult<M>> };

interface LegPlace {
  leg: Leg;
  room: Room;
}

interface RecordingPlace {
  recording: RoomRecording;
  room: Room;
}

/** All rooms and legs of one process, and the requests about them. */
export class Mixer {
  private readonly settings: MixerSettings;
  private readonly rim: MixerRim;
  private readonly ports: PortBinder;
  /** Where the kernel takes packets at once, one after the other is made in the same memory, which so stays in the cache. */
  private readonly buffers = new PacketBuffers(usesSystemCalls ? 1 : undefined);
  private readonly clock = new RoomClock();
  private readonly load = new TickLoad();
  private readonly tickTimes = new TickTimes();
  private readonly rooms = new Map<string, Room>();
  private readonly legs = new Map<string, LegPlace>();
  /** Of legs whose ports are still being bound. */
  private readonly opening = new Set<string>();
  private readonly recordings = new Map<string, RecordingPlace>();
  private readonly playbacks = new Playbacks((playback, reason, detail) =>
    this.tell({ event: 'playbackEnded', playback, reason, ...(detail === undefined ? {} : { detail }) }),
  );
  private readonly loadControl: LoadControl;
  /** By ticks or by all that the process does, whichever is more; smoothed over some seconds. */
  private lastLoad = 0;
  private readonly counts = { encodes: 0, encodesUnshared: 0, decodes: 0 };

  constructor(settings: MixerSettings, rim: MixerRim) {
    this.settings = settings;
    this.rim = rim;
    this.loadControl = new LoadControl(settings.opusComplexity);
    this.ports = new PortBinder(settings, rim.now);
  }

  /** Does what is due; returns when to be called again, null when there is no room. */
  run(nowMs: number): number | null {
    const ticksBefore = this.clock.ticks;
    const nextMs = this.clock.run(nowMs);
    const doneMs = this.rim.now();
    if (this.clock.ticks > ticksBefore) this.tickTimes.add(doneMs - nowMs);
    if (this.load.worked(nowMs, doneMs)) this.measureLoad();
    return nextMs;
  }

  /** Once a second, while there are rooms. */
  private measureLoad(): void {
    // Packets are taken in between the ticks: a process can be busy with nothing but them.
    const load = Math.max(this.load.lastShare, this.rim.utilization());
    this.tellLoad(this.lastLoad + (load - this.lastLoad) * LOAD_SMOOTHING);
    this.loadControl.measured(this.lastLoad);
  }

  private tellLoad(load: number): void {
    this.lastLoad = load;
    this.tell({ event: 'load', load, tickLoad: this.load.lastShare, lateTicks: this.clock.lateTicks });
  }

  request(id: number, method: MixerMethod, params: MixerParams<MixerMethod>): void {
    this.answer(id, method, params).catch((error: unknown) => {
      const code = error instanceof MixerFailure ? error.code : 'internal';
      this.rim.send({ type: 'error', id, code, message: error instanceof Error ? error.message : String(error) });
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.recordings.keys()].map((recording) => this.endRecording(recording)?.finish()));
    for (const { leg } of this.legs.values()) leg.close();
  }

  private async answer(id: number, method: MixerMethod, params: MixerParams<MixerMethod>): Promise<void> {
    const handler = this.handlers[method] as (
      params: unknown,
    ) => MixerResult<MixerMethod> | Promise<MixerResult<MixerMethod>>;
    if (!handler) throw new MixerFailure('bad-request', `there is no ${method}`);
    this.rim.send({ type: 'reply', id, result: await handler(params) });
  }

  private readonly handlers: Handlers = {
    openRoom: ({ room }) => {
      if (this.rooms.has(room)) throw new MixerFailure('already-exists', `room ${room} is open`);
      const opened = new Room(room, this.counts, this.settings);
      this.rooms.set(room, opened);
      this.clock.add(opened, this.rim.now());
      this.rim.wake();
      return {};
    },

    closeRoom: ({ room }) => {
      const closing = this.room(room);
      // Not waited for: a disk that hangs must not keep a room open.
      for (const [recording, entry] of this.recordings) {
        if (entry.room === closing) void this.endRecording(recording)?.finish();
      }
      for (const [leg, entry] of this.legs) if (entry.room === closing) this.handlers.closeLeg({ leg });
      closing.close();
      this.clock.remove(closing);
      this.rooms.delete(room);
      if (this.rooms.size === 0) this.tellLoad(0);
      return {};
    },

    openLeg: async (params) => {
      const room = this.room(params.room);
      if (this.legs.has(params.leg) || this.opening.has(params.leg)) {
        throw new MixerFailure('already-exists', `leg ${params.leg} is open`);
      }
      const leg = new Leg({
        id: params.leg,
        cname: params.cname,
        control: params.control,
        room,
        settings: this.settings,
        complexityLimit: this.loadControl,
        buffers: this.buffers,
        counts: this.counts,
        now: this.rim.now,
        wallClock: this.rim.wallClock,
        event: this.tell,
      });
      this.opening.add(params.leg);
      const fault = (fault: PacketFault): void => this.tell({ event: 'packetFault', leg: params.leg, ...fault });
      const sockets = await this.ports
        .bind(guarded(leg.receivedRtp, fault), guarded(leg.receivedRtcp, fault), params.ports?.rtpPort)
        .finally(() => this.opening.delete(params.leg));
      if (this.rooms.get(params.room) !== room) {
        this.ports.release(sockets);
        throw new MixerFailure('no-such-room', `room ${params.room} was closed meanwhile`);
      }
      leg.open(sockets);
      room.add(leg);
      this.legs.set(params.leg, { leg, room });
      try {
        if (params.media) leg.update(params.media);
      } catch (error) {
        this.handlers.closeLeg({ leg: params.leg });
        throw error;
      }
      return { rtpPort: sockets.rtpPort, rtcpPort: sockets.rtcpPort };
    },

    updateLeg: ({ leg, media }) => {
      this.leg(leg).leg.update(media);
      return {};
    },

    controlLeg: ({ leg, control }) => {
      this.leg(leg).leg.control(control);
      return {};
    },

    legStatistics: ({ leg }) => this.leg(leg).leg.statistics(),

    closeLeg: ({ leg: id }) => {
      const { leg, room } = this.leg(id);
      this.legs.delete(id);
      room.remove(leg);
      // Closing takes the jitter buffer, and its counts with it.
      const statistics = leg.statistics();
      this.ports.release(leg.close());
      return statistics;
    },

    startRecording: (params) => this.startRecording(params),

    controlRecording: ({ recording: id, paused }) => this.controlRecording(id, paused),

    stopRecording: async ({ recording: id }) => {
      const recording = this.endRecording(id);
      if (!recording) throw new MixerFailure('no-such-recording', `recording ${id} is not running`);
      const result = await recording.finish();
      if (recording.failure !== null) throw new MixerFailure('cannot-write', recording.failure);
      return result;
    },

    playSound: async (sound) => {
      const queue = 'leg' in sound.to ? this.leg(sound.to.leg).leg : this.room(sound.to.room);
      await this.playbacks.play(sound, (playback) => queue.play(playback));
      return {};
    },

    controlSound: (change) => this.playbacks.control(change),

    stopSound: ({ playback }) => {
      this.playbacks.stop(playback);
      return {};
    },

    moveLeg: async ({ leg, room }) => {
      const entry = this.leg(leg);
      if (entry.room !== this.room(room)) await this.move(leg, entry, room);
      return {};
    },

    recordLeg: (params) => recordVoice(this.leg(params.leg).leg, params),

    statistics: () => this.statistics(),
  };

  /** When its room's next tick is over, in which it fades out. */
  private move(id: string, entry: LegPlace, to: string): Promise<void> {
    entry.leg.depart();
    return new Promise((resolve, reject) => {
      entry.room.afterTick(() => {
        const room = this.rooms.get(to);
        if (this.legs.get(id) !== entry) {
          return reject(new MixerFailure('no-such-leg', `leg ${id} was closed meanwhile`));
        }
        entry.leg.arrive();
        if (!room) return reject(new MixerFailure('no-such-room', `room ${to} was closed meanwhile`));
        entry.room.remove(entry.leg);
        entry.leg.moveTo(room);
        room.add(entry.leg);
        entry.room = room;
        resolve();
      });
    });
  }

  private statistics(): MixerStatistics {
    const { user, system } = process.cpuUsage();
    return {
      rooms: this.rooms.size,
      legs: this.legs.size,
      sockets: this.legs.size * 2,
      ...this.ports.statistics,
      ticks: this.clock.ticks,
      lateTicks: this.clock.lateTicks,
      tickTimes: this.tickTimes.snapshot(),
      // Without rooms nothing ticks, and what was last measured is long past.
      tickLoad: this.rooms.size === 0 ? 0 : this.load.lastShare,
      load: this.lastLoad,
      opusComplexity: this.loadControl.complexity,
      ...this.counts,
      recordings: this.recordings.size,
      quality: meanQuality([...this.legs.values()].map(({ leg }) => leg)),
      memoryBytes: process.memoryUsage.rss(),
      cpuMs: (user + system) / 1000,
    };
  }

  private async startRecording(params: RecordingToStart): Promise<RecordingPosition> {
    const { room: name, recording: id, key, paused } = params;
    const room = this.room(name);
    if (this.recordings.has(id)) throw new MixerFailure('already-exists', `recording ${id} is running`);
    const recording = new RoomRecording({
      ...{ room, directory: params.directory, part: params.part, tracks: params.tracks, paused },
      key: key === null ? null : recordingKey(key),
      startedAt: new Date(this.rim.wallClock()),
      failed: (reason) => void this.recordingFailed(id, reason),
    });
    const entry = { recording, room };
    this.recordings.set(id, entry);
    try {
      await recording.open();
    } catch (error) {
      this.recordings.delete(id);
      throw new MixerFailure('cannot-write', error instanceof Error ? error.message : String(error));
    }
    if (this.recordings.get(id) !== entry) throw new MixerFailure('no-such-room', `room ${name} was closed meanwhile`);
    recording.begin();
    if (!paused) await new Promise<void>((resolve) => room.afterTick(resolve));
    return this.whereIs(recording);
  }

  private async controlRecording(id: string, paused: boolean): Promise<RecordingPosition> {
    const entry = this.recordings.get(id);
    if (!entry) throw new MixerFailure('no-such-recording', `recording ${id} is not running`);
    const { recording, room } = entry;
    if (recording.pause(paused) && !paused) await new Promise<void>((resolve) => room.afterTick(resolve));
    return this.whereIs(recording);
  }

  private whereIs({ positionMs, originMs }: RoomRecording): RecordingPosition {
    const machineMs = this.rim.machineNow() - this.rim.now();
    return { positionMs, originMs: originMs === null ? null : originMs + machineMs };
  }

  private async recordingFailed(id: string, reason: string): Promise<void> {
    const entry = this.recordings.get(id);
    if (!entry) return;
    this.recordings.delete(id);
    await entry.recording.endFailed();
    takeOut(entry);
    this.tell({ event: 'recordingFailed', recording: id, reason });
  }

  private endRecording(id: string): RoomRecording | null {
    const entry = this.recordings.get(id);
    if (!entry) return null;
    this.recordings.delete(id);
    takeOut(entry);
    return entry.recording;
  }

  private readonly tell = (event: MixerEvent): void => this.rim.send({ type: 'event', ...event });

  private room(id: string): Room {
    const room = this.rooms.get(id);
    if (!room) throw new MixerFailure('no-such-room', `room ${id} is not open`);
    return room;
  }

  private leg(id: string): { leg: Leg; room: Room } {
    const entry = this.legs.get(id);
    if (!entry) throw new MixerFailure('no-such-leg', `leg ${id} is not open`);
    return entry;
  }
}

function takeOut({ recording, room }: RecordingPlace): void {
  const index = room.recordings.indexOf(recording);
  if (index >= 0) room.recordings.splice(index, 1);
}

/** Never says what the key is. */
function recordingKey(base64: string): Uint8Array {
  const key = Buffer.from(base64, 'base64');
  if (key.length !== KEY_BYTES) throw new MixerFailure('bad-request', `a recording's key is ${KEY_BYTES} octets`);
  return key;
}
