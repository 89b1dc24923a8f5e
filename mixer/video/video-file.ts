import { Sealer } from '../../sealed/sealer.ts';
import { AppendFile, type CreateFile } from '../recording/append-file.ts';
import { CLUSTER_BYTES, writeCluster } from '../recording/matroska.ts';
import {
  blockLength,
  LONG_BLOCK_HEAD_BYTES,
  videoHeader,
  writeBlockContent,
  writeLongBlockHead,
} from './video-matroska.ts';

/** As `TrackFile`: a crash costs that, and what the write takes. */
const WRITE_EVERY_MS = 500;
const MOST_WAITING_MS = 10_000;
/** What ten seconds of the largest picture take, and a few key frames. */
const MOST_WAITING_BYTES = 16 * 1024 * 1024;
const CLUSTER_MS = 1000;

export interface VideoFileOptions {
  path: string;
  title: string;
  startedAt: Date;
  /** 32 octets; null: plain. */
  key: Uint8Array | null;
  failed(reason: string): void;
  createFile?: CreateFile;
}

/** A Matroska file with one H.264 track, appended to frame by frame. It is made when the first key frame comes. */
export class VideoFile {
  private readonly options: VideoFileOptions;
  private readonly file: AppendFile;
  private begun = false;
  private clusterMs = Number.NEGATIVE_INFINITY;
  private lastMs = -1;
  /** Null: nothing came yet, as it may begin in the middle of a recording. */
  private flushedMs: number | null = null;

  constructor(options: VideoFileOptions) {
    const { path, key, failed, createFile } = options;
    this.options = options;
    this.file = new AppendFile({
      ...{ path, failed, mostWaitingBytes: MOST_WAITING_BYTES, diskSync: null },
      sealer: key === null ? null : new Sealer(key, 'as written'),
      ...(createFile ? { createFile } : {}),
    });
  }

  /** Rejects when the file cannot be made. */
  open(): Promise<void> {
    return this.file.open();
  }

  get bytesWritten(): number {
    return this.file.bytesWritten;
  }

  /**
   * Takes a copy of a frame, whose first one has to be a key frame.
   *
   * @param unit a byte stream (annex B)
   * @param atMs its position on the recording's time line; it comes after the one before in any case.
   */
  write(unit: Uint8Array, keyFrame: boolean, atMs: number, size: { width: number; height: number }): void {
    if (!this.begun && !this.begin(unit, keyFrame, size)) return;
    const { file } = this;
    const length = blockLength(unit);
    if (length === 0 || !file.reserve(CLUSTER_BYTES + LONG_BLOCK_HEAD_BYTES + length)) return;
    const startMs = Math.max(this.lastMs + 1, Math.round(atMs));
    if (startMs - this.clusterMs >= CLUSTER_MS) {
      writeCluster(file.bytes, file.length, startMs);
      file.length += CLUSTER_BYTES;
      this.clusterMs = startMs;
    }
    writeLongBlockHead(file.bytes, file.length, startMs - this.clusterMs, length, keyFrame);
    file.length = writeBlockContent(unit, file.bytes, file.length + LONG_BLOCK_HEAD_BYTES);
    this.lastMs = startMs;
    this.flushIfDue(startMs);
  }

  /** Whether all that was flushed is on the disk. */
  get idle(): boolean {
    return this.file.idle;
  }

  /** What was taken goes to the disk at once. */
  flush(): void {
    this.file.flush();
  }

  /** Settled when all is on the disk and the file closed. Never rejects. */
  finish(): Promise<void> {
    return this.file.finish();
  }

  private begin(unit: Uint8Array, keyFrame: boolean, size: { width: number; height: number }): boolean {
    if (!keyFrame) return false;
    const header = videoHeader(unit, size, this.options.title, this.options.startedAt);
    if (header === null || !this.file.reserve(header.length)) return false;
    this.file.bytes.set(header, this.file.length);
    this.file.length += header.length;
    this.begun = true;
    return true;
  }

  private flushIfDue(nowMs: number): void {
    this.flushedMs ??= nowMs;
    if (nowMs - this.flushedMs < WRITE_EVERY_MS) return;
    if (this.file.idle) {
      this.flushedMs = nowMs;
      this.file.flush();
    } else if (nowMs - this.flushedMs > MOST_WAITING_MS) {
      this.file.tooSlow();
    }
  }
}
