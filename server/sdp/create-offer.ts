import type { AudioFormat, SrtpSuite, TelephoneEventFormat } from '../../mixer/protocol.ts';
import { AUDIO_CAPABILITIES, mayRest } from './audio-capabilities.ts';
import { ourAudioLevelId } from './audio-level-extension.ts';
import { writeCryptoAttribute } from './crypto-attribute.ts';
import { DEFAULT_TIMING, describeAudio, describeSession, type LocalMedia, refuseMedia } from './local-description.ts';
import type { PayloadTypes } from './payload-types.ts';
import type { SdpAttribute, SessionDescription } from './session-description.ts';
import { OFFERED_SUITES } from './srtp-policy.ts';

/** The description of ours that is in force, and which of its streams is the one in use. */
export interface CurrentDescription {
  description: SessionDescription;
  mediaIndex: number;
}

/**
 * Our offer (RFC 3264 §5, §8): all our codecs, in our order.
 *
 * `current` is null in the first exchange; later its streams keep number and order, and the one in use its profile.
 * `suiteInUse` is what it is secured with; null for plain RTP.
 */
export function createOffer(
  local: LocalMedia,
  payloadTypes: PayloadTypes,
  current: CurrentDescription | null,
  suiteInUse: SrtpSuite | null,
): SessionDescription {
  const formats = offeredFormats(local, payloadTypes);
  const streamInUse = current?.description.media[current.mediaIndex];
  const ourStream = describeAudio(local, {
    protocol: streamInUse?.protocol ?? (local.srtp === 'required' ? 'RTP/SAVP' : 'RTP/AVP'),
    formats,
    telephoneEvents: offeredTelephoneEvents(formats, payloadTypes),
    comfortNoise: formats.some(({ codec }) => mayRest(codec)),
    audioLevel: { id: ourAudioLevelId(streamInUse), vad: true },
    direction: local.direction,
    rtcpMux: true,
    voipMetrics: true,
    crypto: offeredCrypto(local, suiteInUse),
  });
  if (current === null) return describeSession(local, DEFAULT_TIMING, [ourStream]);
  const { description, mediaIndex } = current;
  const streams = description.media.map((media, index) => (index === mediaIndex ? ourStream : refuseMedia(media)));
  return describeSession(local, description.timing, streams);
}

function offeredFormats(local: LocalMedia, payloadTypes: PayloadTypes): AudioFormat[] {
  return local.codecs.flatMap((codec) => {
    const { clockRateHz, parameters } = AUDIO_CAPABILITIES[codec];
    const payloadType = payloadTypes.ofCodec(codec);
    return payloadType === null ? [] : [{ codec, payloadType, clockRateHz, parameters }];
  });
}

/** One for each clock among the codecs (RFC 4733 §2.1). */
function offeredTelephoneEvents(formats: AudioFormat[], payloadTypes: PayloadTypes): TelephoneEventFormat[] {
  const clockRates = [...new Set(formats.map((format) => format.clockRateHz))];
  return clockRates.flatMap((clockRateHz) => {
    const payloadType = payloadTypes.ofTelephoneEvent(clockRateHz);
    return payloadType === null ? [] : [{ payloadType, clockRateHz }];
  });
}

/** With policy `optional` they are an option on `RTP/AVP`. The suite in use comes first, with its key. */
function offeredCrypto(local: LocalMedia, suiteInUse: SrtpSuite | null): SdpAttribute[] {
  if (local.srtp === 'off') return [];
  const suites = suiteInUse === null ? OFFERED_SUITES : [...new Set([suiteInUse, ...OFFERED_SUITES])];
  return suites.map((suite, index) => writeCryptoAttribute(index + 1, suite, local.sendKeys.of(suite)));
}
