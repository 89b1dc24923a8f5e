import type { MissingPackets } from './missing-packets.ts';
import {
  PACKET_EMPTY,
  PACKET_KEY,
  PACKET_MARKER,
  PACKET_PARAMETERS,
  PACKET_STARTS,
  PACKET_VP8,
  type ReceivedPackets,
} from './received-packets.ts';

/** Nothing is missing; something is, and may still come; the packets end here. */
type Scanned = 'frame' | 'gap' | 'end';

/**
 * Finds frames among the packets of a stream: those that follow each other with the same timestamp, up to the marker. Waits
 * for what is missing as long as that is sensible, then goes on without.
 */
export class FrameAssembler {
  /** The frame found is from the `head` of the packets to before this. */
  frameEnd = 0;
  /** All packets of the frame are there, as far as can be known from those after its first. */
  whole = false;
  /** Something before the frame was lost, be it of the frame before it or its own beginning. */
  afterGap = true;
  /** A gap has lasted so long that it may stay. */
  stalled = false;
  /** The sender marks the ends of frames; else only the next timestamp tells. */
  trustsMarker = true;
  /** The sender's key frames have their parameter sets in them, so one without has lost its beginning. */
  sendsParameters = false;
  private readonly packets: ReceivedPackets;
  private readonly missing: MissingPackets;
  private readonly lost: (count: number) => void;
  /** Up to here the packets from `head` on are there, and of one frame. */
  private scannedTo = 0;
  /** `end` of the packets when no key frame was found behind a gap. */
  private searchedTo = -1;

  /** @param lost is told how many packets were given up that belong to no frame found. */
  constructor(packets: ReceivedPackets, missing: MissingPackets, lost: (count: number) => void) {
    this.packets = packets;
    this.missing = missing;
    this.lost = lost;
  }

  restart(): void {
    this.afterGap = true;
    this.stalled = false;
    this.trustsMarker = true;
    this.sendsParameters = false;
    this.scannedTo = 0;
    this.searchedTo = -1;
  }

  /** True: a frame was found, which must be used up with `used` before the next call. */
  find(nowMs: number): boolean {
    const { packets } = this;
    for (;;) {
      this.skipEmpty();
      const scanned = this.scan();
      this.whole = scanned === 'frame';
      this.stalled &&= scanned === 'gap';
      if (scanned !== 'gap') return this.whole;
      const gap = this.scannedTo;
      const waitedMs = this.missing.waitedMs(gap, nowMs);
      this.stalled = waitedMs >= this.missing.doubtMs;
      if (waitedMs >= this.missing.overtakenMs && this.jumpToKeyFrame()) continue;
      if (waitedMs < this.missing.giveUpMs) return false;
      if (gap > packets.head) return this.findEnd();
      this.passGap();
    }
  }

  /** Lets go of the frame found; what was missing in it is lost. */
  used(): void {
    this.afterGap = !this.whole && !this.endedByMarker();
    this.advance(this.frameEnd);
  }

  /** Whether the frame found has its beginning. */
  get begins(): boolean {
    return !this.afterGap || (this.packets.kind(this.packets.head) & PACKET_STARTS) !== 0;
  }

  private endedByMarker(): boolean {
    const last = this.frameEnd - 1;
    return this.packets.has(last) && (this.packets.kind(last) & PACKET_MARKER) !== 0;
  }

  private skipEmpty(): void {
    const { packets } = this;
    let to = packets.head;
    while (packets.has(to) && (packets.kind(to) & PACKET_EMPTY) !== 0) to++;
    if (to > packets.head) packets.advance(to);
  }

  /** Looks on from where it ended before. */
  private scan(): Scanned {
    const { packets } = this;
    const { head, end } = packets;
    if (head === end) return 'end';
    const timestamp = packets.timestamp(head);
    for (let at = Math.max(head, this.scannedTo); at < end; at++) {
      this.scannedTo = at;
      if (!packets.has(at)) return 'gap';
      if (this.endsAt(at, timestamp)) return 'frame';
    }
    this.scannedTo = end;
    return 'end';
  }

  /** Whether the frame of this timestamp is over with packet `at` or before it; then `frameEnd` is set. */
  private endsAt(at: number, timestamp: number): boolean {
    const { packets } = this;
    const kind = packets.kind(at);
    if ((kind & PACKET_EMPTY) !== 0) return false;
    if (packets.timestamp(at) !== timestamp) {
      this.frameEnd = at;
      return true;
    }
    if ((kind & PACKET_MARKER) === 0 || !this.trustsMarker) return false;
    this.frameEnd = at + 1;
    return true;
  }

  /** The end of a frame in which something is given up; false when it has not come yet. */
  private findEnd(): boolean {
    const { packets } = this;
    const timestamp = packets.timestamp(packets.head);
    let last = packets.head;
    for (let at = packets.head; at < packets.end; at++) {
      if (!packets.has(at)) continue;
      if (this.endsAt(at, timestamp)) {
        // What is missing before the next frame is of either.
        if (this.frameEnd === at) this.frameEnd = last + 1;
        return true;
      }
      last = at;
    }
    return false;
  }

  /** What is missing before the next packet is lost. */
  private passGap(): void {
    const { packets } = this;
    let to = packets.head;
    while (!packets.has(to)) to++;
    this.afterGap = true;
    this.advance(to);
  }

  /** Goes on with a whole key frame that stands behind a gap. */
  private jumpToKeyFrame(): boolean {
    const { packets } = this;
    if (this.searchedTo === packets.end) return false;
    let at = packets.head + 1;
    while (at < packets.end) {
      const end = this.mayStartKeyFrame(at) ? this.frameFrom(at) : at + 1;
      if (end < 0) {
        this.afterGap = true;
        this.advance(at);
        return true;
      }
      at = end;
    }
    this.searchedTo = packets.end;
    return false;
  }

  private mayStartKeyFrame(at: number): boolean {
    const { packets } = this;
    if (!packets.has(at)) return false;
    const kind = packets.kind(at);
    if ((kind & PACKET_STARTS) === 0) return false;
    if ((kind & (PACKET_VP8 | PACKET_PARAMETERS)) !== 0 || !this.sendsParameters) return true;
    return packets.has(at - 1) && packets.timestamp(at - 1) !== packets.timestamp(at);
  }

  /** Where the packets that begin with `from` end, be it that one is missing, or the frame over; -1: it is a whole key frame. */
  private frameFrom(from: number): number {
    const { packets } = this;
    const timestamp = packets.timestamp(from);
    let kinds = 0;
    let at = from;
    for (; at < packets.end && packets.has(at); at++) {
      if (packets.timestamp(at) === timestamp) kinds |= packets.kind(at);
      if (!this.endsAt(at, timestamp)) continue;
      return (kinds & PACKET_KEY) !== 0 ? -1 : this.frameEnd;
    }
    return at;
  }

  private advance(to: number): void {
    const lost = this.missing.giveUp(to);
    this.packets.advance(to);
    this.stalled = false;
    if (lost > 0) this.lost(lost);
  }
}
