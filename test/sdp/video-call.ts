import type { VideoStreamName } from '../../mixer/video-protocol.ts';
import {
  type AcceptResult,
  type AnswerResult,
  MediaSession,
  type MediaSessionOptions,
} from '../../server/sdp/media-session.ts';

/** A session with video, and what the other side writes, for tests. */

export const PORTS = {
  main: { rtpPort: 20002, rtcpPort: 20003 },
  slides: { rtpPort: 20004, rtcpPort: 20005 },
} as const;

/** Ours: 203.0.113.10, sound on 20000. */
export function videoSession(
  options: Partial<MediaSessionOptions> = {},
  bound: readonly VideoStreamName[] = ['main', 'slides'],
): MediaSession {
  const address = '203.0.113.10';
  const session = new MediaSession({ address, rtpPort: 20000, rtcpPort: 20001, sessionId: 7, video: {}, ...options });
  for (const stream of bound) session.bindVideo(stream, PORTS[stream]);
  return session;
}

export function theirs(...streamLines: string[]): string {
  return ['v=0', 'o=bob 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0', ...streamLines, ''].join('\r\n');
}

export const SOUND = 'm=audio 4000 RTP/AVP 0';
export const CAMERA = ['m=video 5000 RTP/AVP 97', 'a=rtpmap:97 VP8/90000'];
export const SLIDES = ['m=video 5002 RTP/AVP 97', 'a=rtpmap:97 VP8/90000', 'a=content:slides'];

export type Agreed<R> = Extract<R, { ok: true }>;

export function agreed<R extends AnswerResult | AcceptResult>(result: R): Agreed<R> {
  if (!result.ok) throw new Error(result.warning);
  return result as Agreed<R>;
}

/** The lines of a description that begin so. */
export function linesOf(sdp: string, start: string): string[] {
  return sdp.split('\r\n').filter((line) => line.startsWith(start));
}

/** The lines of one of its streams. */
export function sectionOf(sdp: string, index: number): string[] {
  const lines = sdp.trimEnd().split('\r\n');
  const starts = lines.flatMap((line, at) => (line.startsWith('m=') ? [at] : []));
  return lines.slice(starts[index], starts[index + 1]);
}
