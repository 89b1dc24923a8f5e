import { join } from 'node:path';
import { KEY_BYTES } from '../../sealed/sealed-format.ts';
import { MixerFailure } from '../mixer-failure.ts';
import type { VideoMixerEvent, VideoRecordingToStart } from '../video-protocol.ts';
import type { EncoderFormat, FrameSink, SharedEncoder } from './shared-encoder.ts';
import { VideoFile } from './video-file.ts';

/** So that a player which seeks, and what is made of it, need not decode all that was before. */
const KEY_FRAME_EVERY_MS = 10_000;

interface Running {
  file: VideoFile;
  /** The file is there, and takes frames. */
  open: boolean;
  /** What the system's monotonic clock says where the time line is 0, pauses taken out; milliseconds. */
  originMs: number;
  paused: boolean;
  /** What follows a gap can be shown from a key frame on. */
  awaitsKeyFrame: boolean;
}

/** The recordings of a room's picture. All get the frames of one encoder, which may be that of viewers. */
export class PictureRecordings implements FrameSink {
  /** What every player shows, and what most viewers get as well. */
  static readonly format: EncoderFormat = {
    key: 'H264/constrained-baseline/1',
    codec: 'H264',
    profile: 'constrained-baseline',
    mode: 1,
  };
  private readonly tell: (event: VideoMixerEvent) => void;
  private readonly running = new Map<string, Running>();
  private encoder: SharedEncoder | null = null;
  /** When the last key frame came, or was asked for. */
  private keyFrameMs = 0;
  /** The system's monotonic clock less this process' own. */
  private readonly clockOffsetMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

  constructor(tell: (event: VideoMixerEvent) => void) {
    this.tell = tell;
  }

  get count(): number {
    return this.running.size;
  }

  /** From which encoder frames come; null: from none. */
  record(encoder: SharedEncoder | null): void {
    if (encoder === this.encoder) return;
    this.encoder?.removeSink(this);
    this.encoder = encoder;
    for (const recording of this.running.values()) recording.awaitsKeyFrame = true;
    encoder?.addSink(this);
  }

  encoded(data: Uint8Array, keyFrame: boolean, capturedMs: number): void {
    if (keyFrame) this.keyFrameMs = capturedMs;
    else if (capturedMs - this.keyFrameMs >= KEY_FRAME_EVERY_MS) {
      this.keyFrameMs = capturedMs;
      this.encoder!.wishKeyFrame();
    }
    for (const recording of this.running.values()) {
      if (!recording.open || recording.paused || (recording.awaitsKeyFrame && !keyFrame)) continue;
      recording.awaitsKeyFrame = false;
      const atMs = Math.max(0, capturedMs + this.clockOffsetMs - recording.originMs);
      recording.file.write(data, keyFrame, atMs, this.encoder!.tier);
    }
  }

  /** @throws MixerFailure `already-exists`, `cannot-write`, `bad-request`. */
  async start({ recording, room, directory, part, originMs, paused, key }: VideoRecordingToStart): Promise<void> {
    if (this.running.has(recording)) throw new MixerFailure('already-exists', `recording ${recording} is running`);
    const name = `video-${part}.mkv`;
    const file = new VideoFile({
      path: join(directory, key === null ? name : `${name}.sealed`),
      ...{ title: room, startedAt: new Date(), key: key === null ? null : recordingKey(key) },
      failed: (reason) => void this.failed(recording, reason),
    });
    const entry = { file, originMs, paused, awaitsKeyFrame: true, open: false };
    this.running.set(recording, entry);
    try {
      await file.open();
    } catch (error) {
      this.running.delete(recording);
      throw new MixerFailure('cannot-write', error instanceof Error ? error.message : String(error));
    }
    entry.open = true;
    this.encoder?.wishKeyFrame();
  }

  has(recording: string): boolean {
    return this.running.has(recording);
  }

  /** @param originMs see `controlRecording` of the protocol. */
  pause(recording: string, paused: boolean, originMs: number): void {
    const entry = this.running.get(recording);
    if (entry === undefined || entry.paused === paused) return;
    entry.paused = paused;
    if (paused) return entry.file.flush();
    entry.originMs = originMs;
    entry.awaitsKeyFrame = true;
    this.encoder?.wishKeyFrame();
  }

  /** Settled when the file is on the disk. */
  async stop(recording: string): Promise<{ bytes: number }> {
    const entry = this.running.get(recording);
    this.running.delete(recording);
    await entry?.file.finish();
    return { bytes: entry?.file.bytesWritten ?? 0 };
  }

  async close(): Promise<void> {
    this.record(null);
    await Promise.all([...this.running.keys()].map((recording) => this.stop(recording)));
  }

  private async failed(recording: string, reason: string): Promise<void> {
    if (!this.running.has(recording)) return;
    await this.stop(recording);
    this.tell({ event: 'recordingFailed', recording, reason });
  }
}

/** Never says what the key is. */
function recordingKey(base64: string): Uint8Array {
  const key = Buffer.from(base64, 'base64');
  if (key.length !== KEY_BYTES) throw new MixerFailure('bad-request', `a recording's key is ${KEY_BYTES} octets`);
  return key;
}
