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
    this.options.event(event);
  }

  /** Gives a process that takes the place of a dead one the rooms that were there. */
  private async refill(mixer: Mixer): Promise<void> {
    const here = [...this.rooms].filter(([, record]) => record.mixer === mixer);
    const lost = here.flatMap(([room, { recordings }]) => [...recordings].map((recording) => ({ room, recording })));
    for (const [, { recordings }] of here) recordings.clear();
    const results = await Promise.allSettled(here.flatMap(([room, record]) => this.refillRoom(mixer, room, record)));
    for (const result of results) {
      if (result.status === 'fulfilled') continue;
      this.options.log.error({ mixer: mixer.index, reason: String(result.reason) }, 'room not given back in full');
    }
    if (here.length > 0) this.options.log.info({ mixer: mixer.index, rooms: here.length }, 'mixer has its rooms back');
    if (lost.length > 0) this.options.recordingsLost(lost);
  }

  private refillRoom(mixer: Mixer, room: string, { legs }: RoomRecord): Promise<unknown>[] {
    const requests: Promise<unknown>[] = [this.request(mixer, 'openRoom', { room })];
    for (const leg of legs) {
      const record = this.legs.get(leg);
      if (!record) continue;
      const { cname, control, ports, media } = record;
      requests.push(this.request(mixer, 'openLeg', { room, leg, cname, control, ports, ...(media ? { media } : {}) }));
    }
    return requests;
  }

  /** Who places something there must count it at once, as a room without anything is closed. */
  private place(room: string): RoomRecord {
    const there = this.rooms.get(room);
    if (there) return there;
    const mixer = this.leastBusy();
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
    await this.request(this.rooms.get(record.room)!.mixer, method, params).catch((error: unknown) => {
      if (!(error instanceof MixerError && error.code === 'mixer-gone')) throw error;
    });
  }

  private request<M extends MixerMethod>(mixer: Mixer, method: M, params: MixerParams<M>): Promise<MixerResult<M>> {
    return this.fleet.request(mixer, method, params);
  }
}
