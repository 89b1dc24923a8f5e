import type { SrtpSuite } from '../../../../mixer/protocol.ts';
import { LOOPBACK } from '../free-ports.ts';
import type { VideoCodec } from './coded-source.ts';
import type { VideoReceiveFormat } from './video-receiver.ts';

export interface OfferedFormat {
  codec: VideoCodec;
  /** Of H.264; 1 unless told. */
  packetizationMode?: 0 | 1;
  profileLevelId?: string;
}

export interface VideoOffer {
  /** The one that is sent first. */
  formats: readonly OfferedFormat[];
  direction?: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';
  /** NACK, PLI, FIR; without it nothing is asked for. */
  feedback?: boolean;
  /** RFC 4588. */
  rtx?: boolean;
  rtcpMux?: boolean;
  profile?: 'RTP/AVP' | 'RTP/AVPF';
  /** Only secured, by this suite. */
  srtp?: SrtpSuite;
  /** Further lines of the media. */
  attributes?: readonly string[];
}

export interface OfferedMedia {
  audioPort: number;
  /** Null: as in a call that has had no video; 'removed': port 0. */
  video: { port: number; offer: VideoOffer; srtpKey: string } | 'removed' | null;
  version: number;
}

const FIRST_PAYLOAD_TYPE = 96;
const RTX_FROM = 10;

function videoLines(port: number, offer: VideoOffer, srtpKey: string): string[] {
  const types = offer.formats.map((_, index) => FIRST_PAYLOAD_TYPE + index);
  const rtx = offer.rtx ? types.map((type) => type + RTX_FROM) : [];
  const profile = offer.profile ?? (offer.srtp ? 'RTP/SAVP' : 'RTP/AVP');
  const lines = [`m=video ${port} ${profile} ${[...types, ...rtx].join(' ')}`, ...(offer.attributes ?? [])];
  offer.formats.forEach(({ codec, packetizationMode = 1, profileLevelId = '42e01f' }, index) => {
    const type = types[index]!;
    lines.push(`a=rtpmap:${type} ${codec}/90000`);
    if (codec === 'H264') {
      lines.push(`a=fmtp:${type} profile-level-id=${profileLevelId};packetization-mode=${packetizationMode}`);
    }
  });
  for (const type of rtx) lines.push(`a=rtpmap:${type} rtx/90000`, `a=fmtp:${type} apt=${type - RTX_FROM}`);
  if (offer.feedback ?? true) lines.push('a=rtcp-fb:* nack', 'a=rtcp-fb:* nack pli', 'a=rtcp-fb:* ccm fir');
  if (offer.rtcpMux) lines.push('a=rtcp-mux');
  if (offer.srtp) lines.push(`a=crypto:1 ${offer.srtp} inline:${srtpKey}`);
  lines.push(`a=${offer.direction ?? 'sendrecv'}`);
  return lines;
}

export function writeOffer({ audioPort, video, version }: OfferedMedia): string {
  return [
    'v=0',
    `o=video 7 ${version} IN IP4 ${LOOPBACK}`,
    's=-',
    `c=IN IP4 ${LOOPBACK}`,
    't=0 0',
    `m=audio ${audioPort} RTP/AVP 0`,
    'a=rtpmap:0 PCMU/8000',
    'a=ptime:20',
    'a=sendrecv',
    ...(video === 'removed' ? [`m=video 0 RTP/AVP ${FIRST_PAYLOAD_TYPE}`] : []),
    ...(video !== null && video !== 'removed' ? videoLines(video.port, video.offer, video.srtpKey) : []),
    '',
  ].join('\r\n');
}

export interface AnsweredVideo {
  rtpPort: number;
  rtcpPort: number;
  /** The format that goes both ways. */
  format: VideoReceiveFormat;
  direction: string;
  /** Theirs; null: not secured. */
  srtpKey: string | null;
  lines: string[];
}

/** The lines of the first media of a kind. */
export function mediaLines(sdp: string, kind: 'audio' | 'video'): string[] | null {
  const parts = sdp.split(/^(?=m=)/m).filter((part) => part.startsWith(`m=${kind} `));
  return parts[0]?.trim().split(/\r?\n/) ?? null;
}

/** Null where the video was refused. */
export function readAnswer(sdp: string): AnsweredVideo | null {
  const lines = mediaLines(sdp, 'video');
  const [, port, , ...types] = lines?.[0]?.split(' ') ?? [];
  if (!lines || port === undefined || port === '0') return null;
  const formats = types.map((type) => ({ type, codec: codecOf(lines, type) }));
  const format = formats.find(({ codec }) => codec === 'H264' || codec === 'VP8');
  if (!format) throw new Error(`no codec in ${lines.join(' / ')}`);
  const rtx = formats.find(({ type }) => lines.includes(`a=fmtp:${type} apt=${format.type}`));
  const rtpPort = Number(port);
  const rtcp = /^a=rtcp:(\d+)/m.exec(lines.join('\n'))?.[1];
  const has = (feedback: string): boolean =>
    lines.some((line) => line === `a=rtcp-fb:* ${feedback}` || line === `a=rtcp-fb:${format.type} ${feedback}`);
  return {
    rtpPort,
    rtcpPort: lines.includes('a=rtcp-mux') ? rtpPort : Number(rtcp ?? rtpPort + 1),
    format: {
      codec: format.codec as VideoCodec,
      payloadType: Number(format.type),
      rtxPayloadType: rtx ? Number(rtx.type) : null,
      nack: has('nack'),
      pli: has('nack pli'),
    },
    direction: /^a=(sendrecv|sendonly|recvonly|inactive)$/m.exec(lines.join('\n'))?.[1] ?? 'sendrecv',
    srtpKey: /^a=crypto:1 \S+ inline:([^|\s]+)/m.exec(lines.join('\n'))?.[1] ?? null,
    lines,
  };
}

function codecOf(lines: readonly string[], type: string): string | undefined {
  return lines
    .map((line) => new RegExp(`^a=rtpmap:${type} ([^/]+)/90000`).exec(line)?.[1])
    .find((name) => name !== undefined);
}
