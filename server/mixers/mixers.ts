import type {
  AudioMedia,
  LegControl,
  LegStatistics,
  MediaPorts,
  MixerEvent,
  MixerMethod,
  MixerParams,
  MixerResult,
  MixerSettings,
  MixerStatistics,
  RecordingResult,
} from '../../mixer/protocol.ts';
import type { Log } from '../log.ts';
import type { Timers } from '../timers.ts';
import { MixerChannel, MixerError } from './mixer-channel.ts';
import { MixerProcess } from './mixer-process.ts';

/** A dead mixer is started again at once; one that keeps dying this soon after its start, after a pause. */
const QUICK_DEATH_MS = 2000;
const QUICK_DEATH_DELAY_MS = 1000;

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

interface Mixer {
  readonly index: number;
  process: MixerProcess | null;
  channel: MixerChannel | null;
  startedMs: number;
  quickDeaths: number;
  /** Callers on it, for placing rooms. */
  legs: number;
}

export interface MixersOptions {
  count: number;
  program: string;
  settings: Omit<MixerSettings, 'rtpPortMin' | 'rtpPortMax'>;
  rtpPortMin: number;
  rtpPortMax: number;
  timers: Timers;
  log: Log;
  event(event: MixerEvent): void;
  /** Its recordings ended with the process; the files hold what was written until then. */
  recordingsLost(lost: { room: string; recording: string }[]): void;
}

/**
 * The mixer processes: places rooms on them, starts one again that died, and gives it its rooms back, with the same ports,
 * so that the callers notice a gap and nothing else.
 */
export class Mixers {
  restarts = 0;
  private readonly options: MixersOptions;
  private readonly mixers: Mixer[] = [];
  private readonly rooms = new Map<string, RoomRecord>();
  private readonly legs = new Map<string, LegRecord>();
  private stopping = false;

  constructor(options: MixersOptions) {
    this.options = options;
  }

  /** Starts all processes; settled when each has greeted. */
  async start(): Promise<void> {
    const starting: Promise<void>[] = [];
    for (let index = 0; index < this.options.count; index++) {
      const mixer: Mixer = { index, process: null, channel: null, startedMs: 0, quickDeaths: 0, legs: 0 };
      this.mixers.push(mixer);
      starting.push(new Promise((resolve, reject) => this.launch(mixer, resolve, reject)));
    }
    await Promise.all(starting);
  }

  async openLeg(
    room: string,
    leg: string,
    options: { cname: string; control: LegControl; media?: AudioMedia },
  ): Promise<MediaPorts> {
    const record = await this.place(room);
    // Counted before it is there, so that the room is not closed under it.
    record.legs.add(leg);
    record.mixer.legs++;
    try {
      const ports = await this.request(record.mixer, 'openLeg', { room, leg, ...options });
      this.legs.set(leg, { room, cname: options.cname, control: options.control, ports, media: options.media ?? null });
      return ports;
    } catch (error) {
      record.legs.delete(leg);
      record.mixer.legs--;
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
    room.mixer.legs--;
    const statistics = await this.request(room.mixer, 'closeLeg', { leg }).catch(() => null);
    this.closeIfEmpty(record.room);
    return statistics;
  }

  async startRecording(room: string, recording: string, path: string): Promise<void> {
    const record = await this.place(room);
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
    return Promise.all(this.mixers.map((mixer) => this.request(mixer, 'statistics', {}).catch(() => null)));
  }

  get ready(): boolean {
    return this.mixers.every((mixer) => mixer.channel !== null);
  }

  stop(): void {
    this.stopping = true;
    for (const mixer of this.mixers) mixer.process?.disconnect();
  }

  private launch(mixer: Mixer, ready?: () => void, failed?: (error: Error) => void): void {
    const { log, timers } = this.options;
    mixer.startedMs = timers.now();
    const process = new MixerProcess({
      program: this.options.program,
      received: (message) => channel.received(message),
      exited: (reason) => {
        channel.closed(reason);
        failed?.(new Error(`mixer ${mixer.index}: ${reason}`));
        this.died(mixer, reason);
      },
    });
    const channel = new MixerChannel({
      timers,
      settings: this.settingsOf(mixer.index),
      send: (message) => process.send(message),
      event: (event) => this.happened(event),
      failed: (reason) => {
        log.error({ mixer: mixer.index, reason }, 'mixer failed');
        process.kill();
      },
      ready: (pid) => {
        mixer.channel = channel;
        log.info({ mixer: mixer.index, pid, startMs: Math.round(timers.now() - mixer.startedMs) }, 'mixer started');
        void this.refill(mixer);
        ready?.();
      },
    });
    mixer.process = process;
  }

  /** Each process has its own part of the port range, so that it can bind without asking. */
  private settingsOf(index: number): MixerSettings {
    const { rtpPortMin, rtpPortMax, count, settings } = this.options;
    const pairs = Math.floor((rtpPortMax - rtpPortMin + 1) / 2 / count);
    const min = rtpPortMin + index * pairs * 2;
    return { ...settings, rtpPortMin: min, rtpPortMax: min + pairs * 2 - 1 };
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

  private died(mixer: Mixer, reason: string): void {
    mixer.channel = null;
    mixer.process = null;
    if (this.stopping) return;
    this.restarts++;
    const { log, timers } = this.options;
    mixer.quickDeaths = timers.now() - mixer.startedMs < QUICK_DEATH_MS ? mixer.quickDeaths + 1 : 0;
    const delayMs = mixer.quickDeaths > 1 ? QUICK_DEATH_DELAY_MS : 0;
    log.error({ mixer: mixer.index, reason, legs: mixer.legs, delayMs }, 'mixer died; starting it again');
    const lost: { room: string; recording: string }[] = [];
    for (const [room, record] of this.rooms) {
      if (record.mixer !== mixer) continue;
      for (const recording of record.recordings) lost.push({ room, recording });
      record.recordings.clear();
    }
    timers.set(delayMs, () => {
      if (!this.stopping) this.launch(mixer);
    });
    if (lost.length > 0) this.options.recordingsLost(lost);
  }

  /** Gives a new process the rooms that it had: same ports, same addresses, same mutes. */
  private async refill(mixer: Mixer): Promise<void> {
    for (const [room, record] of this.rooms) {
      if (record.mixer !== mixer) continue;
      const opened = [this.request(mixer, 'openRoom', { room })] as Promise<unknown>[];
      for (const leg of record.legs) {
        const known = this.legs.get(leg);
        if (!known) continue;
        const { cname, control, ports, media } = known;
        opened.push(this.request(mixer, 'openLeg', { room, leg, cname, control, ports, ...(media ? { media } : {}) }));
      }
      for (const result of await Promise.allSettled(opened)) {
        if (result.status === 'rejected') {
          this.options.log.error(
            { mixer: mixer.index, room, reason: String(result.reason) },
            'room not given back in full',
          );
        }
      }
    }
  }

  private async place(room: string): Promise<RoomRecord> {
    const there = this.rooms.get(room);
    if (there) return there;
    const alive = this.mixers.filter((mixer) => mixer.channel);
    const mixer = alive.sort((one, other) => one.legs - other.legs || one.index - other.index)[0];
    if (!mixer) throw new MixerError('mixer-gone', 'no mixer is up');
    const record: RoomRecord = { mixer, legs: new Set(), recordings: new Set() };
    this.rooms.set(room, record);
    // Not awaited for its own sake: the channel keeps the order, so what follows finds the room open.
    await this.request(mixer, 'openRoom', { room }).catch((error: unknown) => {
      this.rooms.delete(room);
      throw error;
    });
    return record;
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
    if (!mixer.channel)
      return Promise.reject(new MixerError('mixer-gone', `${method}: the mixer is being started again`));
    return mixer.channel.request(method, params);
  }
}
