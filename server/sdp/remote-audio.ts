import { isIPv6 } from 'node:net';
import type {
  AudioFormat,
  AudioLevelExtension,
  MediaDirection,
  RemoteMediaAddress,
  TelephoneEventFormat,
} from '../../mixer/protocol.ts';
import {
  audioFormatsOf,
  hasComfortNoise,
  MAX_PTIME_MS,
  MIN_PTIME_MS,
  telephoneEventsOf,
} from './audio-capabilities.ts';
import { readAudioLevel } from './audio-level-extension.ts';
import {
  attributeValue,
  type RtpFormat,
  readConnectionTarget,
  readDirection,
  readPacketTime,
  readRtcpPort,
  readRtpFormats,
} from './media-attributes.ts';
import type { AttributeHolder, MediaDescription, SessionDescription } from './session-description.ts';

/** What the other side says of an audio stream, from its offer or answer alike. */
export interface RemoteAudio {
  formats: RtpFormat[];
  /** Those of our codecs, in its order. */
  codecs: AudioFormat[];
  telephoneEvents: TelephoneEventFormat[];
  /** Payload type 13 is comfort noise to it. */
  comfortNoise: boolean;
  /** It does not want our silence left out (RFC 3108 §5.6.2.6, `a=silenceSupp`), whatever it can do. */
  wantsSilence: boolean;
  /** The level of each packet that it would send; null when none. */
  audioLevel: AudioLevelExtension | null;
  /** From its point of view. */
  direction: MediaDirection;
  /** It asks, in the old way, for nothing to be sent to it (RFC 3264 §8.4). */
  addressless: boolean;
  /** Its address family where it gave an address; 0 where not. */
  family: 0 | 4 | 6;
  /** Null where it gave no usable one. */
  remote: RemoteMediaAddress | null;
  rtcpMux: boolean;
  /** How long it wants our packets to be, within what we can do; null when it does not say. */
  ptimeMs: number | null;
  maxptimeMs: number;
  /** It wants our VoIP metrics in RTCP (RFC 3611 §5.1). */
  voipMetrics: boolean;
}

export function readRemoteAudio(session: SessionDescription, media: MediaDescription): RemoteAudio {
  const formats = readRtpFormats(media);
  const target = readConnectionTarget(session, media);
  const rtcpMux = attributeValue(media, 'rtcp-mux') !== null && !clashesWithRtcp(media);
  const rtcpPort = rtcpMux ? media.port : readRtcpPort(media);
  const ptimeMs = readPacketTime(session, media, 'ptime');
  const maxptimeMs = readPacketTime(session, media, 'maxptime') ?? MAX_PTIME_MS;
  return {
    formats,
    codecs: audioFormatsOf(formats),
    telephoneEvents: telephoneEventsOf(formats),
    comfortNoise: hasComfortNoise(formats),
    wantsSilence: /^off(?:\s|$)/i.test(attributeValue(media, 'silenceSupp') ?? ''),
    audioLevel: readAudioLevel(session, media),
    direction: readDirection(session, media),
    addressless: target.kind === 'hold',
    family: target.kind === 'unicast' ? target.family : 0,
    remote: target.kind === 'unicast' ? { address: target.address, rtpPort: media.port, rtcpPort } : null,
    rtcpMux,
    ptimeMs: ptimeMs === null ? null : withinBounds(Math.round(ptimeMs / 10) * 10),
    maxptimeMs: withinBounds(Math.floor(maxptimeMs / 10) * 10),
    voipMetrics: wantsVoipMetrics(session) || wantsVoipMetrics(media),
  };
}

/** With payload types 64–95, RTP and RTCP could not be told apart on one port (RFC 5761 §4). */
function clashesWithRtcp(media: MediaDescription): boolean {
  return media.formats.some((format) => Number(format) >= 64 && Number(format) <= 95);
}

/** `a=rtcp-xr:` and the reports that are wanted, separated by spaces (RFC 3611 §5.1). */
function wantsVoipMetrics(holder: AttributeHolder): boolean {
  return (attributeValue(holder, 'rtcp-xr') ?? '').toLowerCase().split(/\s+/).includes('voip-metrics');
}

function withinBounds(ptimeMs: number): number {
  return Math.min(Math.max(ptimeMs, MIN_PTIME_MS), MAX_PTIME_MS);
}

/** How long the packets that we send it shall be. */
export function sendPtimeFor(remote: RemoteAudio, wantedMs: number): number {
  return Math.min(remote.ptimeMs ?? wantedMs, remote.maxptimeMs);
}

/** Our direction: what we want, as far as the other side's leaves room for it (RFC 3264 §6.1). */
export function directionTowards(remote: RemoteAudio, wanted: MediaDirection): MediaDirection {
  const theySend = remote.direction === 'sendrecv' || remote.direction === 'sendonly';
  const theyReceive = (remote.direction === 'sendrecv' || remote.direction === 'recvonly') && !remote.addressless;
  const send = theyReceive && (wanted === 'sendrecv' || wanted === 'sendonly');
  const receive = theySend && (wanted === 'sendrecv' || wanted === 'recvonly');
  if (send) return receive ? 'sendrecv' : 'sendonly';
  return receive ? 'recvonly' : 'inactive';
}

/** Whether we can send to it from `address`, as far as the families tell. */
export function isReachable({ family }: RemoteAudio, address: string): boolean {
  return family === 0 || family === (isIPv6(address) ? 6 : 4);
}

/**
 * The same stream with an address that will be seen by what comes from it; null when it sends nothing.
 *
 * Deviation: RFC 6157 §4.1 refuses an address of a family that is not ours. But a phone that signals to our family has an
 * address of it, even when it writes another one (linphone does, where its host has IPv6), and sends from it to ours.
 */
export function withoutAddress(audio: RemoteAudio): RemoteAudio | null {
  const sends = audio.direction === 'sendrecv' || audio.direction === 'sendonly';
  return sends ? { ...audio, remote: null } : null;
}
