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
  RecordingResult,
  SoundToPlay,
} from '../../mixer/protocol.ts';
import type { Log } from '../log.ts';
import { MixerError } from './mixer-channel.ts';
import { type Mixer, MixerFleet, type MixerFleetOptions } from './mixer-fleet.ts';

/** What a leg needs for its next life. */
interface LegRecord {
  room: string;
  cname: string;
  control: LegControl;
  ports: MediaPorts;
  media: AudioMedia | null;
}

interface PlaybackRecord {
  mixer: Mixer;
  /** The mixer has taken it, and so its end is told. */
  started: boolean;
}

interface RoomRecord {
  mixer: Mixer;
  legs: Set<string>;
  recordings: Set<string>;
}

export interface MixersOptions extends Omit<MixerFleetOptions, 'employed'> {
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
  private readonly rooms = new Map<string, RoomRecord>();
  private readonly legs = new Map<string, LegRecord>();
  private readonly playbacks = new Map<string, PlaybackRecord>();

  constructor(options: MixersOptions) {
    this.options = options;
    this.fleet = new MixerFleet({
      ...options,
      event: (event) => this.happened(event),
      employed: (mixer) => void this.refill(mixer),
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
    return (this.rooms.get(room)?.mixer ?? this.leastBusy())?.load ?? 0;
  }

  async openLeg(
    room: string,
    leg: string,
    options: { cname: string; control: LegControl; media?: AudioMedia },
  ): Promise<MediaPorts> {
    const record = this.place(room);
    // Counted before it is there, so that the room is not closed under it.
    record.legs.add(leg);
    try {
      const ports = await this.request(record.mixer, 'openLeg', { room, leg, ...options });
      this.legs.set(leg, { room, cname: options.cname, control: options.control, ports, media: options.media ?? null });
      return ports;
    } catch (error) {
      record.legs.delete(leg);
      this.closeIfEmpty(room);
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

  legStatistics(leg: string): Promise<LegStatistics> {
    return this.request(this.rooms.get(this.leg(leg).room)!.mixer, 'legStatistics', { leg });
  }

  /** Null when the mixer is gone, and the counts with it. A room without legs and recordings is closed. */
  async closeLeg(leg: string): Promise<LegStatistics | null> {
    const record = this.legs.get(leg);
    if (!record) return null;
    this.legs.delete(leg);
    const room = this.rooms.get(record.room)!;
    room.legs.delete(leg);
    const statistics = this.request(room.mixer, 'closeLeg', { leg }).catch(() => null);
    this.closeIfEmpty(record.room);
    return statistics;
  }

  async startRecording(room: string, recording: string, path: string): Promise<void> {
    const record = this.place(room);
    record.recordings.add(recording);
    try {
      await this.request(record.mixer, 'startRecording', { room, recording, path });
    } catch (error) {
      record.recordings.delete(recording);
      this.closeIfEmpty(room);
      throw error;
    }
  }

  async stopRecording(room: string, recording: string): Promise<RecordingResult> {
    const record = this.rooms.get(room);
    if (!record?.recordings.delete(recording)) throw new MixerError('no-such-recording', 'it is not being recorded');
    try {
      return await this.request(record.mixer, 'stopRecording', { recording });
    } finally {
      this.closeIfEmpty(room);
    }
  }

  /**
   * Plays to a leg or to a room that is open. Settled when it is to be played; its end is told by `playbackEnded`, also
   * when the mixer dies. Nothing is told of what was rejected.
   */
  async playSound(sound: SoundToPlay): Promise<void> {
    const { playback } = sound;
    if (this.playbacks.has(playback)) throw new MixerError('already-exists', `playback ${playback} is there`);
    const record: PlaybackRecord = { mixer: this.mixerFor(sound.to), started: false };
    this.playbacks.set(playback, record);
    try {
      await this.request(record.mixer, 'playSound', sound);
      record.started = true;
    } catch (error) {
      this.playbacks.delete(playback);
      throw error;
    }
  }

  /** Nothing happens if it has ended. */
  async stopSound(playback: string): Promise<void> {
    const record = this.playbacks.get(playback);
    if (record) await this.request(record.mixer, 'stopSound', { playback }).catch(orGone);
  }

  /**
   * To another room of the same mixer, as one is that is not open yet. `elsewhere`: the room is on another, which the leg
   * reaches only by an offer and answer with a leg that is opened there.
   */
  async moveLeg(leg: string, room: string): Promise<'moved' | 'elsewhere'> {
    const record = this.leg(leg);
    const before = record.room;
    if (room === before) return 'moved';
    const { mixer } = this.rooms.get(before)!;
    const target = this.place(room, mixer);
    if (target.mixer !== mixer) return 'elsewhere';
    // Counted in both as long as it may be in either, so that none is closed under it.
    target.legs.add(leg);
    record.room = room;
    try {
      await this.requestOrRefill(record, 'moveLeg', { leg, room });
    } catch (error) {
      if (record.room === room && this.legs.get(leg) === record) record.room = before;
      throw error;
    } finally {
      for (const name of [before, room]) {
        if (this.legs.get(leg)?.room === name) continue;
        this.rooms.get(name)?.legs.delete(leg);
        this.closeIfEmpty(name);
      }
    }
    return 'moved';
  }

  /** See `recordLeg` of the protocol. */
  recordLeg(params: MixerParams<'recordLeg'>): Promise<MixerResult<'recordLeg'>> {
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
    if (event.event === 'recordingFailed') {
      for (const room of this.rooms.values()) room.recordings.delete(event.recording);
    }
    if (event.event === 'playbackEnded') this.playbacks.delete(event.playback);
    this.options.event(event);
  }

  /** Gives a process that takes the place of a dead one the rooms that were there. */
  private async refill(mixer: Mixer): Promise<void> {
    const here = [...this.rooms].filter(([, record]) => record.mixer === mixer);
    const lost = here.flatMap(([room, { recordings }]) => [...recordings].map((recording) => ({ room, recording })));
    for (const [, { recordings }] of here) recordings.clear();
    const refilled = here.flatMap(([room, record]) => this.refillRoom(mixer, room, record));
    // Who waits for the end of one may hang up at once, which closes what must be open by then.
    this.endPlaybacks(mixer);
    const results = await Promise.allSettled(refilled);
    for (const result of results) {
      if (result.status === 'fulfilled') continue;
      this.options.log.error({ mixer: mixer.index, reason: String(result.reason) }, 'room not given back in full');
    }
    if (here.length > 0) this.options.log.info({ mixer: mixer.index, rooms: here.length }, 'mixer has its rooms back');
    if (lost.length > 0) this.options.recordingsLost(lost);
  }

  private endPlaybacks(mixer: Mixer): void {
    for (const [playback, record] of this.playbacks) {
      if (record.mixer !== mixer || !record.started) continue;
      this.happened({ event: 'playbackEnded', playback, reason: 'failed', detail: 'the mixer died' });
    }
  }

  private refillRoom(mixer: Mixer, room: string, { legs }: RoomRecord): Promise<unknown>[] {
    const requests: Promise<unknown>[] = [this.request(mixer, 'openRoom', { room })];
    for (const leg of legs) {
      const record = this.legs.get(leg);
      if (record?.room !== room) continue;
      const { cname, control, ports, media } = record;
      requests.push(this.request(mixer, 'openLeg', { room, leg, cname, control, ports, ...(media ? { media } : {}) }));
    }
    return requests;
  }

  /** Who places something there must count it at once, as a room without anything is closed. A new one is put `beside`. */
  private place(room: string, beside?: Mixer): RoomRecord {
    const there = this.rooms.get(room);
    if (there) return there;
    const mixer = beside ?? this.leastBusy();
    if (!mixer) throw new MixerError('mixer-gone', 'no mixer is up');
    const record: RoomRecord = { mixer, legs: new Set(), recordings: new Set() };
    this.rooms.set(room, record);
    // Not waited for: the channel keeps the order, so what follows finds the room open, or fails as this did.
    this.request(mixer, 'openRoom', { room }).catch(() => undefined);
    return record;
  }

  private leastBusy(): Mixer | undefined {
    const legs = new Map(this.fleet.mixers.filter((mixer) => mixer.running).map((mixer) => [mixer, 0]));
    for (const { mixer, legs: here } of this.rooms.values()) {
      const before = legs.get(mixer);
      if (before !== undefined) legs.set(mixer, before + here.size);
    }
    return [...legs].sort(([, one], [, other]) => one - other)[0]?.[0];
  }

  private closeIfEmpty(room: string): void {
    const record = this.rooms.get(room);
    if (!record || record.legs.size > 0 || record.recordings.size > 0) return;
    this.rooms.delete(room);
    this.request(record.mixer, 'closeRoom', { room }).catch(() => undefined);
  }

  private mixerFor(where: { room: string } | { leg: string }): Mixer {
    const name = 'leg' in where ? this.leg(where.leg).room : where.room;
    const room = this.rooms.get(name);
    if (!room) throw new MixerError('no-such-room', `room ${name} is not open`);
    return room.mixer;
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
    await this.request(this.rooms.get(record.room)!.mixer, method, params).catch(orGone);
  }

  private request<M extends MixerMethod>(mixer: Mixer, method: M, params: MixerParams<M>): Promise<MixerResult<M>> {
    return this.fleet.request(mixer, method, params);
  }
}

/** For what a dead mixer cannot do, and its next life need not. */
function orGone(error: unknown): void {
  if (!(error instanceof MixerError && error.code === 'mixer-gone')) throw error;
}
