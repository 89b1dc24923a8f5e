import { isIPv6 } from 'node:net';
import type { AudioCodecName, AudioFormat, AudioMedia } from '../../mixer/protocol.ts';
import { AUDIO_CAPABILITIES, telephoneEventFor } from './audio-capabilities.ts';
import { describeAudio, describeSession, type LocalMedia, refuseMedia } from './local-description.ts';
import { mediaNotAcceptable, type NegotiationFailure } from './negotiation-failure.ts';
import { directionTowards, type RemoteAudio, readRemoteAudio, sendPtimeFor } from './remote-audio.ts';
import type { MediaDescription, SessionDescription } from './session-description.ts';

export interface NegotiatedAnswer {
  ok: true;
  answer: SessionDescription;
  media: AudioMedia;
  /** Which stream of the offer was taken. */
  mediaIndex: number;
}

/** In the order in which they are looked for, so that the failure told is that of the stream that came nearest. */
const OBSTACLES = [304, 302, 301, 305] as const;
type Obstacle = (typeof OBSTACLES)[number];

/**
 * Answers an offer (RFC 3264 §6) with one audio stream, and refuses all its other streams.
 *
 * The first audio stream that we can take is taken; within a session, the one in use as long as we can.
 * `mediaIndexInUse` is null in the first exchange.
 */
export function negotiateAnswer(
  offer: SessionDescription,
  local: LocalMedia,
  mediaIndexInUse: number | null,
): NegotiatedAnswer | NegotiationFailure {
  const indices = [...offer.media.keys()];
  if (mediaIndexInUse !== null && mediaIndexInUse < indices.length) indices.unshift(mediaIndexInUse);
  let nearest: Obstacle = 304;
  for (const mediaIndex of indices) {
    const obstacleOrAudio = tryStream(offer, offer.media[mediaIndex]!, local);
    if (typeof obstacleOrAudio !== 'number') return acceptStream(offer, mediaIndex, obstacleOrAudio, local);
    if (OBSTACLES.indexOf(obstacleOrAudio) > OBSTACLES.indexOf(nearest)) nearest = obstacleOrAudio;
  }
  return mediaNotAcceptable(local.address, nearest);
}

function tryStream(offer: SessionDescription, media: MediaDescription, local: LocalMedia): RemoteAudio | Obstacle {
  if (media.media !== 'audio' || media.port === 0) return 304;
  if (!isPlainRtp(media.protocol)) return 302;
  const audio = readRemoteAudio(offer, media);
  // Of streams in two address families (RFC 4091), the one of ours is taken.
  if (audio.family !== 0 && audio.family !== (isIPv6(local.address) ? 6 : 4)) return 301;
  return commonFormats(audio, local.codecs).length === 0 ? 305 : audio;
}

/** RFC 3551 and RFC 4585; both send the same RTP. The answer repeats the offer's (RFC 3264 §6). */
export function isPlainRtp(protocol: string): boolean {
  return protocol === 'RTP/AVP' || protocol === 'RTP/AVPF';
}

/**
 * The formats of the other side that we have too, in our order.
 *
 * Deviation: RFC 3264 §6.1 would have them in the offerer's order. Ours is by quality, and a conference sounds as good
 * as what it is sent; many phones list G.711 first only out of habit.
 */
function commonFormats(audio: RemoteAudio, codecs: readonly AudioCodecName[]): AudioFormat[] {
  return codecs.flatMap((codec) => audio.codecs.filter((format) => format.codec === codec));
}

function acceptStream(
  offer: SessionDescription,
  mediaIndex: number,
  audio: RemoteAudio,
  local: LocalMedia,
): NegotiatedAnswer {
  const taken = offer.media[mediaIndex]!;
  const theirs = commonFormats(audio, local.codecs);
  const send = theirs[0]!;
  // The same payload types in both directions (RFC 3264 §6.1), but each side's own parameters.
  const receive = theirs.map((format) => ({ ...format, parameters: AUDIO_CAPABILITIES[format.codec].parameters }));
  const telephoneEvent = telephoneEventFor(send.clockRateHz, audio.telephoneEvents);
  const direction = directionTowards(audio, local.direction);
  const ourStream = describeAudio(local, {
    protocol: taken.protocol,
    formats: receive,
    telephoneEvents: telephoneEvent === null ? [] : [telephoneEvent],
    direction,
    rtcpMux: audio.rtcpMux,
  });
  const streams = offer.media.map((media, index) => (index === mediaIndex ? ourStream : refuseMedia(media)));
  return {
    ok: true,
    answer: describeSession(local, offer.timing, streams),
    media: {
      remote: audio.remote,
      rtcpMux: audio.rtcpMux,
      direction,
      send,
      sendPtimeMs: sendPtimeFor(audio, local.ptimeMs),
      receive,
      sendTelephoneEvent: telephoneEvent,
      receiveTelephoneEvent: telephoneEvent,
    },
    mediaIndex,
  };
}
