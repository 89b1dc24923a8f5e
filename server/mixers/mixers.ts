import type {
  AudioMedia,
  LegControl,
  LegStatistics,
  MediaPorts,
  MixerEvent,
  MixerMethod,
  MixerParams,
  MixerResult,
  MixerStatistics,
  PlaybackPosition,
  RecordingPosition,
  RecordingResult,
  RecordingToStart,
  SoundToPlay,
} from '../../mixer/protocol.ts';
import { PROTOCOL_VERSION } from '../../mixer/protocol.ts';
import type { Log } from '../log.ts';
import { logPacketFault } from './log-packet-fault.ts';
import { MixerError, orGone } from './mixer-channel.ts';
import { type FleetKind, type Mixer, MixerFleet, type MixerFleetOptions } from './mixer-fleet.ts';
import { type PlacedRoom, PlacedRooms } from './placed-rooms.ts';
import { Playbacks } from './playbacks.ts';

/** What a leg needs for its next life. */
interface LegRecord {
  room: string;
  cname: string;
  control: LegControl;
  ports: MediaPorts;
  media: AudioMedia | null;
  /** As was told last. */
  talking: boolean;
}

/**
 * A mixer allocates little, so what V8 sets aside for new objects can be small (megabytes): of each caller's memory that
 * was half.
 */
const YOUNG_GENERATION = '--max-semi-space-size=1';
const UNHURRIED: ReadonlySet<MixerMethod> = new Set(['closeLeg', 'closeRoom']);

export interface MixersOptions extends Omit<MixerFleetOptions, 'employed' | 'died' | 'isOfUse' | 'kind'> {
  /** Path of a mixer's compiled `main.js`. */
  program: string;
  log: Log;
  /** Its recordings ended with the process; the files hold what was written until then. */
  recordingsLost(lost: { room: string; recording: string }[]): void;
}

/**
 * Rooms and legs on the mixer processes: places them, and gives a process that takes the place of a dead one its rooms
 * back, with the same ports, so that the callers notice a short gap and nothing else.
 */
export class Mixers {
  private readonly options: MixersOptions;
  private readonly fleet: MixerFleet;
  private readonly rooms: PlacedRooms<Mixer>;
  private readonly legs = new Map<string, LegRecord>();
  private readonly playbacks: Playbacks;

  constructor(options: MixersOptions) {
    const program = { path: options.program, flags: [YOUNG_GENERATION], niceness: 0, unhurried: UNHURRIED };
    const kind: FleetKind = { name: 'mixer', version: PROTOCOL_VERSION, program, reserve: true, required: true };
    this.options = options;
    this.fleet = new MixerFleet({
      ...{ ...options, kind },
      event: (event) => this.happened(event),
      employed: (mixer) => void this.refill(mixer),
    });
    this.rooms = new PlacedRooms({
      mixers: this.fleet.mixers,
      open: (mixer, room) => this.request(mixer, 'openRoom', { room }),
      close: (mixer, room) => this.request(mixer, 'closeRoom', { room }),
    });
    this.playbacks = new Playbacks({
      request: (mixer, method, params) => this.request(mixer, method, params),
      mixerFor: (to) => this.mixerFor(to),
      happened: (event) => this.happened(event),
    });
  }

  /** Settled when each process has greeted. */
  start(): Promise<void> {
    return this.fleet.start();
  }

  /** Processes that died and were replaced. */
  get restarts(): number {
    return this.fleet.restarts;
  }

  /** Busy share, 0–1, of the mixer that the room is in, or would be placed on; 0 when none is up. */
  loadFor(room: string): number {
    return (this.rooms.get(room)?.mixer ?? this.rooms.emptiest())?.load ?? 0;
  }

  async openLeg(
    room: string,
    leg: string,
    options: { cname: string; control: LegControl; media?: AudioMedia },
  ): Promise<MediaPorts> {
    const { mixer } = this.rooms.place(room);
    // Counted before it is there, so that the room is not closed under it.
    this.rooms.addLeg(room, leg);
    try {
      const ports = await this.request(mixer, 'openLeg', { room, leg, ...options });
      const { cname, control, media = null } = options;
      this.legs.set(leg, { room, cname, control, ports, media, talking: false });
      return ports;
    } catch (error) {
      this.rooms.removeLeg(room, leg);
      this.rooms.closeIfEmpty(room);
      throw error;
    }
  }

  async updateLeg(leg: string, media: AudioMedia): Promise<void> {
    const record = this.leg(leg);
    record.media = media;
    await this.requestOrRefill(record, 'updateLeg', { leg, media });
  }

  async controlLeg(leg: string, control: LegControl): Promise<void> {
    const record = this.leg(leg);
    record.control = control;
    await this.requestOrRefill(record, 'controlLeg', { leg, control });
  }

  async legStatistics(leg: string): Promise<LegStatistics> {
    return this.request(this.mixerFor({ leg }), 'legStatistics', { leg });
  }

  /** Null when the mixer is gone, and the counts with it. A room without legs and recordings is closed. */
  async closeLeg(leg: string): Promise<LegStatistics | null> {
    const record = this.legs.get(leg);
    if (!record) return null;
    this.legs.delete(leg);
    this.rooms.removeLeg(record.room, leg);
    const statistics = this.request(this.rooms.mixerOf(record.room), 'closeLeg', { leg }).catch(() => null);
    this.rooms.closeIfEmpty(record.room);
    return statistics;
  }

  /** See `startRecording` of the protocol. When the mixer dies over it, that is told by `recordingsLost` as well. */
  async startRecording(params: RecordingToStart): Promise<RecordingPosition> {
    const { room, recording } = params;
    this.placeToRecord(room);
    return this.rooms.startRecording(room, recording, (mixer) => this.request(mixer, 'startRecording', params));
  }

  private placeToRecord(room: string): void {
    try {
      this.rooms.place(room);
    } catch {
      // Of this one, no next life will tell.
      throw new MixerError('no-such-room', 'no mixer is up');
    }
  }

  /** See `controlRecording` of the protocol. */
  async controlRecording(room: string, recording: string, paused: boolean): Promise<RecordingPosition> {
    return this.request(this.rooms.recordingIn(room, recording), 'controlRecording', { recording, paused });
  }

  async stopRecording(room: string, recording: string): Promise<RecordingResult> {
    return this.rooms.stopRecording(room, recording, (mixer) => this.request(mixer, 'stopRecording', { recording }));
  }

  /**
   * Plays to a leg or to a room that is open. Settled when it is to be played; its end is told by `playbackEnded`, also
   * when the mixer dies; but what repeats is played again by its next life. Nothing is told of what was rejected.
   */
  playSound(sound: SoundToPlay): Promise<void> {
    return this.playbacks.play(sound);
  }

  /** See `controlSound` of the protocol. */
  controlSound(change: MixerParams<'controlSound'>): Promise<PlaybackPosition> {
    return this.playbacks.control(change);
  }

  /** Nothing happens if it has ended. */
  stopSound(playback: string): Promise<void> {
    return this.playbacks.stop(playback);
  }

  /**
   * To another room of the same mixer, as one is that is not open yet. `elsewhere`: the room is on another, which the leg
   * reaches only by an offer and answer with a leg that is opened there.
   */
  async moveLeg(leg: string, room: string): Promise<'moved' | 'elsewhere'> {
    const record = this.leg(leg);
    return this.rooms.move(leg, record, room, {
      tell: () => this.requestOrRefill(record, 'moveLeg', { leg, room }),
      roomNow: () => this.legs.get(leg)?.room,
    });
  }

  /** See `recordLeg` of the protocol. */
  async recordLeg(params: MixerParams<'recordLeg'>): Promise<MixerResult<'recordLeg'>> {
    return this.fleet.request(this.mixerFor(params), 'recordLeg', params, params.maxMs);
  }

  /** One entry a mixer; null for one that is being started again. */
  statistics(): Promise<(MixerStatistics | null)[]> {
    return Promise.all(this.fleet.mixers.map((mixer) => this.request(mixer, 'statistics', {}).catch(() => null)));
  }

  get ready(): boolean {
    return this.fleet.ready;
  }

  stop(): void {
    this.fleet.stop();
  }

  private happened(event: MixerEvent): void {
    if (event.event === 'packetFault') return logPacketFault(this.options.log, event);
    if (event.event === 'legLatched') {
      const media = this.legs.get(event.leg)?.media;
      if (media?.remote) {
        const rtcpPort = media.rtcpMux ? event.rtpPort : media.remote.rtcpPort;
        this.legs.get(event.leg)!.media = {
          ...media,
          remote: { address: event.address, rtpPort: event.rtpPort, rtcpPort },
        };
      }
    }
    if (event.event === 'legTalking') this.noteTalking(event.leg, event.talking);
    if (event.event === 'recordingFailed') this.rooms.recordingEnded(event.recording);
    if (event.event === 'playbackEnded') this.playbacks.ended(event.playback);
    this.options.event(event);
  }

  /** Gives a process that takes the place of a dead one the rooms that were there. */
  private async refill(mixer: Mixer): Promise<void> {
    const here = this.rooms.on(mixer);
    const lost = this.rooms.loseRecordings(mixer);
    const refilled = here.flatMap(([room, record]) => this.refillRoom(mixer, room, record));
    // Of those that were open for their recording alone.
    for (const [room] of here) this.rooms.closeIfEmpty(room);
    // Who waits for the end of one may hang up at once, which closes what must be open by then.
    this.playbacks.refill(mixer);
    const results = await Promise.allSettled(refilled);
    for (const result of results) {
      if (result.status === 'fulfilled') continue;
      this.options.log.error({ mixer: mixer.index, reason: String(result.reason) }, 'room not given back in full');
    }
    if (here.length > 0) this.options.log.info({ mixer: mixer.index, rooms: here.length }, 'mixer has its rooms back');
    if (lost.length > 0) this.options.recordingsLost(lost);
  }

  private refillRoom(mixer: Mixer, room: string, { legs }: PlacedRoom<Mixer>): Promise<unknown>[] {
    const requests: Promise<unknown>[] = [this.request(mixer, 'openRoom', { room })];
    for (const leg of legs) {
      const record = this.legs.get(leg);
      if (record?.room !== room) continue;
      const { cname, control, ports, media } = record;
      // Who talks on is told anew.
      if (record.talking) this.happened({ event: 'legTalking', leg, talking: false, levelDb: -127 });
      requests.push(this.request(mixer, 'openLeg', { room, leg, cname, control, ports, ...(media ? { media } : {}) }));
    }
    return requests;
  }

  private noteTalking(leg: string, talking: boolean): void {
    const record = this.legs.get(leg);
    if (record) record.talking = talking;
  }

  private mixerFor(where: { room: string } | { leg: string }): Mixer {
    return this.rooms.mixerOf('leg' in where ? this.leg(where.leg).room : where.room);
  }

  private leg(leg: string): LegRecord {
    const record = this.legs.get(leg);
    if (!record) throw new MixerError('no-such-leg', `leg ${leg} is not open`);
    return record;
  }

  /** For what is also kept here: when the mixer is gone, its next life gets it by the refill. */
  private async requestOrRefill<M extends MixerMethod>(
    record: LegRecord,
    method: M,
    params: MixerParams<M>,
  ): Promise<void> {
    await this.request(this.rooms.mixerOf(record.room), method, params).catch(orGone);
  }

  private request<M extends MixerMethod>(mixer: Mixer, method: M, params: MixerParams<M>): Promise<MixerResult<M>> {
    return this.fleet.request(mixer, method, params);
  }
}
