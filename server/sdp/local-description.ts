import { isIPv6 } from 'node:net';
import type { AudioCodecName, MediaDirection, MediaPorts } from '../../mixer/protocol.ts';
import type { VideoFormat, VideoStreamName } from '../../mixer/video-protocol.ts';
import type { FloorControlServer } from './floor-control.ts';
import type { PayloadTypes } from './payload-types.ts';
import type { MediaDescription, SdpAttribute, SdpLine, SessionDescription } from './session-description.ts';
import type { SendKeys, SrtpPolicy } from './srtp-policy.ts';
import type { VideoSettings } from './video-options.ts';

/** Our side of a session. */
export interface LocalMedia {
  /** Unicast IPv4 or IPv6, without brackets. */
  address: string;
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
  audio: LocalStream;
  /** Null: it is not wanted. */
  video: VideoSettings | null;
  main: LocalVideoStream<MediaPorts | null>;
  slides: LocalVideoStream<MediaPorts | null>;
  floorControl: FloorControlServer | null;
}

/** What one stream has for the session's life, and its ports; null: it has none at present. */
export interface LocalStream<P extends MediaPorts | null = MediaPorts> {
  ports: P;
  sendKeys: SendKeys;
  payloadTypes: PayloadTypes;
}

export interface LocalVideoStream<P extends MediaPorts | null = MediaPorts> extends LocalStream<P> {
  /** Those that we received when the stream was agreed upon last; also when it is there no more. */
  agreedFormats: readonly VideoFormat[];
}

/** A video stream that we want and have ports for; null: it is not to be had. */
export function videoStreamOf(
  local: LocalMedia,
  name: VideoStreamName,
): { stream: LocalVideoStream; settings: VideoSettings } | null {
  const { video: settings, [name]: stream } = local;
  if (settings === null || stream.ports === null || (name === 'slides' && !settings.slides)) return null;
  return { stream: { ...stream, ports: stream.ports }, settings };
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

/** What varies among our descriptions of RTP streams. */
export interface StreamOutline {
  media: 'audio' | 'video';
  protocol: string;
  payloadTypes: readonly number[];
  direction: MediaDirection;
  rtcpMux: boolean;
  /** Before and after those that all streams have. */
  formatAttributes: readonly SdpAttribute[];
  furtherAttributes: readonly SdpAttribute[];
  /** `a=crypto` lines; none for plain RTP. */
  crypto: readonly SdpAttribute[];
  bandwidth: readonly SdpLine[];
}

export function describeStream({ rtpPort, rtcpPort }: MediaPorts, outline: StreamOutline): MediaDescription {
  return {
    media: outline.media,
    port: rtpPort,
    portCount: 1,
    protocol: outline.protocol,
    formats: outline.payloadTypes.map(String),
    connections: [],
    attributes: [
      ...outline.formatAttributes,
      { name: outline.direction, value: null },
      // Without it the other side takes the port above RTP's (RFC 3605 §2.1).
      ...(rtcpPort === rtpPort + 1 ? [] : [{ name: 'rtcp', value: String(rtcpPort) }]),
      ...(outline.rtcpMux ? [{ name: 'rtcp-mux', value: null }] : []),
      ...outline.furtherAttributes,
      ...outline.crypto,
    ],
    otherLines: [...outline.bandwidth],
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

/** `a=rtpmap` and `a=fmtp` of one format. `encoding` is `name/clock rate` or `name/clock rate/channels`. */
export function formatAttributes(
  payloadType: number,
  encoding: string,
  parameters: Readonly<Record<string, string>> = {},
): SdpAttribute[] {
  const rtpmap = { name: 'rtpmap', value: `${payloadType} ${encoding}` };
  const written = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  return written.length === 0 ? [rtpmap] : [rtpmap, { name: 'fmtp', value: `${payloadType} ${written.join(';')}` }];
}
