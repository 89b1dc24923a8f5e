import { isIP } from 'node:net';
import type { MediaDirection } from '../../mixer/protocol.ts';
import type { AttributeHolder, MediaDescription, SdpAttribute, SessionDescription } from './session-description.ts';

/** A format of an RTP stream: a payload type with its `a=rtpmap` and `a=fmtp` (RFC 8866 §6.6, §6.15). */
export interface RtpFormat {
  payloadType: number;
  /** Encoding name as written; compared without regard to case (RFC 4855 §3). */
  encodingName: string;
  clockRateHz: number;
  channels: number;
  /** `a=fmtp` without the payload type. */
  fmtp: string | null;
}

/** What a `c=` line says of the place to send to. */
export type ConnectionTarget =
  | { kind: 'unicast'; address: string; family: 4 | 6 }
  /** `0.0.0.0` (RFC 3264 §8.4), or what stands for it with IPv6: `::`, or a name under `.invalid` (RFC 6157 §4). */
  | { kind: 'hold' }
  /** None, a host name, or a multicast or broadcast address, to which a conference must not be made to send. */
  | { kind: 'unknown' };

/** RFC 3551 §6, as far as we know the codecs: these need no rtpmap. */
const STATIC_RTPMAPS: ReadonlyMap<number, string> = new Map([
  [0, 'PCMU/8000'],
  [8, 'PCMA/8000'],
  [9, 'G722/8000'],
  [13, 'CN/8000'],
]);

const DIRECTIONS: ReadonlySet<string> = new Set<MediaDirection>(['sendrecv', 'sendonly', 'recvonly', 'inactive']);

/** The trimmed value of the first attribute of that name: '' if it has none, null if there is no such attribute. */
export function attributeValue(holder: AttributeHolder, name: string): string | null {
  const attribute = holder.attributes.find((candidate) => candidate.name === name);
  return attribute === undefined ? null : (attribute.value ?? '').trim();
}

/** From the point of view of the one who wrote it; the session's holds where the stream has none (RFC 8866 §6.7). */
export function readDirection(session: AttributeHolder, media: AttributeHolder): MediaDirection {
  return directionOf(media) ?? directionOf(session) ?? 'sendrecv';
}

function directionOf(holder: AttributeHolder): MediaDirection | null {
  const attribute = holder.attributes.find((candidate) => DIRECTIONS.has(candidate.name));
  return attribute === undefined ? null : (attribute.name as MediaDirection);
}

/** All payload types of the `m=` line that have a meaning, in its order. */
export function readRtpFormats(media: MediaDescription): RtpFormat[] {
  const rtpmaps = valuesByPayloadType(media.attributes, 'rtpmap');
  const fmtps = valuesByPayloadType(media.attributes, 'fmtp');
  const formats = new Map<number, RtpFormat>();
  for (const text of media.formats) {
    const payloadType = readPayloadType(text);
    if (payloadType === null || formats.has(payloadType)) continue;
    const encoding = readEncoding(rtpmaps.get(payloadType)) ?? readEncoding(STATIC_RTPMAPS.get(payloadType));
    if (encoding === null) continue;
    formats.set(payloadType, { payloadType, ...encoding, fmtp: fmtps.get(payloadType) ?? null });
  }
  return [...formats.values()];
}

/** `name/clock rate` or `name/clock rate/channels`. */
function readEncoding(text: string | undefined): Pick<RtpFormat, 'encodingName' | 'clockRateHz' | 'channels'> | null {
  const match = /^([^/\s]+)\/(\d{1,6})(?:\/(\d{1,2}))?$/.exec(text ?? '');
  if (match === null) return null;
  return { encodingName: match[1]!, clockRateHz: Number(match[2]), channels: Number(match[3] ?? 1) };
}

/** `a=name:<payload type> <text>`; the first one for a payload type counts. */
function valuesByPayloadType(attributes: SdpAttribute[], name: string): Map<number, string> {
  const values = new Map<number, string>();
  for (const attribute of attributes) {
    if (attribute.name !== name || attribute.value === null) continue;
    const match = /^\s*(\d{1,3})\s+(\S.*)$/.exec(attribute.value);
    const payloadType = readPayloadType(match?.[1]);
    if (payloadType !== null && !values.has(payloadType)) values.set(payloadType, match![2]!.trimEnd());
  }
  return values;
}

function readPayloadType(text: string | undefined): number | null {
  if (text === undefined || !/^(?:0|[1-9]\d{0,2})$/.test(text)) return null;
  const payloadType = Number(text);
  return payloadType <= 127 ? payloadType : null;
}

/** `name=value;name=value` (RFC 4855 §3), names in lower case; a bare name has ''. What is not of that form is left out. */
export function readFormatParameters(fmtp: string | null): Record<string, string> {
  const entries: [string, string][] = [];
  for (const part of (fmtp ?? '').split(';', 32)) {
    const equals = part.indexOf('=');
    const name = (equals === -1 ? part : part.slice(0, equals)).trim().toLowerCase();
    if (/^[a-z][a-z0-9._-]{0,63}$/.test(name)) entries.push([name, equals === -1 ? '' : part.slice(equals + 1).trim()]);
  }
  return Object.fromEntries(entries);
}

/**
 * `a=ptime` or `a=maxptime` in milliseconds, or null.
 *
 * They belong to a stream (RFC 8866 §6.4, §6.5); some phones say them for the session, which then holds for all streams.
 */
export function readPacketTime(
  session: AttributeHolder,
  media: AttributeHolder,
  name: 'ptime' | 'maxptime',
): number | null {
  const value = attributeValue(media, name) ?? attributeValue(session, name);
  const match = /^(\d{1,5})(?:\.\d{1,9})?$/.exec(value ?? '');
  const packetTimeMs = Number(match?.[1] ?? 0);
  return packetTimeMs > 0 ? packetTimeMs : null;
}

/**
 * The port of `a=rtcp` (RFC 3605), else the one above RTP's (RFC 3550 §11).
 *
 * Its address is not looked at: where RTCP really comes from is found by latching, as for RTP.
 */
export function readRtcpPort(media: MediaDescription): number {
  const match = /^(\d{1,5})(?:\s|$)/.exec(attributeValue(media, 'rtcp') ?? '');
  const port = Number(match?.[1] ?? 0);
  return port > 0 && port <= 65535 ? port : Math.min(media.port + 1, 65535);
}

/** The stream's first `c=`, else the session's. */
export function readConnectionTarget(session: SessionDescription, media: MediaDescription): ConnectionTarget {
  const connection = media.connections[0] ?? session.connection;
  if (connection === null || connection.networkType.toUpperCase() !== 'IN') return { kind: 'unknown' };
  const address = connection.address.split('/', 1)[0]!.toLowerCase();
  const family = isIP(address);
  if (family === 4) return ipv4Target(address);
  if (family === 6) return ipv6Target(address);
  return /(?:^|\.)invalid\.?$/.test(address) ? { kind: 'hold' } : { kind: 'unknown' };
}

function ipv4Target(address: string): ConnectionTarget {
  if (address === '0.0.0.0') return { kind: 'hold' };
  // 224.0.0.0/4 is multicast (RFC 5771), 240.0.0.0/4 reserved, with the broadcast address at its end (RFC 1112 §4).
  return Number(address.split('.', 1)[0]) >= 224 ? { kind: 'unknown' } : { kind: 'unicast', address, family: 4 };
}

function ipv6Target(address: string): ConnectionTarget {
  if (/^[0:]+$/.test(address)) return { kind: 'hold' };
  // ff00::/8 is multicast (RFC 4291 §2.7). A zone (`%eth0`) means nothing on our side of the link.
  if (address.startsWith('ff') || address.includes('%')) return { kind: 'unknown' };
  return { kind: 'unicast', address, family: 6 };
}
