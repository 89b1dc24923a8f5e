import type { VideoCodecName } from '../video-protocol.ts';
import type { Engine } from './engine/engine.ts';
import type { Picture } from './engine/picture.ts';
import type { VideoDecoder } from './engine/video-decoder.ts';
import { HeldPictures, type SenderClock } from './held-pictures.ts';
import type { AccessUnit } from './rtp/access-unit.ts';
import type { VideoCounts } from './video-counts.ts';

/** Units that wait to be decoded: when there are more, this machine cannot keep up, and it begins anew at a key frame. */
const MOST_WAITING = 20;
/** 1080p, in whole macroblocks: more is not offered, and a hostile stream takes no more memory. */
const MOST_PIXELS = 1920 * 1088;
/** Nobody has a camera that is quicker; some network holds a second of pictures back and lets them go at once. */
const MOST_UNITS_PER_SECOND = 100;
const MOST_UNITS_AT_ONCE = 120;

export interface StreamPicturesOptions {
  engine: Engine;
  counts: VideoCounts;
  clock: SenderClock;
  wallClockOffsetMs: number;
  now(): number;
  /** There is a new picture, though it may wait for its sound yet. */
  decoded(): void;
  /** What comes is shown, but is not as it was sent; a key frame would mend it. */
  damaged(): void;
  /** What follows cannot be decoded before a key frame. */
  lost(): void;
}

/** The pictures of one stream: decoded one after the other, and shown when the sound that belongs to them is heard. */
export class StreamPictures {
  framesDecoded = 0;
  framesBroken = 0;
  private readonly options: StreamPicturesOptions;
  private readonly held: HeldPictures;
  private decoder: VideoDecoder | null = null;
  private codec: VideoCodecName | null = null;
  private readonly waiting: AccessUnit[] = [];
  private decoding = false;
  private closed = false;
  /** Another one after each reset: what is being decoded then belongs to a past that nobody wants to see. */
  private life = 0;
  private unitsAllowed = MOST_UNITS_AT_ONCE;
  private allowedMs = Number.NEGATIVE_INFINITY;

  constructor(options: StreamPicturesOptions) {
    this.options = options;
    this.held = new HeldPictures(options.clock, options.wallClockOffsetMs);
  }

  put(unit: AccessUnit): void {
    if (this.closed) return;
    if (this.waiting.length >= MOST_WAITING || !this.mayDecode()) {
      this.options.counts.framesSkipped += this.waiting.length + 1;
      this.waiting.length = 0;
      return this.options.lost();
    }
    this.waiting.push(unit);
    if (!this.decoding) void this.decodeWaiting();
  }

  /** See `soundDelay` of the protocol. */
  soundIsLate(delayMs: number, senderNtpMs: number | null): void {
    this.held.soundIsLate(delayMs, senderNtpMs);
  }

  /** See `soundTooEarly` of the protocol; null: there is nothing new to tell. @param come whether pictures do */
  soundDelayWanted(come: boolean): number | null {
    return this.held.soundDelayWanted(come);
  }

  /** What is to be seen at `nowMs`; lent until the next call. Null: nothing yet. */
  at(nowMs: number): Picture | null {
    return this.held.at(nowMs);
  }

  /** Another stream begins, or nobody looks any more. */
  reset(): void {
    this.life++;
    this.decoder?.reset();
    this.waiting.length = 0;
    this.held.clear();
  }

  close(): void {
    this.closed = true;
    this.reset();
    // One that is at work is closed after it.
    if (!this.decoding) this.closeDecoder();
  }

  private async decodeWaiting(): Promise<void> {
    this.decoding = true;
    for (let unit = this.waiting.shift(); unit !== undefined; unit = this.waiting.shift()) {
      try {
        await this.decode(unit);
      } catch {
        // There is no memory for it, say: the next one is tried with another decoder.
        this.broken(1);
        this.closeDecoder();
        this.options.lost();
      }
    }
    this.decoding = false;
    if (this.closed) this.closeDecoder();
  }

  private async decode(unit: AccessUnit): Promise<void> {
    const { options, life } = this;
    const decoder = this.decoderFor(unit.codec);
    options.counts.decodes++;
    const brokenBefore = decoder.counters.broken;
    const pictures = await decoder.decode(unit.data, unit.intact, unit.rtpTimestamp);
    this.framesDecoded += pictures.length;
    this.broken(decoder.counters.broken - brokenBefore);
    if (this.life !== life) {
      for (const picture of pictures) picture.release();
      return;
    }
    for (const picture of pictures) this.held.add(picture, unit, options.now());
    if (pictures.length > 0) options.decoded();
    // One that waits here may be what is needed.
    if (decoder.keyFrameNeeded && !this.waiting.some(({ keyFrame }) => keyFrame)) options.damaged();
  }

  private broken(count: number): void {
    this.framesBroken += count;
    this.options.counts.framesBroken += count;
  }

  private decoderFor(codec: VideoCodecName): VideoDecoder {
    if (this.decoder !== null && this.codec === codec) return this.decoder;
    this.closeDecoder();
    this.codec = codec;
    this.decoder = this.options.engine.openDecoder({ codec, maxPixels: MOST_PIXELS });
    return this.decoder;
  }

  /** A bucket: tiny frames in a flood would otherwise take the time of all others' pictures. */
  private mayDecode(): boolean {
    const nowMs = this.options.now();
    const earned = ((nowMs - this.allowedMs) * MOST_UNITS_PER_SECOND) / 1000;
    this.unitsAllowed = Math.min(MOST_UNITS_AT_ONCE, this.unitsAllowed + Math.max(0, earned));
    this.allowedMs = nowMs;
    if (this.unitsAllowed < 1) return false;
    this.unitsAllowed--;
    return true;
  }

  private closeDecoder(): void {
    this.decoder?.close();
    this.decoder = null;
  }
}
