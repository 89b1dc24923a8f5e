import { attributeValue, readConnectionTarget } from './media-attributes.ts';
import type { MediaDescription, SdpAttribute, SessionDescription } from './session-description.ts';

/** The stream by which phones ask for the floor, to show slides (BFCP, RFC 8855), in SDP (RFC 8856). */

/** Our floor control server, as one participant is told of it. */
export interface FloorControlServer {
  /** Null: not served over this transport. */
  tcpPort: number | null;
  udpPort: number | null;
  /** `a=confid`, `a=userid`, `a=floorid` (RFC 8856 §5.2–§5.4). The floor is that of the slides. */
  conferenceId: number;
  userId: number;
  floorId: number;
}

/** A floor control stream that was agreed upon. We are always the server. */
export interface FloorControlMedia {
  transport: 'TCP' | 'UDP';
  /** Theirs; null where not known. */
  remote: { address: string; port: number } | null;
  /** With TCP, who opens the connection (RFC 4145 §4): `passive`, they do; `active`, we. Null with UDP. */
  setup: 'active' | 'passive' | null;
  conferenceId: number;
  userId: number;
  floorId: number;
}

/** What the other side says of such a stream, from its offer or answer alike. */
export interface RemoteFloorControl {
  transport: 'TCP' | 'UDP';
  /** Null where it gave no usable address, or the stream is refused. */
  remote: { address: string; port: number } | null;
  /** It can be a client of ours. */
  isClient: boolean;
  /** RFC 4145 §4; `active` where an offer does not say. */
  setup: 'active' | 'passive' | 'actpass' | 'holdconn';
  /** `a=connection:existing` (RFC 4145 §5): the connection of before goes on. */
  existing: boolean;
  /** The labels of streams that its floors are for. */
  streamLabels: string[];
}

const SETUPS = ['active', 'passive', 'actpass', 'holdconn'] as const;

/** Null: it is no floor control stream, or over a transport that we do not do (TLS, DTLS). */
export function readFloorControl(session: SessionDescription, media: MediaDescription): RemoteFloorControl | null {
  const match = /^(TCP|UDP)\/BFCP$/i.exec(media.protocol);
  if (media.media !== 'application' || match === null) return null;
  const target = readConnectionTarget(session, media);
  // In an offer without it, the offerer is the client (RFC 8856 §5.1).
  const roles = (attributeValue(media, 'floorctrl') ?? 'c-only').toLowerCase().split(/\s+/);
  const setup = attributeValue(media, 'setup')?.toLowerCase();
  return {
    transport: match[1]!.toUpperCase() as 'TCP' | 'UDP',
    remote: target.kind === 'unicast' && media.port !== 0 ? { address: target.address, port: media.port } : null,
    isClient: roles.includes('c-only') || roles.includes('c-s'),
    setup: SETUPS.find((name) => name === setup) ?? 'active',
    existing: attributeValue(media, 'connection')?.toLowerCase() === 'existing',
    streamLabels: media.attributes.flatMap(({ name, value }) => (name === 'floorid' ? labelsOf(value ?? '') : [])),
  };
}

/** `floorid:1 mstrm:10 11`; RFC 4583 had `m-stream` in its grammar, which Polycom's have too. */
function labelsOf(value: string): string[] {
  const match = /^\s*\d+\s+(?:mstrm|m-stream):(.+)$/i.exec(value);
  return match === null ? [] : match[1]!.trim().split(/\s+/);
}

/** Whether we can serve what was offered. */
export function canServe(theirs: RemoteFloorControl, server: FloorControlServer): boolean {
  return portOf(theirs.transport, server) !== null && theirs.isClient && theirs.setup !== 'holdconn';
}

export function portOf(transport: 'TCP' | 'UDP', { tcpPort, udpPort }: FloorControlServer): number | null {
  return transport === 'TCP' ? tcpPort : udpPort;
}

/** What was agreed, from what they said in an offer that `canServe`, or in an answer. */
export function agreeFloorControl(
  { transport, remote, setup }: RemoteFloorControl,
  { conferenceId, userId, floorId }: FloorControlServer,
): FloorControlMedia {
  const ours = setup === 'passive' ? 'active' : 'passive';
  return { transport, remote, setup: transport === 'UDP' ? null : ours, conferenceId, userId, floorId };
}

/** `slidesLabel` is null where there is no stream for slides. */
export function describeFloorControl(
  server: FloorControlServer,
  transport: 'TCP' | 'UDP',
  setup: FloorControlMedia['setup'],
  existing: boolean,
  slidesLabel: string | null,
): MediaDescription {
  const attributes: SdpAttribute[] = [
    { name: 'floorctrl', value: 's-only' },
    { name: 'confid', value: String(server.conferenceId) },
    { name: 'userid', value: String(server.userId) },
    { name: 'floorid', value: `${server.floorId}${slidesLabel === null ? '' : ` mstrm:${slidesLabel}`}` },
  ];
  if (setup !== null) {
    attributes.push({ name: 'setup', value: setup }, { name: 'connection', value: existing ? 'existing' : 'new' });
  }
  return {
    media: 'application',
    // RFC 4145 §4.1: who opens the connection has no port to tell.
    port: setup === 'active' ? 9 : (portOf(transport, server) ?? 0),
    portCount: 1,
    protocol: `${transport}/BFCP`,
    formats: ['*'],
    connections: [],
    attributes,
    otherLines: [],
  };
}
