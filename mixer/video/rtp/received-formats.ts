import type { VideoCodecName, VideoFormat } from '../../video-protocol.ts';

export interface ReceivedFormat {
  codec: VideoCodecName;
  /** In packets of another stream, which say whose place they take (RFC 4588). */
  isRetransmission: boolean;
  nack: boolean;
}

/** What the payload types of a stream are. */
export class ReceivedFormats {
  private readonly formats: (ReceivedFormat | null)[] = new Array<ReceivedFormat | null>(128).fill(null);

  configure(receive: readonly VideoFormat[]): void {
    this.formats.fill(null);
    for (const { codec, payloadType, rtxPayloadType, feedback } of receive) {
      const { nack } = feedback;
      this.formats[payloadType] = { codec, isRetransmission: false, nack };
      if (rtxPayloadType !== null) this.formats[rtxPayloadType] = { codec, isRetransmission: true, nack };
    }
  }

  /** Null: not negotiated. */
  of(payloadType: number): ReceivedFormat | null {
    return this.formats[payloadType] ?? null;
  }
}
