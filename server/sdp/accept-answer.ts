import type { AudioFormat, AudioMedia, MediaCrypto } from '../../mixer/protocol.ts';
import { AUDIO_CAPABILITIES, COMFORT_NOISE_PAYLOAD_TYPE, mayRest, telephoneEventFor } from './audio-capabilities.ts';
import { ourAudioLevelId } from './audio-level-extension.ts';
import type { CurrentDescription } from './create-offer.ts';
import { hasCryptoAttribute, readCryptoAttributes } from './crypto-attribute.ts';
import type { LocalMedia } from './local-description.ts';
import { badDescription, mediaNotAcceptable, type NegotiationFailure } from './negotiation-failure.ts';
import {
  directionTowards,
  isReachable,
  type RemoteAudio,
  readRemoteAudio,
  sendPtimeFor,
  withoutAddress,
} from './remote-audio.ts';
import type { MediaDescription, SessionDescription } from './session-description.ts';
import { isSecureProfile } from './srtp-policy.ts';

/**
 * Takes the answer to an offer of ours (RFC 3264 §7).
 *
 * Each direction has payload types of its own: we send with the answer's and receive with our offer's (§5.1). Formats of
 * the answer that were not offered are passed over; it fails when no others are left.
 */
export function acceptAnswer(
  offer: CurrentDescription,
  answer: SessionDescription,
  local: LocalMedia,
): { ok: true; media: AudioMedia } | NegotiationFailure {
  const ourStream = offer.description.media[offer.mediaIndex]!;
  const theirStream = answer.media[offer.mediaIndex];
  if (theirStream === undefined || answer.media.length !== offer.description.media.length) {
    return badDescription(local.address, 488, 'The answer has not as many media descriptions as the offer');
  }
  if (theirStream.media !== ourStream.media || theirStream.port === 0) return mediaNotAcceptable(local.address, 304);
  if (theirStream.protocol !== ourStream.protocol) return mediaNotAcceptable(local.address, 302);
  const said = readRemoteAudio(answer, theirStream);
  const audio = isReachable(said, local.address) ? said : withoutAddress(said);
  if (audio === null) return mediaNotAcceptable(local.address, 301);
  const crypto = agreedCrypto(ourStream, theirStream, local);
  if (crypto === false) return mediaNotAcceptable(local.address, 302);
  const media = settle(readRemoteAudio(offer.description, ourStream), audio, local, crypto);
  if (media === null) return mediaNotAcceptable(local.address, 305);
  // The identifiers are the offer's (RFC 8285 §6).
  if (audio.audioLevel?.id === ourAudioLevelId(ourStream)) media.receiveAudioLevel = audio.audioLevel;
  return { ok: true, media };
}

/**
 * The one `a=crypto` line of the answer belongs to that of our offer which has its tag and suite (RFC 4568 §7.1.3).
 *
 * Null: plain RTP, where we leave the choice. False: none that we can use, though there must be or is one.
 */
function agreedCrypto(
  ourStream: MediaDescription,
  theirStream: MediaDescription,
  { srtp }: LocalMedia,
): MediaCrypto | null | false {
  if (srtp === 'off') return null;
  if (!hasCryptoAttribute(theirStream))
    return srtp === 'required' || isSecureProfile(ourStream.protocol) ? false : null;
  const [theirs, ...surplus] = readCryptoAttributes(theirStream);
  const ours = readCryptoAttributes(ourStream).find(({ tag, suite }) => tag === theirs?.tag && suite === theirs.suite);
  if (theirs === undefined || surplus.length > 0 || ours === undefined) return false;
  return { suite: ours.suite, sendKey: ours.key, receiveKey: theirs.key, receiveMki: theirs.mki };
}

/** `ours` is our own offer, read as the other side reads it. */
function settle(
  ours: RemoteAudio,
  theirs: RemoteAudio,
  local: LocalMedia,
  crypto: MediaCrypto | null,
): AudioMedia | null {
  const receive: AudioFormat[] = [];
  let send: AudioFormat | null = null;
  for (const format of theirs.codecs) {
    const offered = ours.codecs.find((candidate) => candidate.codec === format.codec);
    if (offered === undefined) continue;
    receive.push({ ...offered, parameters: AUDIO_CAPABILITIES[format.codec].parameters });
    // RFC 3264 §7: the offerer should send what the answer has first.
    send ??= format;
  }
  if (send === null) return null;
  const accepted = telephoneEventFor(send.clockRateHz, theirs.telephoneEvents);
  return {
    remote: theirs.remote,
    rtcpMux: ours.rtcpMux && theirs.rtcpMux,
    voipMetrics: theirs.voipMetrics,
    direction: directionTowards(theirs, local.direction),
    send,
    sendPtimeMs: sendPtimeFor(theirs, local.ptimeMs),
    receive,
    receiveTelephoneEvent: accepted === null ? null : telephoneEventFor(accepted.clockRateHz, ours.telephoneEvents),
    sendComfortNoise:
      ours.comfortNoise && theirs.comfortNoise && !theirs.wantsSilence && mayRest(send.codec)
        ? COMFORT_NOISE_PAYLOAD_TYPE
        : null,
    receiveAudioLevel: null,
    crypto,
  };
}
