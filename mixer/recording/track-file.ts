import { Sealer } from '../../sealed/sealer.ts';
import type { AudioCodecName } from '../protocol.ts';
import { AppendFile, type CreateFile } from './append-file.ts';
import type { DiskSync } from './disk-sync.ts';
import {
  BLOCK_HEAD_BYTES,
  CLUSTER_BYTES,
  LONGEST_BLOCK_PAYLOAD,
  matroskaHeader,
  writeBlockHead,
  writeCluster,
} from './matroska.ts';

/**
 * How much of the time line is gathered before it is written. A crash costs that, what the jitter buffer holds, and what the
 * write takes, which on a busy machine is some tenths of a second: together no more than one. A power cut costs a track what
 * `DiskSync` takes on top. All tracks of a recording are written at once: a thread that is awake, and code that is in the
 * processor's cache, write the others for a fourth of the time.
 */
export const WRITE_EVERY_MS = 500;
/** What may wait for a slow disk. */
const MOST_WAITING_MS = 10_000;
/** Of a file that was cut off, some readers leave out the last cluster, as mediabunny does. */
const CLUSTER_MS = 1_000;
/** Room for headers beside ten seconds of packets. */
const MOST_EXTRA_BYTES = 64 * 1024;

/** The most that ten seconds take. For Opus more than any packet of a call. */
const BYTES_A_SECOND: Record<AudioCodecName, number> = {
  opus: 26_000,
  PCMU: 8000,
  PCMA: 8000,
  G722: 8000,
  'L16/8000': 16_000,
  'L16/16000': 32_000,
  'L16/48000': 96_000,
};

export interface TrackFileOptions {
  path: string;
  codec: AudioCodecName;
  title: string;
  startedAt: Date;
  /** 32 octets; null: plain. */
  key: Uint8Array | null;
  /** Brings what was written to the disk, in its time; null: each write does. */
  diskSync: DiskSync | null;
  /** Told once, never from within a call. */
  failed(reason: string): void;
  createFile?: CreateFile;
}

/** One Matroska file with one track, filled by a room's tick. Times are positions on the recording's time line. */
export class TrackFile {
  readonly codec: AudioCodecName;
  /**
   * When `flushIfDue` was last so: a whole number of intervals, so that the tracks of a recording are written together. Null:
   * never yet, as a track may begin in the middle of a recording.
   */
  private flushedMs: number | null = null;
  private readonly file: AppendFile;
  private clusterMs = Number.NEGATIVE_INFINITY;
  private lastMs = 0;

  constructor(options: TrackFileOptions) {
    const { codec, path, key, diskSync, failed, createFile } = options;
    this.codec = codec;
    this.file = new AppendFile({
      path,
      mostWaitingBytes: (BYTES_A_SECOND[codec] * MOST_WAITING_MS) / 1000 + MOST_EXTRA_BYTES,
      sealer: key === null ? null : new Sealer(key, 'as written'),
      diskSync,
      failed,
      ...(createFile ? { createFile } : {}),
    });
    const header = matroskaHeader(codec, options.title, options.startedAt);
    if (this.file.reserve(header.length)) this.append(header, header.length);
  }

  /** Rejects when the file cannot be made. */
  async open(): Promise<void> {
    await this.file.open();
    this.file.flush();
  }

  /** Makes the file when the tick is over. */
  openLater(): void {
    this.file.openLater();
  }

  get bytesWritten(): number {
    return this.file.bytesWritten;
  }

  /** Nothing is being written. */
  get idle(): boolean {
    return this.file.idle;
  }

  get memoryBytes(): number {
    return this.file.memoryBytes;
  }

  /** Takes a copy of a packet that begins at `atMs`, rounded to milliseconds, and never before the last one. */
  write(packet: Uint8Array, length: number, atMs: number): void {
    if (length === 0 || length > LONGEST_BLOCK_PAYLOAD) return;
    const { file } = this;
    if (!file.reserve(CLUSTER_BYTES + BLOCK_HEAD_BYTES + length)) return;
    const startMs = Math.max(this.lastMs, Math.round(atMs));
    if (startMs - this.clusterMs >= CLUSTER_MS) {
      writeCluster(file.bytes, file.length, startMs);
      file.length += CLUSTER_BYTES;
      this.clusterMs = startMs;
    }
    writeBlockHead(file.bytes, file.length, startMs - this.clusterMs, length);
    file.length += BLOCK_HEAD_BYTES;
    this.append(packet, length);
    this.lastMs = startMs;
  }

  /** Whether `flushIfDue` would write what was taken. */
  isDue(nowMs: number): boolean {
    this.flushedMs ??= nowMs - (nowMs % WRITE_EVERY_MS);
    return nowMs - this.flushedMs >= WRITE_EVERY_MS;
  }

  /** To be called now and then with a time that goes on with the time line. */
  flushIfDue(nowMs: number): void {
    if (!this.isDue(nowMs)) return;
    if (this.file.idle) {
      this.flushedMs = nowMs - (nowMs % WRITE_EVERY_MS);
      this.file.flush();
    } else if (nowMs - this.flushedMs! > MOST_WAITING_MS) {
      this.file.tooSlow();
    }
  }

  /** What was taken goes to the disk at once. */
  flush(): void {
    this.file.flush();
  }

  /** Settled when all is on the disk and the file closed. Never rejects. */
  finish(): Promise<void> {
    return this.file.finish();
  }

  /** See `AppendFile`. */
  giveUp(): void {
    this.file.giveUp();
  }

  private append(octets: Uint8Array, length: number): void {
    const { bytes, length: at } = this.file;
    // Octet by octet: a subarray to copy from would be an object for each packet.
    for (let i = 0; i < length; i++) bytes[at + i] = octets[i]!;
    this.file.length = at + length;
  }
}
