import type { CodecContext, Frame, Packet } from 'node-av/lib';
import type { VideoCodecName } from '../../video-protocol.ts';
import type { Canvas } from './canvas.ts';
import { type EncoderChoice, keyFrameBits, openContext } from './encoder-context.ts';
import type { NodeAv } from './node-av.ts';

/** From what costs least CPU to what looks best. */
export const ENCODER_SPEEDS = ['fastest', 'fast', 'good'] as const;
export type EncoderSpeed = (typeof ENCODER_SPEEDS)[number];

export interface H264Settings {
  profile: 'constrained-baseline' | 'main' | 'high';
  /** `level_idc`, 31 is level 3.1; 9 is level 1b. */
  level: number;
  /** No NAL unit is larger: for packetization-mode 0. Null: one slice a picture. */
  maxNalBytes: number | null;
}

export interface VideoEncoderOptions {
  codec: VideoCodecName;
  /** That of the canvases it will get. */
  width: number;
  height: number;
  fps: number;
  bitrateBps: number;
  speed: EncoderSpeed;
  /** Of H.264, otherwise not looked at. */
  h264?: H264Settings;
}

export interface EncodedFrame {
  /** Own memory. H.264: an access unit, Annex B, with SPS and PPS if it is a key frame; VP8: a frame. */
  data: Uint8Array;
  /** IDR, or a key frame of VP8: decoding can begin here. */
  keyFrame: boolean;
  /** As given to `encode`. */
  pts: number;
}

/** Where a change of the rate costs a key frame, only such a change is worth it at once, and others go along with the next. */
const WORTH_LESS = 0.85;
const WORTH_MORE = 1.3;
/** And upwards after so long, in seconds of frames. */
const MORE_AFTER_SECONDS = 5;

/** One stream, encoded once for all who get it. The first frame is a key frame; later ones only when asked for. */
export class VideoEncoder {
  readonly options: Readonly<VideoEncoderOptions>;
  /** Frames that the library failed to encode. */
  failures = 0;
  private readonly av: NodeAv;
  private readonly choice: EncoderChoice;
  private readonly frame: Frame;
  private readonly packet: Packet;
  private context: CodecContext;
  private wantedBps: number;
  /** What the library was told. */
  private encodedBps: number;
  private openedPts = 0;
  private lastPts = Number.NEGATIVE_INFINITY;
  private queue: Promise<unknown> = Promise.resolve();
  private closed = false;

  /** @throws Error when the libraries refuse the settings. */
  static async open(av: NodeAv, choice: EncoderChoice, options: VideoEncoderOptions): Promise<VideoEncoder> {
    return new VideoEncoder(av, choice, options, await openContext(av, choice, options, options.bitrateBps));
  }

  private constructor(av: NodeAv, choice: EncoderChoice, options: VideoEncoderOptions, context: CodecContext) {
    this.av = av;
    this.choice = choice;
    this.options = options;
    this.context = context;
    this.wantedBps = options.bitrateBps;
    this.encodedBps = options.bitrateBps;
    this.frame = new av.Frame();
    this.frame.alloc();
    this.packet = new av.Packet();
    this.packet.alloc();
  }

  /** That of now; where each change costs a key frame, it follows `setBitrate` only roughly. */
  get bitrateBps(): number {
    return this.encodedBps;
  }

  /**
   * Takes frames one after the other, also before the last one is done; the canvas must stay as it is until then.
   * @param pts in frames of `fps`, growing.
   * @returns null: this one is left out (the rate does not allow it, encoding failed, or it is closed).
   */
  encode(canvas: Canvas, pts: number, forceKey: boolean): Promise<EncodedFrame | null> {
    return this.inTurn(() => this.encodeNow(canvas, pts, forceKey));
  }

  /**
   * From the next frame on. H.264 goes on without a key frame. The library of VP8 has to begin anew with one: so there a
   * change waits for the next key frame, unless it is large.
   */
  setBitrate(bps: number): void {
    this.wantedBps = Math.round(bps);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    void this.inTurn(async () => {
      this.context.freeContext();
      this.frame.free();
      this.packet.free();
    });
  }

  /** Never two things at once: the library's objects cannot stand that. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.queue.then(work);
    this.queue = done.catch(() => {});
    return done;
  }

  private async encodeNow(canvas: Canvas, pts: number, forceKey: boolean): Promise<EncodedFrame | null> {
    const { av, frame } = this;
    if (this.closed || canvas.frame === null) return null;
    await this.adapt(pts, forceKey);
    // A reference of its own: other encoders have the same canvas at work, with another time.
    if (frame.ref(canvas.frame) < 0) return this.failed();
    this.lastPts = Math.max(Math.round(pts), this.lastPts + 1);
    frame.pts = BigInt(this.lastPts);
    frame.pictType = forceKey ? av.AV_PICTURE_TYPE_I : av.AV_PICTURE_TYPE_NONE;
    const upload = this.choice.upload;
    const code = upload === null ? await this.context.sendFrame(frame) : await upload(this.context, frame);
    frame.unref();
    return code < 0 ? this.failed() : this.receive(pts);
  }

  private receive(pts: number): EncodedFrame | null {
    const { packet } = this;
    // The work is done; here it is only fetched.
    if (this.context.receivePacketSync(packet) < 0) return null;
    const { data, isKeyframe } = packet;
    packet.unref();
    return data === null ? null : { data, keyFrame: isKeyframe, pts };
  }

  private failed(): null {
    this.failures++;
    return null;
  }

  private async adapt(pts: number, forceKey: boolean): Promise<void> {
    const bps = this.wantedBps;
    if (bps === this.encodedBps) return;
    if (this.choice.adapts) {
      this.context.bitRate = BigInt(bps);
      this.context.rcMaxRate = BigInt(bps);
      this.context.rcBufferSize = keyFrameBits(bps);
    } else {
      const share = bps / this.encodedBps;
      const seconds = (pts - this.openedPts) / this.options.fps;
      const worth = share < WORTH_LESS || (share > WORTH_MORE && seconds >= MORE_AFTER_SECONDS);
      if (!forceKey && !worth) return;
      const fresh = await openContext(this.av, this.choice, this.options, bps);
      this.context.freeContext();
      this.context = fresh;
      this.openedPts = pts;
    }
    this.encodedBps = bps;
  }
}
