import type {
  MediaDescription,
  SdpAttribute,
  SdpConnection,
  SdpLine,
  SessionDescription,
} from '../../server/sdp/session-description.ts';

/** Uniform in [0, 1). */
export type Random = () => number;

/** The mulberry32 generator: the same numbers for the same seed. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[Math.floor(random() * choices.length)]!;
}

function several<T>(random: Random, most: number, make: () => T): T[] {
  return Array.from({ length: Math.floor(random() * (most + 1)) }, make);
}

const RTPMAPS = [
  'opus/48000/2',
  'G722/8000',
  'PCMA/8000',
  'PCMU/8000/1',
  'telephone-event/8000',
  'telephone-event/48000',
  'G729/8000',
  'VP8/90000',
  'VP8/90000',
  'H264/90000',
  'H264/90000',
  'rtx/90000',
];

const FMTPS = [
  'profile-level-id=42e01f;packetization-mode=1',
  'profile-level-id=42800d;max-fs=3600;max-mbps=108000;level-asymmetry-allowed=1',
  'profile-level-id=640c1f;packetization-mode=1;sprop-parameter-sets=Z00AKBpZUAoAtyA=,aENuPIA=',
  'profile-level-id=6e001f;packetization-mode=2',
  'max-fs=1200;max-fr=15',
  'apt=96',
  'apt=100',
  'useinbandfec=1',
];

const ATTRIBUTES = [
  'sendrecv',
  'sendonly',
  'recvonly',
  'inactive',
  'rtcp-mux',
  'rtcp:53020',
  'ptime:30',
  'maxptime:40',
  'mid:a1',
  'group:BUNDLE a1',
  'setup:actpass',
  'crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz',
  'rtcp-fb:* nack',
  'rtcp-fb:* nack pli',
  'rtcp-fb:* ccm fir tmmbr',
  'imageattr:* recv [x=[32:1:1280],y=[18:1:720]] send *',
  'framerate:15',
  'content:main',
  'content:slides',
  'label:12',
  'floorctrl:c-s',
  'floorid:2 mstrm:12',
  'connection:existing',
  'candidate:1 1 UDP 2130706431 192.0.2.1 4000 typ host',
  'x-empty:',
  'x-\u00e4: \u{1f4de} : =',
];

/** A description in which everything that SDP has may occur, of which many are offers that we can take. */
export function randomDescription(random: Random): SessionDescription {
  return {
    origin: {
      username: pick(random, ['-', 'alice', 'John Q. Public']),
      sessionId: String(Math.floor(random() * 2 ** 53)),
      sessionVersion: String(Math.floor(random() * 2 ** 31)),
      ...randomConnection(random),
    },
    sessionName: pick(random, ['-', 'Talk', 'a call \u00e0 trois']),
    connection: random() < 0.8 ? randomConnection(random) : null,
    timing: [{ type: 't', value: pick(random, ['0 0', '2873397496 2873404696']) }, ...repeats(random)],
    attributes: several(random, 3, () => randomAttribute(random)),
    otherLines: linesInOrder(random, ['i', 'u', 'e', 'p', 'b', 'k', 'x']),
    media: several(random, 4, () => randomMedia(random)),
  };
}

function repeats(random: Random): SdpLine[] {
  return random() < 0.2 ? [{ type: 'r', value: '7d 1h 0 25h' }] : [];
}

/** In the order in which they are written, so that reading gives the same order again. */
function linesInOrder(random: Random, types: string[]): SdpLine[] {
  return types.filter(() => random() < 0.15).map((type) => ({ type, value: `${type}: some = thing` }));
}

function randomConnection(random: Random): SdpConnection {
  return pick(random, [
    { networkType: 'IN', addressType: 'IP4', address: '192.0.2.1' },
    { networkType: 'IN', addressType: 'IP4', address: '0.0.0.0' },
    { networkType: 'IN', addressType: 'IP4', address: '224.2.1.1/127/3' },
    { networkType: 'IN', addressType: 'IP4', address: 'phone.example.com' },
    { networkType: 'IN', addressType: 'IP6', address: '2001:db8::1' },
  ]);
}

function randomAttribute(random: Random): SdpAttribute {
  const text = pick(random, ATTRIBUTES);
  const colon = text.indexOf(':');
  return colon === -1 ? { name: text, value: null } : { name: text.slice(0, colon), value: text.slice(colon + 1) };
}

function randomMedia(random: Random): MediaDescription {
  const dynamic = several(random, 6, () => 96 + Math.floor(random() * 32));
  const maps = dynamic.map((payloadType) => ({ name: 'rtpmap', value: `${payloadType} ${pick(random, RTPMAPS)}` }));
  const fmtps = dynamic
    .filter(() => random() < 0.7)
    .map((payloadType) => ({ name: 'fmtp', value: `${payloadType} ${pick(random, FMTPS)}` }));
  const port = random() < 0.2 ? 0 : 1 + Math.floor(random() * 65534);
  const media = pick(random, ['audio', 'audio', 'audio', 'video', 'video', 'application']);
  const floor = media === 'application' && random() < 0.8;
  return {
    media,
    port,
    portCount: random() < 0.1 && port > 0 ? 2 : 1,
    protocol: floor
      ? pick(random, ['UDP/BFCP', 'TCP/BFCP'])
      : pick(random, ['RTP/AVP', 'RTP/AVP', 'RTP/AVPF', 'RTP/SAVP', 'UDP/TLS/RTP/SAVPF']),
    formats: [pick(random, [0, 8, 9, 18, 127]), ...dynamic].map(String),
    connections: several(random, 1, () => randomConnection(random)),
    attributes: [...maps, ...fmtps, ...several(random, 5, () => randomAttribute(random))],
    otherLines: linesInOrder(random, ['i', 'b', 'k', 'x']),
  };
}
