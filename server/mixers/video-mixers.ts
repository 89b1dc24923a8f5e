import type { MediaPorts } from '../../mixer/protocol.ts';
import type {
  StreamKey,
  VideoMedia,
  VideoMixerEvent,
  VideoMixerRequests,
  VideoMixerSettings,
  VideoMixerStatistics,
  VideoRecordingToStart,
  VideoScene,
  VideoStreamStatistics,
} from '../../mixer/video-protocol.ts';
import { VIDEO_PROTOCOL_VERSION } from '../../mixer/video-protocol.ts';
import { logPacketFault } from './log-packet-fault.ts';
import { MixerError, orGone } from './mixer-channel.ts';
import { type FleetKind, type Mixer, MixerFleet, type MixerFleetOptions } from './mixer-fleet.ts';
import { PlacedRooms } from './placed-rooms.ts';
import { type StreamRecord, StreamRecords, streamId } from './stream-records.ts';
import { ToldScenes } from './told-scenes.ts';

type VideoMixer = Mixer<VideoMixerRequests, VideoMixerEvent, VideoMixerSettings>;
type Method = keyof VideoMixerRequests;

/** Who has to share the machine with audio gives way to it. */
const NICENESS = 5;
const UNHURRIED: ReadonlySet<Method> = new Set(['closeStream', 'closeRoom']);
/** A picture is made within a tick or two, but the process may be busy encoding. */
const PICTURE_MS = 5000;

type Taken = 'employed' | 'died' | 'isOfUse' | 'kind';
export interface VideoMixersOptions
  extends Omit<MixerFleetOptions<VideoMixerRequests, VideoMixerEvent, VideoMixerSettings>, Taken> {
  /** Path of a video mixer's compiled `main.js`. */
  program: string;
  /** What the picture of a room is made of now. */
  sceneOf(room: string): VideoScene;
  /** They ended with the process; the files hold what was written until then. */
  recordingsLost(lost: { room: string; recording: string }[]): void;
}

/**
 * Rooms and streams on the video mixer processes: places them, tells their scenes, and gives a process that takes the place
 * of a dead one its rooms back, with the same ports. A room is open there as long as it has a stream or is recorded.
 */
export class VideoMixers {
  private readonly options: VideoMixersOptions;
  private readonly fleet: MixerFleet<VideoMixerRequests, VideoMixerEvent, VideoMixerSettings>;
  private readonly rooms: PlacedRooms<VideoMixer>;
  private readonly streams = new StreamRecords();
  private readonly opening = new Set<string>();
  private readonly scenes: ToldScenes;
  private engineMissing = false;

  constructor(options: VideoMixersOptions) {
    const program = { path: options.program, flags: [], niceness: NICENESS, unhurried: UNHURRIED };
    const kind: FleetKind = {
      ...{ name: 'video mixer', version: VIDEO_PROTOCOL_VERSION, program, reserve: false, required: false },
    };
    this.options = options;
    this.fleet = new MixerFleet<VideoMixerRequests, VideoMixerEvent, VideoMixerSettings>({
      ...{ ...options, kind },
      event: (event) => this.happened(event),
      employed: (mixer) => void this.refill(mixer),
      died: (mixer) => this.died(mixer),
      isOfUse: (native) => this.hasEngine(native),
    });
    this.scenes = new ToldScenes({
      timers: options.timers,
      sceneOf: options.sceneOf,
      // Without a process it is told when there is one again.
      isThere: (room) => this.rooms.get(room)?.mixer.running != null,
      tell: (room, scene) => this.request(this.rooms.mixerOf(room), 'updateRoom', { room, scene }),
    });
    this.rooms = new PlacedRooms({
      mixers: this.fleet.mixers,
      open: (mixer, room) => this.request(mixer, 'openRoom', { room, scene: this.scenes.opening(room) }),
      close: (mixer, room) => {
        this.scenes.forget(room);
        return this.request(mixer, 'closeRoom', { room });
      },
    });
  }

  /** Settled when each process has greeted, or could not be started: there is no video then until one can. */
  async start(): Promise<void> {
    await this.fleet.start();
  }

  /** Whether there is video at all; a mixer that is being started again counts as there. */
  get available(): boolean {
    return this.options.count > 0 && !this.engineMissing;
  }

  /** Whether a room that has no video yet could have some now. */
  get isUp(): boolean {
    return this.available && this.fleet.mixers.some(({ running }) => running !== null);
  }

  /** Processes that died and were replaced. */
  get restarts(): number {
    return this.fleet.restarts;
  }

  /** Whether the room has a picture: somebody in it has video, or it is recorded with video. */
  has(room: string): boolean {
    return this.rooms.get(room) !== undefined;
  }

  async openStream(
    room: string,
    key: StreamKey,
    { cname, media }: { cname: string; media?: VideoMedia },
  ): Promise<MediaPorts> {
    const id = streamId(key);
    // What is being opened is counted in its room, out of which the second one's failure must not take it.
    if (this.streams.has(key) || this.opening.has(id)) throw new MixerError('already-exists', `stream ${id} is open`);
    if (!this.available) throw new MixerError('mixer-gone', 'there is no video');
    const { mixer } = this.rooms.place(room);
    // Counted before it is there, so that the room is not closed under it.
    this.rooms.addLeg(room, id);
    this.opening.add(id);
    try {
      const ports = await this.request(mixer, 'openStream', { room, ...key, cname, ...(media ? { media } : {}) });
      this.streams.add({ key, cname, room, ports, media: media ?? null, seen: false });
      return ports;
    } catch (error) {
      this.rooms.removeLeg(room, id);
      this.rooms.closeIfEmpty(room);
      throw error;
    } finally {
      this.opening.delete(id);
    }
  }

  async updateStream(key: StreamKey, media: VideoMedia): Promise<void> {
    const record = this.streams.find(key);
    record.media = media;
    await this.requestOrRefill(record, 'updateStream', { ...key, media });
  }

  /**
   * To another room of the same mixer, as one is that is not open yet. `elsewhere`: the room is on another, which the
   * stream reaches only by an offer and answer with one that is opened there.
   */
  async moveStream(key: StreamKey, room: string): Promise<'moved' | 'elsewhere'> {
    const record = this.streams.find(key);
    return this.rooms.move(streamId(key), record, room, {
      tell: () => this.requestOrRefill(record, 'moveStream', { ...key, room }),
      roomNow: () => this.streams.get(key)?.room,
    });
  }

  /** Null when the mixer is gone, and the counts with it, or there is no such stream. */
  async closeStream(key: StreamKey): Promise<VideoStreamStatistics | null> {
    const record = this.streams.get(key);
    if (!record) return null;
    this.streams.delete(key);
    this.rooms.removeLeg(record.room, streamId(key));
    const statistics = this.request(this.rooms.mixerOf(record.room), 'closeStream', key).catch(() => null);
    this.rooms.closeIfEmpty(record.room);
    return statistics;
  }

  /** Null when the mixer cannot say, or there is no such stream. */
  async streamStatistics(key: StreamKey): Promise<VideoStreamStatistics | null> {
    const record = this.streams.get(key);
    if (!record) return null;
    return this.request(this.rooms.mixerOf(record.room), 'streamStatistics', key).catch(() => null);
  }

  /** Something in the room may look other than before: its mixer is told at the end of this turn, once, if it does. */
  sceneChanged(room: string): void {
    if (this.has(room)) this.scenes.mayHaveChanged(room);
  }

  /** They have asked for a key frame of ours in signalling. Nothing happens without such a stream. */
  sendKeyFrame({ leg, stream }: StreamKey): void {
    this.inform({ leg, stream }, 'sendKeyFrame', { leg, stream });
  }

  /** See `soundDelay` of the protocol. Nothing happens where the leg has no video. */
  soundDelay(leg: string, delayMs: number, senderNtpMs: number | null): void {
    this.inform({ leg, stream: 'main' }, 'soundDelay', { leg, delayMs, senderNtpMs });
  }

  /** What the room looks like now, as JPEG. Rejects with a `MixerError`; `no-such-room` where it has no picture. */
  async picture(room: string, width: number): Promise<Buffer> {
    const { jpeg } = await this.fleet.request(this.rooms.mixerOf(room), 'picture', { room, width }, PICTURE_MS);
    return Buffer.from(jpeg, 'base64');
  }

  /** When the mixer dies over it, that is told by `recordingsLost` as well. */
  async startRecording(params: VideoRecordingToStart): Promise<void> {
    const { room, recording } = params;
    if (!this.isUp) throw new MixerError('mixer-gone', 'there is no video');
    return this.rooms.startRecording(room, recording, async (mixer) => {
      await this.request(mixer, 'startRecording', params);
    });
  }

  /** See `controlRecording` of the protocol. */
  async controlRecording(room: string, params: VideoMixerRequests['controlRecording']['params']): Promise<void> {
    await this.request(this.rooms.recordingIn(room, params.recording), 'controlRecording', params);
  }

  async stopRecording(room: string, recording: string): Promise<{ bytes: number }> {
    return this.rooms.stopRecording(room, recording, (mixer) => this.request(mixer, 'stopRecording', { recording }));
  }

  /** One entry a mixer; null for one that is being started again. */
  statistics(): Promise<(VideoMixerStatistics | null)[]> {
    return Promise.all(this.fleet.mixers.map((mixer) => this.request(mixer, 'statistics', {}).catch(() => null)));
  }

  stop(): void {
    this.fleet.stop();
  }

  private hasEngine(native: readonly string[]): boolean {
    if (native.includes('engine')) return true;
    if (!this.engineMissing) {
      const how = 'npm install node-av adds it; PARLEY_VIDEO_MIXERS=0 says that none is wanted';
      this.options.log.warn({ how }, 'no video: the library that it needs is not installed');
    }
    this.engineMissing = true;
    return false;
  }

  private happened(event: VideoMixerEvent): void {
    if (event.event === 'packetFault') return logPacketFault(this.options.log, event);
    this.streams.happened(event);
    if (event.event === 'settingUnusable') {
      const { setting, reason } = event;
      this.options.log.warn({ setting, reason }, 'a setting of video cannot be used; another way is taken');
    }
    if (event.event === 'recordingFailed') this.rooms.recordingEnded(event.recording);
    this.options.event(event);
  }

  /** No pictures come from there for now. */
  private died(mixer: VideoMixer): void {
    for (const [room] of this.rooms.on(mixer)) {
      this.scenes.forget(room);
      for (const { key, seen } of this.streamsIn(room)) {
        if (seen) this.happened({ event: 'streamPicture', ...key, size: null });
      }
    }
  }

  /** Gives a process that takes the place of a dead one the rooms that were there. */
  private async refill(mixer: VideoMixer): Promise<void> {
    const here = this.rooms.on(mixer);
    const lost = this.rooms.loseRecordings(mixer);
    const refilled = here.flatMap(([room]) => this.refillRoom(mixer, room));
    for (const [room] of here) this.rooms.closeIfEmpty(room);
    for (const result of await Promise.allSettled(refilled)) {
      if (result.status === 'fulfilled') continue;
      this.options.log.error({ mixer: mixer.index, reason: String(result.reason) }, 'video not given back in full');
    }
    if (here.length > 0) {
      this.options.log.info({ mixer: mixer.index, rooms: here.length }, 'video mixer has its rooms back');
    }
    if (lost.length > 0) this.options.recordingsLost(lost);
  }

  private refillRoom(mixer: VideoMixer, room: string): Promise<unknown>[] {
    const requests: Promise<unknown>[] = [this.request(mixer, 'openRoom', { room, scene: this.scenes.opening(room) })];
    for (const { key, cname, ports, media } of this.streamsIn(room)) {
      requests.push(this.request(mixer, 'openStream', { room, ...key, cname, ports, ...(media ? { media } : {}) }));
    }
    return requests;
  }

  private streamsIn(room: string): StreamRecord[] {
    return this.streams.inRoom(room, this.rooms.get(room)?.legs ?? []);
  }

  /** What the next life of a mixer need not know. */
  private inform<M extends Method>(key: StreamKey, method: M, params: VideoMixerRequests[M]['params']): void {
    const record = this.streams.get(key);
    if (!record) return;
    this.request(this.rooms.mixerOf(record.room), method, params).catch((error: unknown) => {
      this.options.log.debug({ ...key, reason: String(error) }, `${method} was not carried out`);
    });
  }

  /** For what is also kept here: when the mixer is gone, its next life gets it by the refill. */
  private async requestOrRefill<M extends Method>(
    record: StreamRecord,
    method: M,
    params: VideoMixerRequests[M]['params'],
  ): Promise<void> {
    await this.request(this.rooms.mixerOf(record.room), method, params).catch(orGone);
  }

  private request<M extends Method>(
    mixer: VideoMixer,
    method: M,
    params: VideoMixerRequests[M]['params'],
  ): Promise<VideoMixerRequests[M]['result']> {
    return this.fleet.request(mixer, method, params);
  }
}
