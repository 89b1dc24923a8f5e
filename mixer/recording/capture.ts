import { open } from 'node:fs/promises';
import type { RecordingResult } from '../protocol.ts';
import { MatroskaTrack } from './matroska-track.ts';
import { PacketBatch } from './packet-batch.ts';

/** How much of the time line is gathered before it goes to the file; what kill -9 can cost. */
const WRITE_EVERY_SAMPLES = 9_600; // 200 ms
/** How often the file is brought to the disk itself; what a power cut can cost. */
const SYNC_EVERY_SAMPLES = 48_000; // 1 s
/** Ten seconds of packets may wait for a slow disk, at up to 256 kbit/s and 10 ms packets. */
const WAITING_CAPACITY = { bytes: 320 * 1024, entries: 1_024, samples48k: 480_000 };
/** Packets that are turned into Matroska before the room's tick may run again: some 300 µs. */
const PACKETS_PER_TURN = 50;

/** The part of a file that a capture uses. */
export interface CaptureFile {
  write(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesWritten: number }>;
  datasync(): Promise<void>;
  close(): Promise<void>;
}

export interface CaptureOptions {
  /** Told once, never from within `write`. The sink takes no more; the owner calls `finish`, which closes the file. */
  onFailure(reason: string): void;
  title: string;
  /** When the time line begins. */
  startedAt: Date;
  /** Default: creates the file, which must not exist. */
  openFile?: (path: string) => Promise<CaptureFile>;
}

/** Where a room's tick puts its mix. Nothing here blocks or throws, and bytes are copied before the call returns. */
export interface RecordingSink {
  /** One Opus packet of `samples48k` samples at the 48 kHz clock. */
  write(packet: Uint8Array, offset: number, length: number, samples48k: number): void;
  /** The time line goes on without sound. */
  skip(samples48k: number): void;
  /** Writes what is waiting and closes; says what is in the file, also after a failure. Never rejects. */
  finish(): Promise<RecordingResult>;
  /** Why no more is recorded. */
  readonly failed: string | null;
}

const failureReasons: Record<string, string> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EIO: 'the disk failed',
  EROFS: 'the disk is read-only',
};

function failureReason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return failureReasons[code] ?? (error instanceof Error ? error.message : String(error));
}

/** Begins a Matroska file at `path`; rejects when it cannot be made. */
export async function openRecording(path: string, options: CaptureOptions): Promise<RecordingSink> {
  const openFile = options.openFile ?? ((newPath: string) => open(newPath, 'wx', 0o640));
  const file = await openFile(path);
  const track = new MatroskaTrack();
  await track.start(options.title, options.startedAt);
  return new Capture(file, track, options.onFailure);
}

/**
 * Two batches: the tick fills one while the other goes to the file. The tick's own time line says when to write, so
 * that there is no timer, and a room that stands still costs nothing.
 */
class Capture implements RecordingSink {
  failed: string | null = null;
  #filling = new PacketBatch(WAITING_CAPACITY);
  #resting = new PacketBatch(WAITING_CAPACITY);
  #gatheredSamples = 0;
  #unsyncedSamples = 0;
  #fileBytes = 0;
  /** Samples whose bytes are in the file. */
  #fileSamples = 0;
  #writable = true;
  #draining: Promise<void> | null = null;
  #finishing: Promise<RecordingResult> | null = null;
  readonly #file: CaptureFile;
  readonly #track: MatroskaTrack;
  readonly #onFailure: (reason: string) => void;
  readonly #beginDrain = (): void => {
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = null;
    });
  };

  constructor(file: CaptureFile, track: MatroskaTrack, onFailure: (reason: string) => void) {
    this.#file = file;
    this.#track = track;
    this.#onFailure = onFailure;
  }

  write(packet: Uint8Array, offset: number, length: number, samples48k: number): void {
    if (this.failed !== null || this.#finishing !== null) return;
    if (length === 0) this.skip(samples48k);
    else this.#gathered(this.#filling.addPacket(packet, offset, length, samples48k), samples48k);
  }

  skip(samples48k: number): void {
    if (this.failed !== null || this.#finishing !== null) return;
    this.#gathered(this.#filling.addSilence(samples48k), samples48k);
  }

  finish(): Promise<RecordingResult> {
    this.#finishing ??= this.#finish();
    return this.#finishing;
  }

  #gathered(taken: boolean, samples48k: number): void {
    if (!taken) {
      this.#fail('the disk is too slow: ten seconds are waiting to be written');
      return;
    }
    this.#gatheredSamples += samples48k;
    if (this.#gatheredSamples >= WRITE_EVERY_SAMPLES && this.#draining === null) setImmediate(this.#beginDrain);
  }

  async #drain(): Promise<void> {
    try {
      do {
        const batch = this.#filling;
        this.#filling = this.#resting;
        this.#resting = batch;
        this.#gatheredSamples = 0;
        await this.#writeBatch(batch);
        batch.clear();
      } while (this.#gatheredSamples >= WRITE_EVERY_SAMPLES);
    } catch (error) {
      this.#writable = false;
      this.#fail(failureReason(error));
    }
  }

  async #writeBatch(batch: PacketBatch): Promise<void> {
    let offset = 0;
    let packets = 0;
    for (let i = 0; i < batch.count; i++) {
      const length = batch.lengths[i]!;
      const samples = batch.samples48k[i]!;
      if (length === 0) {
        await this.#writeSilence(samples);
        continue;
      }
      await this.#track.addPacket(batch.bytes.subarray(offset, offset + length), samples);
      offset += length;
      if (++packets % PACKETS_PER_TURN === 0) await this.#writeOut();
    }
    await this.#writeOut();
  }

  async #writeSilence(samples48k: number): Promise<void> {
    let left = samples48k;
    while (left > 0) {
      left = await this.#track.addSilence(left, PACKETS_PER_TURN);
      await this.#writeOut();
    }
  }

  async #writeOut(): Promise<void> {
    await this.#track.settle();
    await this.#append();
    if (this.#unsyncedSamples < SYNC_EVERY_SAMPLES) return;
    this.#unsyncedSamples = 0;
    await this.#file.datasync();
  }

  async #append(): Promise<void> {
    const { bytes, length, samples48k } = this.#track;
    for (let written = 0; written < length; ) {
      const { bytesWritten } = await this.#file.write(bytes, written, length - written, this.#fileBytes);
      written += bytesWritten;
      this.#fileBytes += bytesWritten;
    }
    this.#track.taken();
    this.#unsyncedSamples += samples48k - this.#fileSamples;
    this.#fileSamples = samples48k;
  }

  async #finish(): Promise<RecordingResult> {
    await this.#draining;
    // What waited for a disk that was too slow is good sound; what waited for one that failed cannot be saved.
    if (this.#writable && this.#filling.count > 0) {
      this.#beginDrain();
      await this.#draining;
    }
    try {
      if (this.#writable) {
        await this.#track.finish();
        await this.#append();
        await this.#file.datasync();
      }
    } catch (error) {
      this.#fail(failureReason(error));
    }
    // A failed write was told before; that the file cannot even be closed then says nothing new.
    await this.#file.close().catch((error: unknown) => this.#fail(failureReason(error)));
    return { durationMs: Math.round(this.#fileSamples / 48), bytes: this.#fileBytes };
  }

  #fail(reason: string): void {
    if (this.failed !== null) return;
    this.failed = reason;
    setImmediate(this.#onFailure, reason);
  }
}
