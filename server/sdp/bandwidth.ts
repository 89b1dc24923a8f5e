import type { MediaDescription, SdpLine, SessionDescription } from './session-description.ts';

/** What we take for the sound when only a limit for the whole session is said: G.711 with its headers. */
const SOUND_BPS = 80_000;
/** Less makes no picture. */
const MIN_VIDEO_BPS = 64_000;
/** Of packets as large as ours, what is left without the headers of IP, UDP and RTP. */
const WITHOUT_HEADERS = 0.96;

/**
 * What the writer of a video stream wants to get at most, in bits a second of RTP payload; null: it does not say.
 *
 * `b=TIAS` (RFC 3890) is without headers, `b=AS` and `b=CT` (RFC 8866 §5.8) in kbit/s and with them. What is said for the
 * session alone holds for all its streams together.
 */
export function readVideoBandwidth(session: SessionDescription, media: MediaDescription): number | null {
  const own = readBandwidth(media.otherLines);
  if (own !== null) return Math.max(own, MIN_VIDEO_BPS);
  const all = readBandwidth(session.otherLines);
  return all === null ? null : Math.max(all - SOUND_BPS, MIN_VIDEO_BPS);
}

function readBandwidth(lines: readonly SdpLine[]): number | null {
  const bitsPerSecond = limitOf(lines, 'TIAS');
  if (bitsPerSecond !== null) return bitsPerSecond;
  const kilobitsPerSecond = limitOf(lines, 'AS') ?? limitOf(lines, 'CT');
  return kilobitsPerSecond === null ? null : Math.floor(kilobitsPerSecond * 1000 * WITHOUT_HEADERS);
}

/** 0 is nobody's limit for a stream that is there: some write it for a stream that they have not opened yet. */
function limitOf(lines: readonly SdpLine[], type: string): number | null {
  for (const line of lines) {
    const match = line.type === 'b' ? /^([A-Za-z]+):(\d{1,10})$/.exec(line.value.trim()) : null;
    if (match?.[1]?.toUpperCase() === type && Number(match[2]) > 0) return Number(match[2]);
  }
  return null;
}

/** Both forms, as some know only one. */
export function writeVideoBandwidth(bitsPerSecond: number): SdpLine[] {
  return [
    { type: 'b', value: `AS:${Math.ceil(bitsPerSecond / 1000 / WITHOUT_HEADERS)}` },
    { type: 'b', value: `TIAS:${bitsPerSecond}` },
  ];
}
