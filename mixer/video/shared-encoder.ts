import type { VideoCodecName, VideoFormat } from '../video-protocol.ts';
import type { Canvas } from './engine/canvas.ts';
import type { Engine } from './engine/engine.ts';
import type { EncoderSpeed, H264Settings, VideoEncoder } from './engine/video-encoder.ts';
import { levelFor } from './h264-level.ts';
import type { Tier } from './picture-tiers.ts';
import { packetizeH264 } from './rtp/h264-packetizer.ts';
import { KeyFrameDemand } from './rtp/key-frame-requests.ts';
import { MAX_VIDEO_PAYLOAD, PayloadList } from './rtp/payload-list.ts';
import { SentFrames } from './rtp/sent-frames.ts';
import { packetizeVp8 } from './rtp/vp8-packetizer.ts';
import type { VideoCounts } from './video-counts.ts';
import type { Viewer } from './viewer.ts';

/** What two viewers must have in common to be sent the same octets. */
export interface EncoderFormat {
  key: string;
  codec: VideoCodecName;
  /** H.264 only. */
  profile: H264Settings['profile'];
  mode: 0 | 1;
}

export function encoderFormat({ codec, parameters }: VideoFormat): EncoderFormat {
  if (codec === 'VP8') return { key: 'VP8', codec, profile: 'constrained-baseline', mode: 1 };
  const profile = profileOf(parameters['profile-level-id'] ?? '42000a');
  const mode = parameters['packetization-mode'] === '1' ? 1 : 0;
  return { key: `H264/${profile}/${mode}`, codec, profile, mode };
}

/**
 * Of `profile_idc` and `profile-iop` (RFC 6184 §8.1, table 5): main that is constrained to baseline is written with
 * `constraint_set0_flag`. What a decoder of a higher profile gets is understood by all of lower ones.
 */
function profileOf(profileLevelId: string): EncoderFormat['profile'] {
  const [idc, iop] = [0, 2].map((start) => Number.parseInt(profileLevelId.slice(start, start + 2), 16));
  if (idc === 0x64) return 'high';
  return idc === 0x4d && (iop! & CONSTRAINT_SET_0) === 0 ? 'main' : 'constrained-baseline';
}

const CONSTRAINT_SET_0 = 0x80;

/** Gets each encoded frame beside the viewers. */
export interface FrameSink {
  /** @param data lent until it returns. */
  encoded(data: Uint8Array, keyFrame: boolean, capturedMs: number): void;
}

export interface SharedEncoderOptions {
  engine: Engine;
  counts: VideoCounts;
  format: EncoderFormat;
  tier: Tier;
  speed(): EncoderSpeed;
  /** There is a frame for the viewers. */
  encoded(): void;
}

/** One encoder for all viewers of a composition who get the same octets: only RTP's header differs. */
export class SharedEncoder {
  readonly viewers = new Set<Viewer>();
  readonly sinks = new Set<FrameSink>();
  readonly sent = new SentFrames();
  readonly format: EncoderFormat;
  readonly tier: Tier;
  bitrateBps: number;
  private readonly options: SharedEncoderOptions;
  private readonly demand = new KeyFrameDemand();
  private readonly payloads = new PayloadList();
  private encoder: VideoEncoder | null = null;
  private speed: EncoderSpeed | null = null;
  private frames = 0;
  private pictureId = Math.floor(Math.random() * 0x8000);
  private busy = false;
  private closed = false;

  constructor(options: SharedEncoderOptions) {
    this.options = options;
    this.format = options.format;
    this.tier = options.tier;
    this.bitrateBps = options.tier.maxBps;
  }

  get unused(): boolean {
    return this.viewers.size === 0 && this.sinks.size === 0;
  }

  add(viewer: Viewer): void {
    this.viewers.add(viewer);
    this.demand.newcomer();
  }

  remove(viewer: Viewer): void {
    this.viewers.delete(viewer);
    this.demand.forget(viewer.id);
  }

  keyFrameAsked(viewer: Viewer, nowMs: number): void {
    this.demand.asked(viewer.id, nowMs);
  }

  addSink(sink: FrameSink): void {
    this.sinks.add(sink);
    this.demand.newcomer();
  }

  /** As a newcomer has it. */
  wishKeyFrame(): void {
    this.demand.newcomer();
  }

  removeSink(sink: FrameSink): void {
    this.sinks.delete(sink);
  }

  keyFrameDue(nowMs: number): boolean {
    return this.demand.isDue(nowMs);
  }

  /** As much as the slowest of its viewers takes, within the tier. Who is much slower than most will not stay for long. */
  adaptBitrate(nowMs: number): void {
    const { minBps, maxBps } = this.tier;
    const rates = [...this.viewers].map(({ rate }) => Math.min(maxBps, rate.bitrateBps)).sort((a, b) => a - b);
    const [slowest = maxBps] = rates;
    this.bitrateBps = Math.max(minBps, slowest);
    const mostTake = rates[rates.length >> 1] ?? maxBps;
    for (const viewer of this.viewers) viewer.compare(mostTake, nowMs);
  }

  describe(): { codec: VideoCodecName; width: number; height: number; fps: number; bitrateBps: number } {
    const { width, height, fps } = this.tier;
    return { codec: this.format.codec, width, height, fps, bitrateBps: this.bitrateBps };
  }

  /** Never rejects. `canvas` is only read, until it is settled. */
  async encode(canvas: Canvas, nowMs: number): Promise<void> {
    const { counts } = this.options;
    if (this.closed || this.unused) return;
    this.busy = true;
    try {
      const encoder = await this.ready();
      encoder.setBitrate(this.bitrateBps);
      const key = this.demand.isDue(nowMs);
      const frame = await encoder.encode(canvas, this.pts(nowMs), key);
      if (encoder.failures > 0) throw new Error('the library could not encode');
      counts.encodes++;
      counts.encodesUnshared += this.viewers.size;
      if (frame !== null) this.send(frame.data, frame.keyFrame, nowMs);
    } catch {
      // One that fails is made anew for the next frame.
      this.encoder?.close();
      this.encoder = null;
      counts.framesBroken++;
    } finally {
      this.busy = false;
      if (this.closed) this.free();
    }
  }

  close(): void {
    this.closed = true;
    if (!this.busy) this.free();
  }

  private send(data: Uint8Array, keyFrame: boolean, nowMs: number): void {
    if (this.closed) return;
    if (keyFrame) this.demand.sent(nowMs);
    const { format, payloads } = this;
    if (format.codec === 'H264') {
      if (!packetizeH264(data, format.mode, MAX_VIDEO_PAYLOAD, payloads)) return this.leftOut();
    } else {
      this.pictureId = (this.pictureId + 1) & 0x7fff;
      packetizeVp8(data, this.pictureId, MAX_VIDEO_PAYLOAD, payloads);
    }
    const first = this.sent.add(payloads, nowMs, keyFrame);
    for (const viewer of this.viewers) viewer.offer(this, first, keyFrame);
    if (this.viewers.size > 0) this.options.encoded();
    for (const sink of this.sinks) sink.encoded(data, keyFrame, nowMs);
  }

  /** A slice was too long for mode 0: what follows is of no use without it. */
  private leftOut(): void {
    this.options.counts.framesBroken++;
    this.demand.newcomer();
  }

  /** In frames of the tier, growing, also where one came late. */
  private pts(nowMs: number): number {
    this.frames = Math.max(this.frames + 1, Math.round((nowMs * this.tier.fps) / 1000));
    return this.frames;
  }

  private async ready(): Promise<VideoEncoder> {
    const speed = this.options.speed();
    if (this.encoder !== null && speed === this.speed) return this.encoder;
    this.encoder?.close();
    this.speed = speed;
    this.encoder = await this.open(speed);
    return this.encoder;
  }

  private open(speed: EncoderSpeed): Promise<VideoEncoder> {
    const { format, tier, bitrateBps } = this;
    const { width, height, fps } = tier;
    const maxNalBytes = format.mode === 0 ? MAX_VIDEO_PAYLOAD : null;
    const h264 = { profile: format.profile, level: levelFor(tier), maxNalBytes };
    return this.options.engine.openEncoder({ codec: format.codec, width, height, fps, bitrateBps, speed, h264 });
  }

  private free(): void {
    this.encoder?.close();
    this.encoder = null;
  }
}
