import type { AudioCodecName, AudioFormat, AudioMedia } from '../../mixer/protocol.ts';
import {
  AUDIO_CAPABILITIES,
  COMFORT_NOISE_PAYLOAD_TYPE,
  LAST_RESORT_CODECS,
  mayRest,
  telephoneEventFor,
} from './audio-capabilities.ts';
import { type Candidate, chooseStream, type Obstacle } from './choose-stream.ts';
import { writeCryptoAttribute } from './crypto-attribute.ts';
import { describeAudio } from './describe-audio.ts';
import type { LocalMedia } from './local-description.ts';
import { type RemoteAudio, readRemoteAudio, sendPtimeFor } from './remote-audio.ts';
import { directionTowards } from './remote-stream.ts';
import type { MediaDescription, SessionDescription } from './session-description.ts';

/** The audio stream of an offer that we take; else why there is none. */
export function chooseAudio(
  offer: SessionDescription,
  local: LocalMedia,
  inUse: number | null,
): Candidate<RemoteAudio> | Obstacle {
  const indices = [...offer.media.keys()].filter((index) => offer.media[index]!.media === 'audio');
  return chooseStream(offer.media, indices, inUse, {
    address: local.address,
    srtp: local.srtp,
    read: (media) => readRemoteAudio(offer, media),
    isUsable: (audio) => commonFormats(audio, local.codecs).length > 0,
  });
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

/** Our answer to an audio stream (RFC 3264 §6.1). */
export function answerAudio(
  offer: SessionDescription,
  { mediaIndex, stream: audio, crypto }: Candidate<RemoteAudio>,
  local: LocalMedia,
): { section: MediaDescription; media: AudioMedia } {
  const theirs = commonFormats(audio, local.codecs);
  const send = theirs[0]!;
  // The same payload types in both directions (RFC 3264 §6.1), but each side's own parameters.
  const receive = theirs.map((format) => ({ ...format, parameters: AUDIO_CAPABILITIES[format.codec].parameters }));
  const telephoneEvent = telephoneEventFor(send.clockRateHz, audio.telephoneEvents);
  const comfortNoise = audio.comfortNoise && mayRest(send.codec);
  const direction = directionTowards(audio, local.direction);
  const sendKey = crypto === null ? '' : local.audio.sendKeys.of(crypto.suite);
  const section = describeAudio(local, {
    protocol: offer.media[mediaIndex]!.protocol,
    formats: receive,
    telephoneEvents: telephoneEvent === null ? [] : [telephoneEvent],
    comfortNoise,
    audioLevel: audio.audioLevel,
    direction,
    rtcpMux: audio.rtcpMux,
    voipMetrics: audio.voipMetrics,
    crypto: crypto === null ? [] : [writeCryptoAttribute(crypto.tag, crypto.suiteName, sendKey)],
  });
  const media = {
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
  };
  return { section, media };
}
