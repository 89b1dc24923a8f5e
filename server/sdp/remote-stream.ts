import { isIPv6 } from 'node:net';
import type { MediaDirection, RemoteMediaAddress } from '../../mixer/protocol.ts';
import {
  attributeValue,
  type RtpFormat,
  readConnectionTarget,
  readDirection,
  readRtcpPort,
  readRtpFormats,
} from './media-attributes.ts';
import type { MediaDescription, SessionDescription } from './session-description.ts';

/** What the other side says of any RTP stream, from its offer or answer alike. */
export interface RemoteStream {
  formats: RtpFormat[];
  /** From its point of view. */
  direction: MediaDirection;
  /** It asks, in the old way, for nothing to be sent to it (RFC 3264 §8.4). */
  addressless: boolean;
  /** Its address family where it gave an address; 0 where not. */
  family: 0 | 4 | 6;
  /** Null where it gave no usable one. */
  remote: RemoteMediaAddress | null;
  rtcpMux: boolean;
}

export function readRemoteStream(session: SessionDescription, media: MediaDescription): RemoteStream {
  const target = readConnectionTarget(session, media);
  const rtcpMux = attributeValue(media, 'rtcp-mux') !== null && !clashesWithRtcp(media);
  const rtcpPort = rtcpMux ? media.port : readRtcpPort(media);
  return {
    formats: readRtpFormats(media),
    direction: readDirection(session, media),
    addressless: target.kind === 'hold',
    family: target.kind === 'unicast' ? target.family : 0,
    remote: target.kind === 'unicast' ? { address: target.address, rtpPort: media.port, rtcpPort } : null,
    rtcpMux,
  };
}

/** With payload types 64–95, RTP and RTCP could not be told apart on one port (RFC 5761 §4). */
function clashesWithRtcp(media: MediaDescription): boolean {
  return media.formats.some((format) => Number(format) >= 64 && Number(format) <= 95);
}

/** Our direction: what we want, as far as the other side's leaves room for it (RFC 3264 §6.1). */
export function directionTowards(remote: RemoteStream, wanted: MediaDirection): MediaDirection {
  const theySend = remote.direction === 'sendrecv' || remote.direction === 'sendonly';
  const theyReceive = (remote.direction === 'sendrecv' || remote.direction === 'recvonly') && !remote.addressless;
  const send = theyReceive && (wanted === 'sendrecv' || wanted === 'sendonly');
  const receive = theySend && (wanted === 'sendrecv' || wanted === 'recvonly');
  if (send) return receive ? 'sendrecv' : 'sendonly';
  return receive ? 'recvonly' : 'inactive';
}

/** Whether we can send to it from `address`, as far as the families tell. */
export function isReachable({ family }: RemoteStream, address: string): boolean {
  return family === 0 || family === (isIPv6(address) ? 6 : 4);
}

/**
 * The same stream with an address that will be seen by what comes from it; null when it sends nothing.
 *
 * Deviation: RFC 6157 §4.1 refuses an address of a family that is not ours. But a phone that signals to our family has an
 * address of it, even when it writes another one (linphone does, where its host has IPv6), and sends from it to ours.
 */
export function withoutAddress<S extends RemoteStream>(stream: S): S | null {
  const sends = stream.direction === 'sendrecv' || stream.direction === 'sendonly';
  return sends ? { ...stream, remote: null } : null;
}
