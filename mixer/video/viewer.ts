import type { VideoMedia } from '../video-protocol.ts';
import { type Tier, TierChoice } from './picture-tiers.ts';
import { Pacer } from './rtp/pacer.ts';
import { SendRate } from './rtp/send-rate.ts';
import { ViewerPackets } from './rtp/viewer-packets.ts';
import { encoderFormat, type SharedEncoder } from './shared-encoder.ts';

/** A line that is so far behind begins anew at a key frame. */
const MOST_WAITING_MS = 1000;

export interface ViewerOptions {
  id: number;
  startMs: number;
  ssrc: number;
  rtxSsrc: number;
  /** Where the next packet is written. */
  buffer(): Uint8Array;
  /** Sends what was written; `packets` says what it was. */
  sendPacket(length: number): void;
  sendAgain(length: number): void;
}

/** One who is sent a composition: from which encoder, which of its packets are due, and how much their line carries. */
export class Viewer {
  readonly id: number;
  readonly packets: ViewerPackets;
  readonly rate: SendRate;
  private readonly options: ViewerOptions;
  private readonly pacer = new Pacer();
  private readonly choice = new TierChoice();
  private encoder: SharedEncoder | null = null;
  /** Nothing is sent before a key frame. */
  private awaitsKeyFrame = true;

  constructor(options: ViewerOptions) {
    this.options = options;
    this.id = options.id;
    this.rate = new SendRate(options.startMs);
    this.packets = new ViewerPackets({ ssrc: options.ssrc, rtxSsrc: options.rtxSsrc, random: Math.random });
  }

  get watched(): SharedEncoder | null {
    return this.encoder;
  }

  update({ send, limits }: VideoMedia): void {
    // What waits is of the format before.
    if (this.encoder !== null && this.encoder.format.key !== encoderFormat(send).key) this.leave();
    this.packets.configure(send);
    this.rate.limit(limits.maxBitrateBps);
  }

  /** Bits a second that they are sent now; 0: nothing. */
  get sendingBps(): number {
    return this.encoder?.bitrateBps ?? 0;
  }

  tier(tiers: readonly Tier[], nowMs: number): Tier {
    return this.choice.choose(tiers, this.rate.bitrateBps, nowMs);
  }

  /** @param others what most who see the same can take; who takes much less for long sees the next smaller tier */
  compare(othersBps: number, nowMs: number): void {
    this.choice.compare(this.rate.bitrateBps, othersBps, nowMs);
  }

  /** Sees what this encoder makes from its next key frame on. */
  watch(encoder: SharedEncoder): void {
    if (this.encoder === encoder) return;
    this.leave();
    this.encoder = encoder;
    encoder.add(this);
  }

  leave(): void {
    if (this.encoder === null) return;
    this.encoder.remove(this);
    this.encoder = null;
    this.packets.stop();
    this.awaitsKeyFrame = true;
  }

  keyFrameAsked(nowMs: number): void {
    this.encoder?.keyFrameAsked(this, nowMs);
  }

  /** A frame of the encoder is there, which begins with its packet `first`. */
  offer(encoder: SharedEncoder, first: number, keyFrame: boolean): void {
    if (!this.awaitsKeyFrame || !keyFrame) return;
    this.awaitsKeyFrame = false;
    this.packets.watch(encoder.sent, first);
  }

  /** There is something to be sent. */
  get waits(): boolean {
    return this.encoder !== null && this.packets.nextLength > 0;
  }

  /** Sends what may go by now. */
  send(nowMs: number): void {
    const { encoder, packets, pacer, options } = this;
    if (encoder === null || packets.nextLength === 0) return;
    if (packets.waitedMs(nowMs) > MOST_WAITING_MS && !packets.skipToKeyFrame()) this.keyFrameAsked(nowMs);
    pacer.begin(encoder.bitrateBps, packets.waitingOctets, nowMs);
    for (let length = packets.nextLength; length > 0 && pacer.take(length); length = packets.nextLength) {
      options.sendPacket(packets.writeNext(options.buffer()));
    }
  }

  /** They have lost a packet of ours. */
  packetLost(sequenceNumber: number, roundTripMs: number | null, nowMs: number): void {
    if (this.encoder === null) return;
    const { packets, options, encoder } = this;
    const length = packets.writeAgain(sequenceNumber, options.buffer(), nowMs, encoder.bitrateBps, roundTripMs);
    if (length > 0) options.sendAgain(length);
  }
}
