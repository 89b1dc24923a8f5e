import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate as afterTick } from 'node:timers/promises';
import type { Sealer } from '../../sealed/sealer.ts';
import type { DiskSync, Syncable } from './disk-sync.ts';

/** What is written at a time in most codecs. A file that had to wait for its disk goes back to that. */
const FIRST_BYTES = 8 * 1024;

/** The part of a file that is used here. */
export interface DiskFile {
  write(bytes: Uint8Array, offset: number, length: number): Promise<{ bytesWritten: number }>;
  datasync(): Promise<void>;
  close(): Promise<void>;
}

/** Makes a file, which must not exist. `durable`: what it writes is on the disk when the promise of `write` is settled. */
export type CreateFile = (path: string, durable: boolean) => Promise<DiskFile>;

export interface AppendFileOptions {
  path: string;
  /** What may wait for the disk. */
  mostWaitingBytes: number;
  /** Null: plain. */
  sealer: Sealer | null;
  /** Brings what was written to the disk, in its time; null: each write does. */
  diskSync: DiskSync | null;
  /** Told once, never from within a call. Nothing more is taken; the owner calls `finish`. */
  failed(reason: string): void;
  createFile?: CreateFile;
}

/**
 * Durable: with its name on the disk, and writes with O_DSYNC, which is one job of the thread pool. Else both come there
 * by `datasync`, on the file systems that servers have.
 */
export async function createDiskFile(path: string, durable: boolean): Promise<DiskFile> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_DSYNC = 0 } = constants;
  const file = await open(path, O_WRONLY | O_CREAT | O_EXCL | (durable ? O_DSYNC : 0), 0o640);
  if (!durable) return file;
  let directory: FileHandle | null = null;
  try {
    directory = await open(dirname(path), 'r');
    await directory.sync();
  } catch {
    // Some systems cannot open a directory as a file.
  } finally {
    await directory?.close();
  }
  return file;
}

/**
 * A file that a room's tick fills: into one buffer, while another is written. There is no timer: `flush` is called by the
 * tick's own time line. Nothing in here blocks, throws or allocates in the tick, but for a buffer that has to grow.
 */
export class AppendFile implements Syncable {
  /** Being filled, up to `length`. */
  bytes: Uint8Array = new Uint8Array(FIRST_BYTES);
  length = 0;
  /** On the disk. */
  bytesWritten = 0;
  /** Why nothing more is taken. */
  failure: string | null = null;
  private readonly options: AppendFileOptions;
  private resting: Uint8Array = new Uint8Array(FIRST_BYTES);
  private file: DiskFile | null = null;
  private writing: Promise<void> | null = null;
  /** As soon as the tick is over. */
  private willWrite = false;
  private broken = false;
  private finishing: Promise<void> | null = null;
  private readonly beginWriting = (): void => {
    this.willWrite = false;
    this.writing ??= this.writeOut().finally(() => {
      this.writing = null;
    });
  };

  constructor(options: AppendFileOptions) {
    this.options = options;
  }

  /** Rejects when the file cannot be made. What is filled in meanwhile is written then. */
  async open(): Promise<void> {
    const { createFile = createDiskFile, path, diskSync } = this.options;
    const file = await createFile(path, diskSync === null);
    // Ended before it was there.
    if (this.finishing !== null && this.writing === null) await file.close();
    else this.file = file;
  }

  /** As `open`, but when the tick is over, and failing like a write. */
  openLater(): void {
    this.writing ??= afterTick()
      .then(() => this.open())
      .catch((error: unknown) => this.broke(error))
      .finally(() => {
        this.writing = null;
      });
  }

  /** What its buffers take. */
  get memoryBytes(): number {
    return this.bytes.length + this.resting.length;
  }

  /** Whether all that was flushed is on the disk. */
  get idle(): boolean {
    return this.writing === null && !this.willWrite;
  }

  /** Makes room for `count` more octets; false when so many must not wait, which ends the file. */
  reserve(count: number): boolean {
    if (this.failure !== null || this.finishing !== null) return false;
    const needed = this.length + count;
    if (needed <= this.bytes.length) return true;
    const { mostWaitingBytes } = this.options;
    if (needed > mostWaitingBytes) {
      this.tooSlow();
      return false;
    }
    const grown = new Uint8Array(Math.min(mostWaitingBytes, Math.max(needed, 2 * this.bytes.length)));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    return true;
  }

  /** Has what was filled written, as soon as the tick is over and the last write done. */
  flush(): void {
    if (this.length === 0 || !this.idle || this.failure !== null) return;
    this.willWrite = true;
    setImmediate(this.beginWriting);
  }

  tooSlow(): void {
    this.fail('the disk is too slow: ten seconds are waiting to be written');
  }

  /** Writes what waits and closes. Never rejects; settled when nothing more happens to the file. */
  finish(): Promise<void> {
    this.finishing ??= this.end();
    return this.finishing;
  }

  /** For `DiskSync`. Never rejects. */
  async sync(): Promise<void> {
    if (this.broken || this.file === null) return;
    await this.file.datasync().catch((error: unknown) => this.broke(error));
  }

  /** What waits is not written any more; what is being written cannot be stopped. To be followed by `finish`. */
  giveUp(): void {
    this.broken = true;
  }

  private async end(): Promise<void> {
    await this.writing;
    const { sealer, diskSync } = this.options;
    if (!this.broken && this.file !== null) {
      await this.writeOut();
      if (sealer !== null && !this.broken) await this.append(sealer.finish()).catch((error) => this.broke(error));
      if (diskSync !== null) await this.sync();
    }
    diskSync?.remove(this);
    // After a failed write, that it cannot be closed either says nothing new.
    const { file } = this;
    this.file = null;
    await file?.close().catch((error: unknown) => this.broke(error));
    this.bytes = new Uint8Array(0);
    this.resting = this.bytes;
  }

  private async writeOut(): Promise<void> {
    const full = this.bytes;
    const { length } = this;
    if (length === 0) return;
    this.bytes = this.resting;
    this.length = 0;
    const plain = full.subarray(0, length);
    try {
      await this.append(this.options.sealer === null ? plain : this.options.sealer.seal(plain));
      this.options.diskSync?.add(this);
    } catch (error) {
      this.broke(error);
    }
    const enough = Math.max(FIRST_BYTES, 2 * length);
    this.resting = full.length > 2 * enough ? new Uint8Array(enough) : full;
  }

  private async append(octets: Uint8Array): Promise<void> {
    for (let written = 0; written < octets.length && !this.broken; ) {
      const { bytesWritten } = await this.file!.write(octets, written, octets.length - written);
      written += bytesWritten;
      this.bytesWritten += bytesWritten;
    }
  }

  private broke(error: unknown): void {
    this.broken = true;
    this.fail(failureReason(error));
  }

  private fail(reason: string): void {
    if (this.failure !== null) return;
    this.failure = reason;
    setImmediate(this.options.failed, reason);
  }
}

const FAILURE_REASONS: Record<string, string> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EIO: 'the disk failed',
  EROFS: 'the disk is read-only',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
};

function failureReason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return FAILURE_REASONS[code] ?? (error instanceof Error ? error.message : String(error));
}
