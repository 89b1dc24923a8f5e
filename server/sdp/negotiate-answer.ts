import type { AudioCodecName, AudioFormat, AudioMedia } from '../../mixer/protocol.ts';
import {
  AUDIO_CAPABILITIES,
  COMFORT_NOISE_PAYLOAD_TYPE,
  LAST_RESORT_CODECS,
  mayRest,
  telephoneEventFor,
} from './audio-capabilities.ts';
import { type CryptoAttribute, writeCryptoAttribute } from './crypto-attribute.ts';
import { describeAudio, describeSession, type LocalMedia, refuseMedia } from './local-description.ts';
import { mediaNotAcceptable, type NegotiationFailure } from './negotiation-failure.ts';
import {
  directionTowards,
  isReachable,
  type RemoteAudio,
  readRemoteAudio,
  sendPtimeFor,
  withoutAddress,
} from './remote-audio.ts';
import type { MediaDescription, SessionDescription } from './session-description.ts';
import { chooseCrypto } from './srtp-policy.ts';

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

/** A stream of the offer that we can take. */
interface Candidate {
  audio: RemoteAudio;
  /** Theirs that was chosen; null for plain RTP. */
  crypto: CryptoAttribute | null;
}

/**
 * Answers an offer (RFC 3264 §6) with one audio stream, and refuses all its other streams.
 *
 * The first audio stream that we can take is taken, a secured one rather than a plain one; within a session, the one in
 * use as long as we can. `mediaIndexInUse` is null in the first exchange.
 *
 * Streams in the address family that is not ours come last: see `withoutAddress`.
 */
export function negotiateAnswer(
  offer: SessionDescription,
  local: LocalMedia,
  mediaIndexInUse: number | null,
): NegotiatedAnswer | NegotiationFailure {
  const reached = chooseStream(offer, local, mediaIndexInUse, false);
  if (reached.ok || !reached.warning.startsWith('301 ')) return reached;
  return chooseStream(offer, local, mediaIndexInUse, true);
}

function chooseStream(
  offer: SessionDescription,
  local: LocalMedia,
  mediaIndexInUse: number | null,
  otherFamily: boolean,
): NegotiatedAnswer | NegotiationFailure {
  const indices = [...offer.media.keys()];
  if (mediaIndexInUse !== null && mediaIndexInUse < indices.length) indices.unshift(mediaIndexInUse);
  let nearest: Obstacle = 304;
  let plain: { mediaIndex: number; candidate: Candidate } | null = null;
  for (const mediaIndex of indices) {
    const candidate = tryStream(offer, offer.media[mediaIndex]!, local, otherFamily);
    if (typeof candidate === 'number') {
      if (OBSTACLES.indexOf(candidate) > OBSTACLES.indexOf(nearest)) nearest = candidate;
    } else if (candidate.crypto !== null || mediaIndex === mediaIndexInUse) {
      return acceptStream(offer, mediaIndex, candidate, local);
    } else {
      plain ??= { mediaIndex, candidate };
    }
  }
  if (plain === null) return mediaNotAcceptable(local.address, nearest);
  return acceptStream(offer, plain.mediaIndex, plain.candidate, local);
}

function tryStream(
  offer: SessionDescription,
  media: MediaDescription,
  local: LocalMedia,
  otherFamily: boolean,
): Candidate | Obstacle {
  if (media.media !== 'audio' || media.port === 0) return 304;
  const crypto = chooseCrypto(media, local.srtp);
  if (crypto === false) return 302;
  const audio = readRemoteAudio(offer, media);
  // Of streams in two address families (RFC 4091), the one of ours is taken.
  const reached = isReachable(audio, local.address) ? audio : otherFamily ? withoutAddress(audio) : null;
  if (reached === null) return 301;
  return commonFormats(audio, local.codecs).length === 0 ? 305 : { audio: reached, crypto };
}

/**
 * The formats of the other side that we have too, in our order.
 *
 * Deviation: RFC 3264 §6.1 would have them in the offerer's order. Ours is by quality, and a conference sounds as good
 * as what it is sent; many phones list G.711 first only out of habit.
 */
function commonFormats(audio: RemoteAudio, codecs: readonly AudioCodecName[]): AudioFormat[] {
  const of = (names: readonly AudioCodecName[]): AudioFormat[] =>
    names.flatMap((codec) => audio.codecs.filter((format) => format.codec === codec));
  const common = of(codecs);
  return common.length > 0 ? common : of(LAST_RESORT_CODECS);
}

function acceptStream(
  offer: SessionDescription,
  mediaIndex: number,
  { audio, crypto }: Candidate,
  local: LocalMedia,
): NegotiatedAnswer {
  const taken = offer.media[mediaIndex]!;
  const theirs = commonFormats(audio, local.codecs);
  const send = theirs[0]!;
  // The same payload types in both directions (RFC 3264 §6.1), but each side's own parameters.
  const receive = theirs.map((format) => ({ ...format, parameters: AUDIO_CAPABILITIES[format.codec].parameters }));
  const telephoneEvent = telephoneEventFor(send.clockRateHz, audio.telephoneEvents);
  const comfortNoise = audio.comfortNoise && mayRest(send.codec);
  const direction = directionTowards(audio, local.direction);
  const sendKey = crypto === null ? '' : local.sendKeys.of(crypto.suite);
  const ourStream = describeAudio(local, {
    protocol: taken.protocol,
    formats: receive,
    telephoneEvents: telephoneEvent === null ? [] : [telephoneEvent],
    comfortNoise,
    audioLevel: audio.audioLevel,
    direction,
    rtcpMux: audio.rtcpMux,
    voipMetrics: audio.voipMetrics,
    crypto: crypto === null ? [] : [writeCryptoAttribute(crypto.tag, crypto.suiteName, sendKey)],
  });
  const streams = offer.media.map((media, index) => (index === mediaIndex ? ourStream : refuseMedia(media)));
  return {
    ok: true,
    answer: describeSession(local, offer.timing, streams),
    media: {
      remote: audio.remote,
      rtcpMux: audio.rtcpMux,
      voipMetrics: audio.voipMetrics,
      direction,
      send,
      sendPtimeMs: sendPtimeFor(audio, local.ptimeMs),
      receive,
      receiveTelephoneEvent: telephoneEvent,
      sendComfortNoise: comfortNoise && !audio.wantsSilence ? COMFORT_NOISE_PAYLOAD_TYPE : null,
      receiveAudioLevel: audio.audioLevel,
      crypto: crypto && { suite: crypto.suite, sendKey, receiveKey: crypto.key, receiveMki: crypto.mki },
    },
    mediaIndex,
  };
}
