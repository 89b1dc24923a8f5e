import type { RtpPacket } from '../../rtp/rtp-packet.ts';
import type { VideoCodecName } from '../../video-protocol.ts';

/** A packet that does not belong to the stream: the beginning of another one, if the next follows it. */
export class StrayPacket {
  readonly sequenceNumber: number;
  readonly timestamp: number;
  readonly marker: boolean;
  readonly codec: VideoCodecName;
  /** A copy. */
  readonly payload: Uint8Array;
  private readonly ssrc: number;

  constructor({ ssrc, sequenceNumber, timestamp, marker }: RtpPacket, codec: VideoCodecName, payload: Uint8Array) {
    this.ssrc = ssrc;
    this.sequenceNumber = sequenceNumber;
    this.timestamp = timestamp;
    this.marker = marker;
    this.codec = codec;
    this.payload = Uint8Array.from(payload);
  }

  isFollowedBy({ ssrc, sequenceNumber }: RtpPacket): boolean {
    return ssrc === this.ssrc && ((this.sequenceNumber + 1) & 0xffff) === sequenceNumber;
  }
}
