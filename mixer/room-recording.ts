import { join } from 'node:path';
import { audioCodec } from './codec/registry.ts';
import type { Leg } from './leg.ts';
import type { AudioCodecName, RecordingResult } from './protocol.ts';
import type { CreateFile } from './recording/append-file.ts';
import { DiskSync } from './recording/disk-sync.ts';
import { LegTrack, type LegTrackOptions } from './recording/leg-track.ts';
import { RecordedMix, SILENT_PACKET } from './recording/recorded-mix.ts';
import { TrackFile, WRITE_EVERY_MS } from './recording/track-file.ts';
import type { Room } from './room.ts';
import { TICK_MS } from './room-clock.ts';

/** How long a recording that failed may take to write what it can, counted in ticks. */
const GRACE_TICKS = 50;
/** What a machine that slept for longer left out is a gap in the file, and not silence. */
const MOST_SKIPPED_TICKS = 20_000;
/** Codec changes of a participant; one who makes more of them gets no more files. */
const MOST_RUNS = 100;

/** Of the tracks of all rooms: a room's mix is more worth, and on the disk with each write. */
const tracksSync = new DiskSync();

let begun = 0;

export interface RoomRecordingOptions {
  room: Room;
  /** Is there already. */
  directory: string;
  part: number;
  tracks: boolean;
  paused: boolean;
  /** 32 octets; null: plain. */
  key: Uint8Array | null;
  startedAt: Date;
  /** Told once, never from within a tick; `endFailed` is to be called then. */
  failed(reason: string): void;
  createFile?: CreateFile;
  /** Brings tracks to the disk; default: one for all rooms of the process. */
  diskSync?: DiskSync;
}

/**
 * The recording of a room: its mix, and each participant's packets if they are wanted. Its time line counts the ticks that
 * were recorded; what is said in the protocol of positions is meant by that.
 */
export class RoomRecording {
  /** Where the next tick that is recorded begins, milliseconds. */
  positionMs = 0;
  private readonly options: RoomRecordingOptions;
  private readonly mix: RecordedMix;
  private readonly mixFile: TrackFile;
  private readonly tracks = new Map<Leg, LegTrack>();
  private readonly trackFiles: TrackFile[] = [];
  /** Files that are being closed. */
  private readonly closing = new Map<TrackFile, Promise<void>>();
  /** Files that each participant has, also one who left and came back. */
  private readonly runs = new Map<string, number>();
  private bytesClosed = 0;
  /** In each interval of writing every recording has its own tick, also of those that begin together. */
  private readonly turnMs = (begun++ * TICK_MS) % WRITE_EVERY_MS;
  private paused: boolean;
  private nextTick = -1;
  private lastTickMs = 0;
  /** Why not all is in the files. */
  failure: string | null = null;
  private ended = false;
  private graceTicks = 0;
  private graceOver: () => void = () => undefined;
  private readonly trackOptions: Omit<LegTrackOptions, 'openFile'> = {
    clockRateOf: (codec) => audioCodec(codec).rtpClockRateHz,
    closeFile: (file) => this.closeTrackFile(file),
  };
  private readonly fileFailed = (reason: string): void => {
    if (this.failure !== null) return;
    this.failure = reason;
    if (!this.ended) this.options.failed(reason);
  };

  constructor(options: RoomRecordingOptions) {
    this.options = options;
    this.paused = options.paused;
    const mixFile = this.newFile(`mix-${options.part}.mka`, 'opus', null);
    this.mix = new RecordedMix(options.room, (packet, length, atMs) => mixFile.write(packet, length, atMs));
    this.mixFile = mixFile;
  }

  /** Rejects when the file of the mix cannot be made. */
  open(): Promise<void> {
    return this.mixFile.open();
  }

  /** Before the room's mix of a tick is made. */
  prepare(): void {
    if (!this.paused && !this.ended) this.mix.prepare();
  }

  /** When all have been sent what is theirs of the tick. */
  capture(plannedMs: number, tick: number): void {
    if (this.graceTicks > 0 && --this.graceTicks === 0) this.graceOver();
    if (this.paused || this.ended) return;
    if (this.nextTick >= 0 && tick > this.nextTick) this.skip(tick - this.nextTick);
    this.nextTick = tick + 1;
    this.lastTickMs = plannedMs;
    this.mix.take(tick, this.positionMs);
    if (this.options.tracks) this.captureTracks();
    this.positionMs += TICK_MS;
    this.flushWhatIsDue(this.positionMs + this.turnMs);
  }

  /** When the time line was 0, or would have been, by the clock of the ticks; null when it has not gone on yet. */
  get originMs(): number | null {
    return this.paused || this.nextTick < 0 ? null : this.lastTickMs + TICK_MS - this.positionMs;
  }

  /** From the next tick on; true if that is a change. */
  pause(paused: boolean): boolean {
    if (paused === this.paused) return false;
    this.paused = paused;
    this.nextTick = -1;
    if (!paused) return true;
    this.mix.flush();
    this.mixFile.flush();
    for (const file of this.trackFiles) file.flush();
    return true;
  }

  /** In the room from now on. */
  joined(leg: Leg): void {
    if (this.options.tracks && !this.ended) leg.notePlayedPackets(true);
  }

  /** No longer in the room. */
  left(leg: Leg): void {
    if (this.options.tracks) leg.notePlayedPackets(false);
    this.tracks.get(leg)?.end();
    this.tracks.delete(leg);
  }

  /** From the next tick of the room on, whose legs are there already. */
  begin(): void {
    const { room } = this.options;
    room.recordings.push(this);
    for (const leg of room.legs) this.joined(leg);
  }

  /** What its buffers take. */
  get memoryBytes(): number {
    return this.trackFiles.reduce((sum, file) => sum + file.memoryBytes, this.mixFile.memoryBytes);
  }

  /** Takes nothing more. Settled, with all that was recorded, when it is on the disk and the files are closed. */
  async finish(): Promise<RecordingResult> {
    this.end();
    await Promise.all([this.mixFile.finish(), ...this.closing.values()]);
    return { durationMs: this.positionMs, bytes: this.mixFile.bytesWritten + this.bytesClosed };
  }

  /** Writes what can be written within a second of ticks; settled when nothing is written any more. */
  async endFailed(): Promise<void> {
    const finished = this.finish();
    const graceOver = new Promise<void>((resolve) => {
      this.graceOver = resolve;
    });
    this.graceTicks = GRACE_TICKS;
    await Promise.race([finished, graceOver]);
    this.mixFile.giveUp();
    for (const file of this.closing.keys()) file.giveUp();
  }

  /** Nothing ticks any more. */
  roomClosed(): void {
    this.graceOver();
  }

  private flushWhatIsDue(nowMs: number): void {
    const { mixFile, trackFiles } = this;
    if (mixFile.isDue(nowMs)) this.mix.flush();
    mixFile.flushIfDue(nowMs);
    for (let index = 0; index < trackFiles.length; index++) trackFiles[index]!.flushIfDue(nowMs);
  }

  private end(): void {
    if (this.ended) return;
    this.ended = true;
    this.mix.close();
    for (const track of this.tracks.values()) track.end();
    this.tracks.clear();
    const { legs, recordings } = this.options.room;
    for (const leg of legs) {
      this.left(leg);
      for (const other of recordings) if (other !== this) other.joined(leg);
    }
  }

  /** Ticks that were left out are silence. */
  private skip(ticks: number): void {
    this.mix.flush();
    const silent = Math.min(ticks, MOST_SKIPPED_TICKS);
    for (let index = 0; index < silent; index++) {
      this.mixFile.write(SILENT_PACKET, SILENT_PACKET.length, this.positionMs + index * TICK_MS);
    }
    this.positionMs += ticks * TICK_MS;
  }

  private captureTracks(): void {
    const { legs } = this.options.room;
    for (let index = 0; index < legs.length; index++) {
      const leg = legs[index]!;
      const played = leg.playedPackets;
      if (played === null || played.count === 0 || !leg.mayHaveTrack) continue;
      (this.tracks.get(leg) ?? this.newTrack(leg)).take(played, this.positionMs);
    }
  }

  private newTrack(leg: Leg): LegTrack {
    const openFile = (codec: AudioCodecName): TrackFile | null => this.openTrackFile(leg, codec);
    const track = new LegTrack({ ...this.trackOptions, openFile });
    this.tracks.set(leg, track);
    return track;
  }

  private openTrackFile(leg: Leg, codec: AudioCodecName): TrackFile | null {
    const run = (this.runs.get(leg.id) ?? 0) + 1;
    if (run > MOST_RUNS) return null;
    this.runs.set(leg.id, run);
    const file = this.newFile(
      `track-${this.options.part}-${encodeURIComponent(leg.id)}-${run}.mka`,
      codec,
      this.options.diskSync ?? tracksSync,
    );
    file.openLater();
    this.trackFiles.push(file);
    return file;
  }

  private closeTrackFile(file: TrackFile): void {
    this.trackFiles.splice(this.trackFiles.indexOf(file), 1);
    const closed = file.finish().then(() => {
      this.bytesClosed += file.bytesWritten;
      this.closing.delete(file);
    });
    this.closing.set(file, closed);
  }

  private newFile(name: string, codec: AudioCodecName, sync: DiskSync | null): TrackFile {
    const { directory, key, room, startedAt, createFile } = this.options;
    return new TrackFile({
      path: join(directory, key === null ? name : `${name}.sealed`),
      ...{ codec, title: room.id, startedAt, key, diskSync: sync, failed: this.fileFailed },
      ...(createFile ? { createFile } : {}),
    });
  }
}
