import type { AudioFormat, AudioLevelExtension, MediaDirection, TelephoneEventFormat } from '../../mixer/protocol.ts';
import {
  AUDIO_CAPABILITIES,
  COMFORT_NOISE_PAYLOAD_TYPE,
  MAX_PTIME_MS,
  TELEPHONE_EVENTS,
} from './audio-capabilities.ts';
import { writeAudioLevel } from './audio-level-extension.ts';
import { describeStream, formatAttributes, type LocalMedia } from './local-description.ts';
import type { MediaDescription, SdpAttribute } from './session-description.ts';

/** What varies among our descriptions of the same audio stream. */
export interface AudioOutline {
  protocol: string;
  /** Payload types that the other side shall use, in the order of preference. */
  formats: readonly AudioFormat[];
  telephoneEvents: readonly TelephoneEventFormat[];
  /** Silence may be comfort noise. */
  comfortNoise: boolean;
  /** The level of each packet that the other side shall send; null when it shall not. */
  audioLevel: AudioLevelExtension | null;
  direction: MediaDirection;
  rtcpMux: boolean;
  /** We want the other side's VoIP metrics, as it wants ours. */
  voipMetrics: boolean;
  /** `a=crypto` lines; none for plain RTP. */
  crypto: readonly SdpAttribute[];
}

export function describeAudio({ audio, ptimeMs }: LocalMedia, outline: AudioOutline): MediaDescription {
  const { formats, telephoneEvents, comfortNoise, audioLevel, voipMetrics } = outline;
  return describeStream(audio.ports, {
    ...outline,
    media: 'audio',
    payloadTypes: [
      ...formats.map(({ payloadType }) => payloadType),
      ...(comfortNoise ? [COMFORT_NOISE_PAYLOAD_TYPE] : []),
      ...telephoneEvents.map(({ payloadType }) => payloadType),
    ],
    formatAttributes: [
      ...formats.flatMap(audioFormatAttributes),
      ...(comfortNoise ? formatAttributes(COMFORT_NOISE_PAYLOAD_TYPE, 'CN/8000') : []),
      ...telephoneEvents.flatMap(telephoneEventAttributes),
      { name: 'ptime', value: String(ptimeMs) },
      { name: 'maxptime', value: String(MAX_PTIME_MS) },
    ],
    furtherAttributes: [
      ...(audioLevel === null ? [] : [writeAudioLevel(audioLevel)]),
      ...(voipMetrics ? [{ name: 'rtcp-xr', value: 'voip-metrics' }] : []),
    ],
    bandwidth: [],
  });
}

/** Static payload types get an rtpmap too: some phones do not know G.722's (RFC 8866 §6.6 recommends it). */
function audioFormatAttributes({ codec, payloadType, parameters }: AudioFormat): SdpAttribute[] {
  const { encodingName, clockRateHz, channels } = AUDIO_CAPABILITIES[codec];
  const encoding = channels === 1 ? `${encodingName}/${clockRateHz}` : `${encodingName}/${clockRateHz}/${channels}`;
  return formatAttributes(payloadType, encoding, parameters);
}

function telephoneEventAttributes({ payloadType, clockRateHz }: TelephoneEventFormat): SdpAttribute[] {
  return [
    ...formatAttributes(payloadType, `telephone-event/${clockRateHz}`),
    { name: 'fmtp', value: `${payloadType} ${TELEPHONE_EVENTS}` },
  ];
}
