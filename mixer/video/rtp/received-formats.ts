import type { VideoCodecName, VideoFeedback, VideoFormat } from '../../video-protocol.ts';

export interface ReceivedFormat {
  codec: VideoCodecName;
  /** In packets of another stream, which say whose place they take (RFC 4588). */
  isRetransmission: boolean;
  feedback: VideoFeedback;
  /** What signalling said of this one alone; null: nothing. */
  parameterSets: string | null;
}

/** What the payload types of a stream are. */
export class ReceivedFormats {
  private readonly formats: (ReceivedFormat | null)[] = new Array<ReceivedFormat | null>(128).fill(null);

  configure(receive: readonly VideoFormat[]): void {
    this.formats.fill(null);
    for (const { codec, payloadType, rtxPayloadType, feedback, parameterSets = null } of receive) {
      this.formats[payloadType] = { codec, isRetransmission: false, feedback, parameterSets };
      if (rtxPayloadType !== null) {
        this.formats[rtxPayloadType] = { codec, isRetransmission: true, feedback, parameterSets };
      }
    }
  }

  /** Null: not negotiated. */
  of(payloadType: number): ReceivedFormat | null {
    return this.formats[payloadType] ?? null;
  }
}
