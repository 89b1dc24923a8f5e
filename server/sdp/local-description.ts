import { isIPv6 } from 'node:net';
import type {
  AudioCodecName,
  AudioFormat,
  AudioLevelExtension,
  MediaDirection,
  TelephoneEventFormat,
} from '../../mixer/protocol.ts';
import {
  AUDIO_CAPABILITIES,
  COMFORT_NOISE_PAYLOAD_TYPE,
  MAX_PTIME_MS,
  TELEPHONE_EVENTS,
} from './audio-capabilities.ts';
import { writeAudioLevel } from './audio-level-extension.ts';
import type { MediaDescription, SdpAttribute, SdpLine, SessionDescription } from './session-description.ts';
import type { SendKeys, SrtpPolicy } from './srtp-policy.ts';

/** Our side of a session. */
export interface LocalMedia {
  /** Unicast IPv4 or IPv6, without brackets. */
  address: string;
  rtpPort: number;
  rtcpPort: number;
  /** Stays for the session's life. Both below 2^62 (RFC 3264 §5). */
  sessionId: bigint;
  sessionVersion: bigint;
  /** In the order of preference. */
  codecs: readonly AudioCodecName[];
  /** How long we want the packets to be that we receive. */
  ptimeMs: number;
  /** What we want for ourselves: `sendrecv`, or less when we hold. */
  direction: MediaDirection;
  srtp: SrtpPolicy;
  sendKeys: SendKeys;
}

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

export const DEFAULT_TIMING: readonly SdpLine[] = [{ type: 't', value: '0 0' }];

export function describeSession(
  local: LocalMedia,
  timing: readonly SdpLine[],
  media: MediaDescription[],
): SessionDescription {
  const connection = { networkType: 'IN', addressType: isIPv6(local.address) ? 'IP6' : 'IP4', address: local.address };
  return {
    origin: {
      username: '-',
      sessionId: String(local.sessionId),
      sessionVersion: String(local.sessionVersion),
      ...connection,
    },
    sessionName: '-',
    connection,
    timing: [...timing],
    attributes: [],
    otherLines: [],
    media,
  };
}

export function describeAudio(local: LocalMedia, outline: AudioOutline): MediaDescription {
  const attributes: SdpAttribute[] = [
    ...outline.formats.flatMap(audioFormatAttributes),
    ...(outline.comfortNoise ? [{ name: 'rtpmap', value: `${COMFORT_NOISE_PAYLOAD_TYPE} CN/8000` }] : []),
    ...outline.telephoneEvents.flatMap(telephoneEventAttributes),
    { name: 'ptime', value: String(local.ptimeMs) },
    { name: 'maxptime', value: String(MAX_PTIME_MS) },
    { name: outline.direction, value: null },
  ];
  // Without it the other side takes the port above RTP's (RFC 3605 §2.1).
  if (local.rtcpPort !== local.rtpPort + 1) attributes.push({ name: 'rtcp', value: String(local.rtcpPort) });
  if (outline.rtcpMux) attributes.push({ name: 'rtcp-mux', value: null });
  if (outline.audioLevel !== null) attributes.push(writeAudioLevel(outline.audioLevel));
  if (outline.voipMetrics) attributes.push({ name: 'rtcp-xr', value: 'voip-metrics' });
  attributes.push(...outline.crypto);
  const payloadTypes = [
    ...outline.formats.map(({ payloadType }) => payloadType),
    ...(outline.comfortNoise ? [COMFORT_NOISE_PAYLOAD_TYPE] : []),
    ...outline.telephoneEvents.map(({ payloadType }) => payloadType),
  ];
  return {
    media: 'audio',
    port: local.rtpPort,
    portCount: 1,
    protocol: outline.protocol,
    formats: payloadTypes.map(String),
    connections: [],
    attributes,
    otherLines: [],
  };
}

/** A stream that we do not take, or no longer (RFC 3264 §6, §8.2): port 0; its formats are ignored, but one must be there. */
export function refuseMedia(media: MediaDescription): MediaDescription {
  return {
    media: media.media,
    port: 0,
    portCount: 1,
    protocol: media.protocol,
    formats: media.formats.length === 0 ? ['0'] : media.formats,
    connections: [],
    attributes: [],
    otherLines: [],
  };
}

/** Static payload types get an rtpmap too: some phones do not know G.722's (RFC 8866 §6.6 recommends it). */
function audioFormatAttributes(format: AudioFormat): SdpAttribute[] {
  const { encodingName, clockRateHz, channels } = AUDIO_CAPABILITIES[format.codec];
  const encoding = channels === 1 ? `${encodingName}/${clockRateHz}` : `${encodingName}/${clockRateHz}/${channels}`;
  const attributes: SdpAttribute[] = [{ name: 'rtpmap', value: `${format.payloadType} ${encoding}` }];
  const parameters = Object.entries(format.parameters).map(([name, value]) => `${name}=${value}`);
  if (parameters.length > 0) {
    attributes.push({ name: 'fmtp', value: `${format.payloadType} ${parameters.join(';')}` });
  }
  return attributes;
}

function telephoneEventAttributes(format: TelephoneEventFormat): SdpAttribute[] {
  return [
    { name: 'rtpmap', value: `${format.payloadType} telephone-event/${format.clockRateHz}` },
    { name: 'fmtp', value: `${format.payloadType} ${TELEPHONE_EVENTS}` },
  ];
}
