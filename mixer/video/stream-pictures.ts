import type { VideoCodecName } from '../video-protocol.ts';
import type { Engine } from './engine/engine.ts';
import type { Picture } from './engine/picture.ts';
import type { VideoDecoder } from './engine/video-decoder.ts';
import type { AccessUnit } from './rtp/access-unit.ts';
import type { VideoCounts } from './video-counts.ts';

/** Units that wait to be decoded: when there are more, this machine cannot keep up, and it begins anew at a key frame. */
const MOST_WAITING = 20;
/** Pictures that wait for their sound. */
const MOST_HELD = 20;
/** 1080p, in whole macroblocks: more is not offered, and a hostile stream takes no more memory. */
const MOST_PIXELS = 1920 * 1088;
/** Sound is never so late that a picture should wait longer. */
const MOST_DELAY_MS = 500;

interface Held {
  picture: Picture;
  dueMs: number;
}

/** Where a sender's RTP time stamps stand on its wall clock: from its sender reports. */
export interface SenderClock {
  /** Of the sender's NTP clock, milliseconds since 1970; null before a report. */
  ntpMsOf(rtpTimestamp: number): number | null;
}

export interface StreamPicturesOptions {
  engine: Engine;
  counts: VideoCounts;
  clock: SenderClock;
  wallClockOffsetMs: number;
  now(): number;
  /** What follows cannot be decoded before a key frame. */
  lost(): void;
}

/** The pictures of one stream: decoded one after the other, and shown when the sound that belongs to them is heard. */
export class StreamPictures {
  framesDecoded = 0;
  framesBroken = 0;
  private readonly options: StreamPicturesOptions;
  private decoder: VideoDecoder | null = null;
  private codec: VideoCodecName | null = null;
  private readonly waiting: AccessUnit[] = [];
  private readonly held: Held[] = [];
  private shown: Picture | null = null;
  private decoding = false;
  private closed = false;
  private soundDelayMs = 0;
  /** Our wall clock less the sender's, less the sound's delay; null: not known. */
  private senderOffsetMs: number | null = null;

  constructor(options: StreamPicturesOptions) {
    this.options = options;
  }

  put(unit: AccessUnit): void {
    if (this.closed) return;
    if (this.waiting.length >= MOST_WAITING) {
      this.waiting.length = 0;
      this.options.counts.framesSkipped += MOST_WAITING;
      return this.options.lost();
    }
    this.waiting.push(unit);
    if (!this.decoding) void this.decodeWaiting();
  }

  /** See `soundDelay` of the protocol. */
  soundIsLate(delayMs: number, senderNtpMs: number | null): void {
    this.soundDelayMs = Math.min(MOST_DELAY_MS, Math.max(0, delayMs));
    this.senderOffsetMs = senderNtpMs;
  }

  /** What is to be seen at `nowMs`; lent until the next call. Null: nothing yet. */
  at(nowMs: number): Picture | null {
    while (this.held.length > 0 && this.held[0]!.dueMs <= nowMs) {
      this.shown?.release();
      this.shown = this.held.shift()!.picture;
    }
    return this.shown;
  }

  /** Another stream begins, or nobody looks any more. */
  reset(): void {
    this.decoder?.reset();
    this.waiting.length = 0;
    for (const { picture } of this.held) picture.release();
    this.held.length = 0;
    this.shown?.release();
    this.shown = null;
  }

  close(): void {
    this.closed = true;
    this.reset();
    // One that is at work is closed after it.
    if (!this.decoding) this.closeDecoder();
  }

  private async decodeWaiting(): Promise<void> {
    this.decoding = true;
    for (let unit = this.waiting.shift(); unit !== undefined; unit = this.waiting.shift()) await this.decode(unit);
    this.decoding = false;
    if (this.closed) this.closeDecoder();
  }

  private async decode(unit: AccessUnit): Promise<void> {
    const { counts, lost } = this.options;
    const decoder = this.decoderFor(unit.codec);
    counts.decodes++;
    const brokenBefore = decoder.counters.broken;
    const pictures = await decoder.decode(unit.data, unit.intact, unit.rtpTimestamp);
    this.framesDecoded += pictures.length;
    for (const picture of pictures) this.hold(picture, unit);
    const broken = decoder.counters.broken - brokenBefore;
    this.framesBroken += broken;
    counts.framesBroken += broken;
    if (decoder.keyFrameNeeded) lost();
  }

  private decoderFor(codec: VideoCodecName): VideoDecoder {
    if (this.decoder !== null && this.codec === codec) return this.decoder;
    this.closeDecoder();
    this.codec = codec;
    this.decoder = this.options.engine.openDecoder({ codec, maxPixels: MOST_PIXELS });
    return this.decoder;
  }

  private hold(picture: Picture, unit: AccessUnit): void {
    if (this.closed) return picture.release();
    this.held.push({ picture, dueMs: this.dueMs(unit) });
    if (this.held.length <= MOST_HELD) return;
    this.shown?.release();
    this.shown = this.held.shift()!.picture;
  }

  private dueMs({ rtpTimestamp, arrivedMs }: AccessUnit): number {
    const { clock, wallClockOffsetMs, now } = this.options;
    const nowMs = now();
    const ntpMs = this.senderOffsetMs === null ? null : clock.ntpMsOf(rtpTimestamp);
    const dueMs = ntpMs === null ? arrivedMs + this.soundDelayMs : ntpMs + this.senderOffsetMs! - wallClockOffsetMs;
    // A clock that is far off says nothing.
    if (dueMs > nowMs + MOST_DELAY_MS || dueMs < nowMs - MOST_DELAY_MS) return nowMs;
    // Pictures are shown in their order.
    return Math.max(dueMs, this.held.at(-1)?.dueMs ?? 0);
  }

  private closeDecoder(): void {
    this.decoder?.close();
    this.decoder = null;
  }
}
