import { type RtpPacket, sequenceDistance } from '../../rtp/rtp-packet.ts';
import type { VideoCodecName, VideoFeedback, VideoFormat } from '../../video-protocol.ts';
import type { AccessUnit } from './access-unit.ts';
import { FrameAssembler } from './frame-assembler.ts';
import { inspectH264 } from './h264-depacketizer.ts';
import { MissingPackets } from './missing-packets.ts';
import { type ReceivedFormat, ReceivedFormats } from './received-formats.ts';
import {
  PACKET_EMPTY,
  PACKET_MALFORMED,
  PACKET_MARKER,
  PACKET_STARTS,
  ReceivedPackets,
  RING_PACKETS,
} from './received-packets.ts';
import { RTX_HEADER_LENGTH, rtxOriginal } from './rtx.ts';
import { StrayPacket } from './stray-packet.ts';
import { UnitMaker } from './unit-maker.ts';
import { MAX_UNIT_OCTETS } from './unit-writer.ts';
import { inspectVp8 } from './vp8-depacketizer.ts';

export type { AccessUnit };

export interface VideoReceiverCounters {
  /** Packets, retransmissions and duplicates among them. */
  received: number;
  duplicates: number;
  /** Came after their place had been given up. */
  late: number;
  /** Numbers that never came, as far as it was waited for them. */
  lost: number;
  /** Payloads that break the rules of their format. */
  malformed: number;
  /** The sender began anew, or more came than may wait. */
  resets: number;
}

/** Further away a packet is of another stream (RFC 3550 A.1). */
const MOST_AHEAD = RING_PACKETS - 1;
const MOST_BEHIND = 1000;
/** What the first packet of a stream may have overtaken. */
const OVERTAKEN_AT_START = 16;
const WAIT_AT_START_MS = 40;
/** A retransmission may be of what was not missed yet: the end of a frame. */
const RETRANSMITTED_AHEAD = 64;
const MAX_WAITING_OCTETS = MAX_UNIT_OCTETS + (MAX_UNIT_OCTETS >> 1);

/**
 * Makes units to decode of the packets of one video stream: in order, with what was lost and sent again, in either codec.
 *
 * The stream's beginning, another SSRC and a sender that counts anew are noticed here; a single stray packet is not taken
 * for one. No more waits than 3 MB in 2048 packets.
 */
export class VideoReceiver {
  readonly counters: VideoReceiverCounters = {
    ...{ received: 0, duplicates: 0, late: 0, lost: 0, malformed: 0, resets: 0 },
  };
  private readonly formats = new ReceivedFormats();
  private readonly packets = new ReceivedPackets();
  private readonly missing = new MissingPackets(this.packets);
  private readonly frames = new FrameAssembler(this.packets, this.missing, (count) => this.gaveUp(count));
  private readonly maker = new UnitMaker(this.packets, this.frames);
  private source: number | null = null;
  /** Of the last packet that was no retransmission. */
  private current: ReceivedFormat | null = null;
  private stray: StrayPacket | null = null;
  /** Nothing was used yet. */
  private fresh = true;
  private lastTimestamp = -1;

  /** SSRC of the stream; null before its first packet. The media source that our feedback is about. */
  get ssrc(): number | null {
    return this.source;
  }

  /** Asked for again, each time counted. */
  get nacked(): number {
    return this.missing.nacked;
  }

  /** Came after they were asked for. */
  get recovered(): number {
    return this.missing.recovered;
  }

  /** Units that were handed out; of those, not intact; and what could not be decoded and was left out. */
  get units(): number {
    return this.maker.units;
  }

  get brokenUnits(): number {
    return this.maker.brokenUnits;
  }

  get droppedUnits(): number {
    return this.maker.droppedUnits;
  }

  /** From RTCP; what retransmissions take goes before it. Null: not known. */
  set roundTripMs(roundTripMs: number | null) {
    this.missing.reportedRoundTripMs = roundTripMs;
  }

  /** Whether the sender should be asked for a key frame; until one has come. */
  get keyFrameNeeded(): boolean {
    return this.maker.keyFrameNeeded || this.frames.stalled;
  }

  /** The payload types that are received; the stream goes on. */
  configure(receive: readonly VideoFormat[]): void {
    this.formats.configure(receive);
  }

  /** What was agreed for the format that came last; null: none has. */
  get feedback(): VideoFeedback | null {
    return this.current?.feedback ?? null;
  }

  /**
   * What a payload type is; null: not negotiated. Retransmissions are not for `RtcpSession.received`, as they are of
   * another source.
   */
  kindOf(payloadType: number): 'media' | 'retransmission' | null {
    const format = this.formats.of(payloadType);
    if (format === null) return null;
    return format.isRetransmission ? 'retransmission' : 'media';
  }

  /** Takes a packet and copies its payload. All are to be given here, those too that RTCP has on probation. */
  put(packet: RtpPacket, payload: Uint8Array, nowMs: number): void {
    const format = this.formats.of(packet.payloadType);
    if (format === null) return;
    this.counters.received++;
    if (format.isRetransmission) return this.putRetransmission(packet, payload, format.codec, nowMs);
    const { ssrc, sequenceNumber, timestamp, marker } = packet;
    if (this.source === null) this.begin(ssrc, sequenceNumber);
    if (format !== this.current) this.formatChanged(format);
    const extended = this.extend(sequenceNumber);
    const behind = this.packets.end - extended;
    if (ssrc !== this.source || behind > MOST_BEHIND || behind < -MOST_AHEAD) {
      return this.putStray(packet, format.codec, payload, nowMs);
    }
    this.stray = null;
    this.take(extended, timestamp, marker, format.codec, payload, nowMs);
  }

  /** The next unit in the order of decoding; null when none is ready. To be asked every few milliseconds, until null. */
  next(nowMs: number): AccessUnit | null {
    if (this.fresh && this.mayBeginEarlier(nowMs)) return null;
    while (this.frames.find(nowMs)) {
      this.fresh = false;
      this.noteMarkers();
      const unit = this.maker.make();
      this.frames.used();
      if (unit !== null) return unit;
    }
    return null;
  }

  /** Fills in the sequence numbers that are to be asked for now, in order, and returns how many; for `writeNack`. */
  nacks(nowMs: number, out: Uint16Array): number {
    return this.missing.due(nowMs, out);
  }

  /** The decoder can make nothing of what follows, before a key frame: nothing else is handed out until one comes. */
  requireKeyFrame(): void {
    this.maker.requireKeyFrame();
  }

  /** What follows is shown all the same, as well as can be; but a key frame is needed to mend it. */
  wishKeyFrame(): void {
    this.maker.keyFrameNeeded = true;
  }

  /** Forgets the stream; the counters go on. */
  reset(): void {
    this.source = null;
    this.stray = null;
    this.maker.keyFrameNeeded = false;
    this.restart(0);
  }

  /** Each has parameter sets of its own (RFC 6184 §8.1). */
  private formatChanged(format: ReceivedFormat): void {
    this.current = format;
    this.missing.nack = format.feedback.nack;
    if (format.codec === 'H264') this.maker.signalSets(format.parameterSets);
  }

  private begin(ssrc: number, sequenceNumber: number): void {
    this.source = ssrc;
    // One cycle ahead, so that what was overtaken at the start has a number too.
    this.restart(sequenceNumber + 0x10000);
  }

  private restart(extended: number): void {
    this.packets.restart(extended);
    this.missing.clear();
    this.frames.restart();
    this.maker.restart();
    this.fresh = true;
    this.lastTimestamp = -1;
  }

  private extend(sequenceNumber: number): number {
    const { end } = this.packets;
    return end + sequenceDistance(end & 0xffff, sequenceNumber);
  }

  private putRetransmission(packet: RtpPacket, payload: Uint8Array, codec: VideoCodecName, nowMs: number): void {
    const original = rtxOriginal(payload);
    if (original < 0 || this.source === null) return;
    const extended = this.extend(original);
    const behind = this.packets.end - extended;
    if (behind > MOST_BEHIND || behind < -RETRANSMITTED_AHEAD) return;
    this.take(extended, packet.timestamp, packet.marker, codec, payload.subarray(RTX_HEADER_LENGTH), nowMs);
  }

  private take(
    extended: number,
    timestamp: number,
    marker: boolean,
    codec: VideoCodecName,
    payload: Uint8Array,
    nowMs: number,
  ): void {
    const { packets, missing, counters } = this;
    if (packets.seen(extended)) {
      counters.duplicates++;
      return;
    }
    if (this.isTooMuch(extended, payload.length)) this.flush(extended);
    if (extended < packets.head && !this.startsEarlier(extended, nowMs)) {
      counters.late++;
      return;
    }
    if (extended >= packets.end) missing.note(packets.end, extended, nowMs);
    else missing.came(extended, nowMs);
    const kind = inspect(codec, payload);
    if ((kind & PACKET_MALFORMED) !== 0) counters.malformed++;
    packets.put(extended, timestamp, kind | (marker ? PACKET_MARKER : 0), payload, nowMs);
  }

  /** The first packet that came may have overtaken others. */
  private startsEarlier(extended: number, nowMs: number): boolean {
    const { packets, missing } = this;
    if (!this.fresh || packets.head - extended > OVERTAKEN_AT_START) return false;
    missing.note(extended, packets.head, nowMs);
    packets.head = extended;
    this.frames.restart();
    return true;
  }

  /** Whether what is first now looks as if it had overtaken the beginning. */
  private mayBeginEarlier(nowMs: number): boolean {
    const { packets, maker } = this;
    const { head } = packets;
    if (!packets.has(head) || maker.mayBeginWith(packets.kind(head))) return false;
    return nowMs - packets.arrivedMs(head) < WAIT_AT_START_MS;
  }

  private isTooMuch(extended: number, octets: number): boolean {
    const { packets } = this;
    return extended - packets.head >= RING_PACKETS || packets.waitingOctets + octets > MAX_WAITING_OCTETS;
  }

  /** Gives up all that waits. */
  private flush(extended: number): void {
    const { packets } = this;
    this.counters.resets++;
    this.gaveUp(this.missing.giveUp(packets.end));
    this.maker.requireKeyFrame();
    packets.restart(Math.max(extended, packets.end));
    this.frames.restart();
  }

  private putStray(packet: RtpPacket, codec: VideoCodecName, payload: Uint8Array, nowMs: number): void {
    const { stray } = this;
    if (!stray?.isFollowedBy(packet)) {
      this.stray = new StrayPacket(packet, codec, payload);
      return;
    }
    const { ssrc, sequenceNumber, timestamp, marker } = packet;
    this.counters.resets++;
    this.stray = null;
    this.begin(ssrc, stray.sequenceNumber);
    this.take(this.packets.head, stray.timestamp, stray.marker, stray.codec, stray.payload, nowMs);
    this.take(this.extend(sequenceNumber), timestamp, marker, codec, payload, nowMs);
  }

  private gaveUp(packets: number): void {
    this.counters.lost += packets;
    this.maker.lossCame();
  }

  /** Some set the marker in each packet: then a picture goes on with the timestamp of the one before. */
  private noteMarkers(): void {
    const { packets, frames } = this;
    const timestamp = packets.timestamp(packets.head);
    const starts = (packets.kind(packets.head) & PACKET_STARTS) !== 0;
    if (timestamp === this.lastTimestamp && !starts && !frames.afterGap) frames.trustsMarker = false;
    this.lastTimestamp = timestamp;
  }
}

function inspect(codec: VideoCodecName, payload: Uint8Array): number {
  if (payload.length === 0) return PACKET_EMPTY;
  return codec === 'VP8' ? inspectVp8(payload, payload.length) : inspectH264(payload, payload.length);
}
