import type { MediaDirection, MediaPorts } from '../../mixer/protocol.ts';
import type { VideoFormat, VideoStreamName } from '../../mixer/video-protocol.ts';
import { writeVideoBandwidth } from './bandwidth.ts';
import { describeStream, formatAttributes } from './local-description.ts';
import { writeFeedback } from './rtcp-feedback.ts';
import type { MediaDescription, SdpAttribute } from './session-description.ts';

/** What varies among our descriptions of the same video stream. */
export interface VideoOutline {
  protocol: string;
  /** Payload types that the other side shall use, in the order of preference, with our parameters. */
  formats: readonly VideoFormat[];
  direction: MediaDirection;
  rtcpMux: boolean;
  maxReceiveBps: number;
  /** Which of the two streams it is, where there are two; null: there is one. */
  name: VideoStreamName | null;
  /** `a=crypto` lines; none for plain RTP. */
  crypto: readonly SdpAttribute[];
}

/** `a=label` (RFC 4574) of our streams, by which a floor control stream speaks of them. */
export const STREAM_LABELS: Readonly<Record<VideoStreamName, string>> = { main: '11', slides: '12' };

export function describeVideo(ports: MediaPorts, outline: VideoOutline): MediaDescription {
  const { formats, name, maxReceiveBps } = outline;
  const sentAgain = formats.flatMap(({ payloadType, rtxPayloadType }) =>
    rtxPayloadType === null ? [] : [{ payloadType: rtxPayloadType, apt: String(payloadType) }],
  );
  return describeStream(ports, {
    ...outline,
    media: 'video',
    payloadTypes: [...formats, ...sentAgain].map(({ payloadType }) => payloadType),
    formatAttributes: [
      ...formats.flatMap(({ codec, payloadType, parameters }) =>
        formatAttributes(payloadType, `${codec}/90000`, parameters),
      ),
      ...sentAgain.flatMap(({ payloadType, apt }) => formatAttributes(payloadType, 'rtx/90000', { apt })),
      ...writeFeedback(formats),
    ],
    furtherAttributes:
      name === null
        ? []
        : [
            { name: 'content', value: name },
            { name: 'label', value: STREAM_LABELS[name] },
          ],
    bandwidth: writeVideoBandwidth(maxReceiveBps),
  });
}
