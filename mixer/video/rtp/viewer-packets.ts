import { RTP_HEADER_LENGTH, sequenceDistance, writeRtpHeader } from '../../rtp/rtp-packet.ts';
import type { VideoFormat } from '../../video-protocol.ts';
import { writeRtxHeader } from './rtx.ts';
import type { SentFrames } from './sent-frames.ts';

export interface ViewerPacketsOptions {
  ssrc: number;
  /**
   * Of what is sent again, where the format has a payload type for it.
   *
   * Deviation: RFC 3550 §6.4 wants sender reports of it too. Some receivers take any report for that of the picture, and those
   * that look at this one learn nothing by it: it has the timestamps of the stream. Others that send RTX leave them out, too.
   */
  rtxSsrc: number;
  /** 0 to 1, as `Math.random`: sequence numbers and timestamps begin anywhere (RFC 3550 §5.1). */
  random: () => number;
}

/** Repairs may take this share of the bitrate, and so much may be sent at once. */
const REPAIR_SHARE = 0.5;
const REPAIR_BURST_MS = 500;
/** A packet is not sent again twice within a round trip, or this, where none is known. */
const AGAIN_AFTER_MS = 50;
/** Of so many packets it is remembered when they were sent again. */
const REMEMBERED = 512;

/**
 * What one viewer is sent of the packets that an encoder makes for many: with sequence numbers and timestamps of their own,
 * when the viewer's pacer says so, and again when they are lost.
 */
export class ViewerPackets {
  readonly ssrc: number;
  readonly rtxSsrc: number;
  /** Of the last packet written: see `RtcpSession.sent`, which wants to know the time of the timestamp. */
  timestamp = 0;
  payloadLength = 0;
  atMs = 0;
  /** Frames whose last packet was written; key frames among them; packets that were sent again. */
  framesSent = 0;
  keyFramesSent = 0;
  retransmitted = 0;
  /** Null: nothing is watched. */
  private frames: SentFrames | null = null;
  private next = 0;
  /** Sequence number of a packet less its index; holds from `since` on. */
  private offset = 0;
  private since = 0;
  /** The last packet written was not the last of its frame. */
  private inFrame = false;
  private payloadType = 0;
  private rtxPayloadType: number | null = null;
  private nextSequence: number;
  private nextRtxSequence: number;
  private readonly timestampOffset: number;
  private readonly againSequence = new Int32Array(REMEMBERED).fill(-1);
  private readonly againMs = new Float64Array(REMEMBERED);
  private repairOctets = 0;
  private repairMs = -REPAIR_BURST_MS;

  constructor({ ssrc, rtxSsrc, random }: ViewerPacketsOptions) {
    this.ssrc = ssrc;
    this.rtxSsrc = rtxSsrc;
    this.nextSequence = Math.floor(random() * 0x10000);
    this.nextRtxSequence = Math.floor(random() * 0x10000);
    this.timestampOffset = Math.floor(random() * 2 ** 32);
  }

  configure(format: VideoFormat): void {
    // With another one a packet would not be octet for octet what it was, as SRTP needs it (RFC 3711 §9.1).
    if (format.payloadType !== this.payloadType) this.since = this.next;
    this.payloadType = format.payloadType;
    this.rtxPayloadType = format.rtxPayloadType;
  }

  /** Goes on with these packets from `index` on, where a key frame should begin. What waits of others is not sent. */
  watch(frames: SentFrames, index: number): void {
    // A number is left out where a frame stays without its end: what was sent of it must not be taken for the whole.
    if (this.inFrame) this.nextSequence = (this.nextSequence + 1) & 0xffff;
    this.inFrame = false;
    this.frames = frames;
    this.next = index;
    this.since = index;
    this.offset = this.nextSequence - index;
  }

  /** Nothing is sent any more, until `watch`. */
  stop(): void {
    this.frames = null;
  }

  /** Octets of payload that wait to be sent. */
  get waitingOctets(): number {
    this.catchUp();
    return this.frames === null ? 0 : this.frames.octetsFrom(this.next);
  }

  /** How long the next packet has waited since its picture was composed; 0 when none waits. */
  waitedMs(nowMs: number): number {
    this.catchUp();
    const { frames, next } = this;
    return frames?.has(next) ? nowMs - frames.atMs(next) : 0;
  }

  /** Length of the next packet with its header; 0 when none waits. */
  get nextLength(): number {
    this.catchUp();
    const { frames, next } = this;
    return frames?.has(next) ? RTP_HEADER_LENGTH + frames.length(next) : 0;
  }

  /** Writes the next packet and returns its length; 0 when none waits. */
  writeNext(out: Uint8Array): number {
    this.catchUp();
    const { frames, next } = this;
    if (!frames?.has(next)) return 0;
    const sequenceNumber = (next + this.offset) & 0xffff;
    this.timestamp = (frames.timestamp(next) + this.timestampOffset) >>> 0;
    this.payloadLength = frames.length(next);
    this.atMs = frames.atMs(next);
    const marker = frames.marker(next);
    const at = writeRtpHeader(out, this.payloadType, marker, sequenceNumber, this.timestamp, this.ssrc);
    this.inFrame = !marker;
    if (marker) this.framesSent++;
    if (marker && frames.inKeyFrame(next)) this.keyFramesSent++;
    this.next = next + 1;
    this.nextSequence = (sequenceNumber + 1) & 0xffff;
    return frames.copy(next, out, at);
  }

  /**
   * What waits before the newest key frame is not sent; false when there is none among what waits. For a line that has
   * fallen far behind.
   */
  skipToKeyFrame(): boolean {
    const { frames, next } = this;
    if (frames === null || frames.keyFrameIndex <= next) return false;
    this.watch(frames, frames.keyFrameIndex);
    return true;
  }

  /**
   * Writes a lost packet again, as RTX where that was negotiated, and returns its length. 0 when it is not there any more
   * or was never sent, when it was sent again just before, and when repairs have had their share of `bitrateBps`.
   */
  writeAgain(
    sequenceNumber: number,
    out: Uint8Array,
    nowMs: number,
    bitrateBps: number,
    roundTripMs: number | null,
  ): number {
    const { frames } = this;
    if (frames === null) return 0;
    const index = this.next + sequenceDistance(this.nextSequence, sequenceNumber);
    if (index < this.since || index >= this.next || !frames.has(index)) return 0;
    if (this.wasJustRepeated(sequenceNumber, nowMs, roundTripMs ?? AGAIN_AFTER_MS)) return 0;
    if (!this.allowRepair(frames.length(index), nowMs, bitrateBps)) return 0;
    this.noteRepeated(sequenceNumber, nowMs);
    this.retransmitted++;
    const marker = frames.marker(index);
    const timestamp = (frames.timestamp(index) + this.timestampOffset) >>> 0;
    if (this.rtxPayloadType === null) {
      const at = writeRtpHeader(out, this.payloadType, marker, sequenceNumber, timestamp, this.ssrc);
      return frames.copy(index, out, at);
    }
    const header = writeRtpHeader(out, this.rtxPayloadType, marker, this.nextRtxSequence, timestamp, this.rtxSsrc);
    this.nextRtxSequence = (this.nextRtxSequence + 1) & 0xffff;
    return frames.copy(index, out, writeRtxHeader(out, header, sequenceNumber));
  }

  /** Packets may be gone before they were sent, where a viewer's line is so slow. */
  private catchUp(): void {
    const { frames } = this;
    if (frames === null || this.next >= frames.first) return;
    // The gap stays in the numbers: it is a loss to the viewer, who will ask for a key frame.
    this.next = frames.first;
    this.nextSequence = (this.next + this.offset) & 0xffff;
  }

  private wasJustRepeated(sequenceNumber: number, nowMs: number, withinMs: number): boolean {
    const slot = sequenceNumber % REMEMBERED;
    return this.againSequence[slot] === sequenceNumber && nowMs - this.againMs[slot]! < withinMs;
  }

  private noteRepeated(sequenceNumber: number, nowMs: number): void {
    const slot = sequenceNumber % REMEMBERED;
    this.againSequence[slot] = sequenceNumber;
    this.againMs[slot] = nowMs;
  }

  /** A bucket: who asks for everything again and again gets no more than a share. */
  private allowRepair(octets: number, nowMs: number, bitrateBps: number): boolean {
    const octetsPerMs = (bitrateBps * REPAIR_SHARE) / 8000;
    const most = octetsPerMs * REPAIR_BURST_MS;
    this.repairOctets = Math.min(most, this.repairOctets + (nowMs - this.repairMs) * octetsPerMs);
    this.repairMs = nowMs;
    if (this.repairOctets < octets) return false;
    this.repairOctets -= octets;
    return true;
  }
}
