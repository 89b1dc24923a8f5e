import type { VideoCodecName } from '../../video-protocol.ts';
import type { AccessUnit } from './access-unit.ts';
import type { FrameAssembler } from './frame-assembler.ts';
import { H264Depacketizer } from './h264-depacketizer.ts';
import { H264ParameterSets } from './h264-parameter-sets.ts';
import {
  PACKET_EMPTY,
  PACKET_KEY,
  PACKET_MALFORMED,
  PACKET_PARAMETERS,
  PACKET_STARTS,
  PACKET_VP8,
  type ReceivedPackets,
} from './received-packets.ts';
import { UnitWriter } from './unit-writer.ts';
import { addVp8 } from './vp8-depacketizer.ts';

const NO_OCTETS = new Uint8Array(0);

/** For all streams: units are put together one at a time. */
const writer = new UnitWriter();

/** Makes units of the frames that were found, and knows which of them can be decoded. */
export class UnitMaker {
  /** Until a key frame has come that is intact. */
  keyFrameNeeded = false;
  /** Handed out; of those, not intact; and what could not be decoded and was left out. */
  units = 0;
  brokenUnits = 0;
  droppedUnits = 0;
  private readonly packets: ReceivedPackets;
  private readonly frames: FrameAssembler;
  private readonly sets = new H264ParameterSets();
  private readonly h264 = new H264Depacketizer(writer, this.sets);
  private signalledSets: string | null = null;
  private codec: VideoCodecName | null = null;
  /** A key frame was handed out, and what followed can be decoded. */
  private begun = false;
  /** Something was lost since the last intact key frame. */
  private lossy = false;
  /** Parameter sets came in a unit of their own, and go with the next one. */
  private setsWait = false;

  constructor(packets: ReceivedPackets, frames: FrameAssembler) {
    this.packets = packets;
    this.frames = frames;
  }

  /** `sprop-parameter-sets`, which what comes in the stream goes before. */
  signalSets(text: string | null): void {
    if (text === this.signalledSets) return;
    this.signalledSets = text;
    if (text !== null) this.sets.addSignalled(text);
  }

  /** Another stream. */
  restart(): void {
    this.sets.clear();
    if (this.signalledSets !== null) this.sets.addSignalled(this.signalledSets);
    this.codec = null;
    this.begun = false;
    this.lossy = false;
    this.setsWait = false;
  }

  /** Packets were given up. */
  lossCame(): void {
    this.lossy = true;
    this.keyFrameNeeded = true;
    // What follows would be decoded into nonsense; of H.264 the decoder makes what it can.
    if (this.codec === 'VP8') this.begun = false;
  }

  /** Nothing is handed out before the next key frame. */
  requireKeyFrame(): void {
    this.begun = false;
    this.keyFrameNeeded = true;
  }

  /** Whether the stream may begin with this packet: nothing before it is needed. */
  mayBeginWith(kind: number): boolean {
    if ((kind & PACKET_STARTS) === 0) return false;
    return (kind & (PACKET_VP8 | PACKET_PARAMETERS)) !== 0 || this.sets.complete;
  }

  /** Of the frame that was found; null when there is nothing to decode. */
  make(): AccessUnit | null {
    const { packets, frames } = this;
    const isVp8 = (packets.kind(packets.head) & PACKET_VP8) !== 0;
    const codec = isVp8 ? 'VP8' : 'H264';
    if (codec !== this.codec) {
      this.codec = codec;
      this.begun = false;
    }
    const intact = isVp8 ? this.makeVp8() : this.makeH264();
    if (!isVp8 && this.h264.hasSps) frames.sendsParameters = true;
    if (!isVp8 && this.h264.slices === 0 && intact) {
      this.setsWait ||= this.h264.hasSps || this.h264.hasPps;
      return null;
    }
    const keyFrame = isVp8 ? this.isVp8KeyFrame() : this.h264.isKeyFrame;
    if (!intact) this.lossCame();
    if (!this.isUseful(isVp8, keyFrame, intact)) {
      this.keyFrameNeeded = true;
      this.droppedUnits++;
      return null;
    }
    if (keyFrame && intact) {
      this.begun = true;
      this.lossy = false;
      this.keyFrameNeeded = false;
    }
    this.units++;
    if (!intact) this.brokenUnits++;
    const rtpTimestamp = packets.timestamp(packets.head);
    const data = writer.finish(isVp8 ? NO_OCTETS : this.setsBefore(keyFrame));
    return { codec, data, rtpTimestamp, keyFrame, intact, afterLoss: this.lossy, arrivedMs: this.arrivedMs() };
  }

  private isUseful(isVp8: boolean, keyFrame: boolean, intact: boolean): boolean {
    if (writer.overflowed) return false;
    if (isVp8) return intact && (keyFrame || this.begun);
    if (this.h264.slices === 0) return false;
    // A decoder that has shown nothing yet can make nothing of a part.
    if (!this.begun) return keyFrame && intact && this.sets.complete;
    return true;
  }

  /** Writes the unit; true: all of it is there. */
  private makeVp8(): boolean {
    const { packets, frames } = this;
    writer.begin();
    let intact = frames.whole && (packets.kind(packets.head) & PACKET_STARTS) !== 0;
    for (let number = packets.head; number < frames.frameEnd; number++) {
      if (!packets.has(number)) continue;
      const kind = packets.kind(number);
      if ((kind & PACKET_EMPTY) !== 0) continue;
      if ((kind & PACKET_VP8) === 0 || (kind & PACKET_MALFORMED) !== 0) intact = false;
      else addVp8(packets.bytes(number), packets.length(number), writer);
    }
    return intact && !writer.overflowed;
  }

  private isVp8KeyFrame(): boolean {
    return (this.packets.kind(this.packets.head) & PACKET_KEY) !== 0;
  }

  private makeH264(): boolean {
    const { packets, frames, h264 } = this;
    h264.begin();
    let intact = frames.whole && frames.begins;
    for (let number = packets.head; number < frames.frameEnd; number++) {
      if (!packets.has(number)) {
        h264.gap();
        continue;
      }
      const kind = packets.kind(number);
      if ((kind & PACKET_EMPTY) !== 0) continue;
      if ((kind & (PACKET_VP8 | PACKET_MALFORMED)) !== 0) {
        h264.gap();
        intact = false;
      } else h264.add(packets.bytes(number), packets.length(number));
    }
    h264.gap();
    // Its parameter sets may have been in what was lost before it.
    const lostSets = h264.hasIdr && frames.afterGap && frames.sendsParameters && !h264.hasSps;
    return intact && !h264.damaged && !lostSets && !writer.overflowed;
  }

  private setsBefore(keyFrame: boolean): Uint8Array {
    const { h264, sets, setsWait } = this;
    this.setsWait = false;
    if (!setsWait && !(keyFrame && !(h264.hasSps && h264.hasPps))) return NO_OCTETS;
    return sets.bytes();
  }

  private arrivedMs(): number {
    const { packets, frames } = this;
    let first = Number.POSITIVE_INFINITY;
    for (let number = packets.head; number < frames.frameEnd; number++) {
      if (packets.has(number)) first = Math.min(first, packets.arrivedMs(number));
    }
    return first;
  }
}
