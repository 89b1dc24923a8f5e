import type { AudioFormat, SrtpSuite, TelephoneEventFormat } from '../../mixer/protocol.ts';
import type { VideoFormat, VideoStreamName } from '../../mixer/video-protocol.ts';
import type { Agreement, CurrentDescription, StreamPlaces } from './agreement.ts';
import { AUDIO_CAPABILITIES, mayRest } from './audio-capabilities.ts';
import { ourAudioLevelId } from './audio-level-extension.ts';
import { telephoneEventMeaning } from './audio-payload-types.ts';
import { writeCryptoAttribute } from './crypto-attribute.ts';
import { describeAudio } from './describe-audio.ts';
import { describeVideo, STREAM_LABELS } from './describe-video.ts';
import { describeFloorControl, portOf } from './floor-control.ts';
import {
  DEFAULT_TIMING,
  describeSession,
  type LocalMedia,
  type LocalStream,
  type LocalVideoStream,
  refuseMedia,
  videoStreamOf,
} from './local-description.ts';
import { SDP_LIMITS } from './parse-sdp.ts';
import type { PayloadTypes } from './payload-types.ts';
import { ALL_FEEDBACK } from './rtcp-feedback.ts';
import type { MediaDescription, SdpAttribute } from './session-description.ts';
import { OFFERED_SUITES } from './srtp-policy.ts';
import { offeredMeaning, offeredParameters } from './video-formats.ts';
import type { VideoSettings } from './video-options.ts';

/** What is in force; null: nothing yet. */
export interface InForce {
  current: CurrentDescription;
  agreement: Agreement;
}

/**
 * Our offer (RFC 3264 §5, §8): all our codecs, in our order, and all the streams that we want.
 *
 * Streams keep number and order over a session's life, and those in use their profile. One that is closed has port 0, and
 * its place is taken by the next one of its kind.
 */
export function createOffer(local: LocalMedia, inForce: InForce | null): CurrentDescription {
  const before = inForce?.current ?? null;
  const sections = before?.description.media.map(refuseMedia) ?? [];
  const audio = offerAudio(local, inForce);
  const places: StreamPlaces = { audio: before?.places.audio ?? 0, main: null, slides: null, floorControl: null };
  sections[places.audio] = audio;
  const put = (name: keyof StreamPlaces, section: MediaDescription | null): number | null => {
    const place = section && (before?.places[name] ?? freePlace(sections, before, section.media));
    if (section !== null && place !== null) sections[place] = section;
    return place;
  };
  const slides = offerVideo(local, inForce, 'slides', true, audio.protocol);
  places.main = put('main', offerVideo(local, inForce, 'main', slides !== null, audio.protocol));
  places.slides = put('slides', slides);
  if (places.slides !== null) places.floorControl = put('floorControl', offerFloorControl(local, inForce));
  const description = describeSession(local, before?.description.timing ?? DEFAULT_TIMING, sections);
  return { description, places };
}

/** The first closed one of this kind, which no stream of ours has; else behind the last. Null: there are too many. */
function freePlace(
  sections: readonly MediaDescription[],
  before: CurrentDescription | null,
  media: string,
): number | null {
  const taken = new Set(Object.values(before?.places ?? {}));
  const free = sections.findIndex(
    (section, index) => section.media === media && section.port === 0 && !taken.has(index),
  );
  if (free !== -1) return free;
  return sections.length < SDP_LIMITS.media ? sections.length : null;
}

/** The section of before, where a stream is in use. */
function sectionInUse(inForce: InForce | null, name: keyof StreamPlaces): MediaDescription | undefined {
  const place = inForce?.current.places[name] ?? null;
  return place === null ? undefined : inForce?.current.description.media[place];
}

function offerAudio(local: LocalMedia, inForce: InForce | null): MediaDescription {
  const { payloadTypes } = local.audio;
  const formats = offeredFormats(local, payloadTypes);
  const inUse = sectionInUse(inForce, 'audio');
  return describeAudio(local, {
    protocol: inUse?.protocol ?? (local.srtp === 'required' ? 'RTP/SAVP' : 'RTP/AVP'),
    formats,
    telephoneEvents: offeredTelephoneEvents(formats, payloadTypes),
    comfortNoise: formats.some(({ codec }) => mayRest(codec)),
    audioLevel: { id: ourAudioLevelId(inUse), vad: true },
    direction: local.direction,
    rtcpMux: true,
    voipMetrics: true,
    crypto: offeredCrypto(local, local.audio, inForce?.agreement.media.crypto?.suite ?? null),
  });
}

function offeredFormats(local: LocalMedia, payloadTypes: PayloadTypes): AudioFormat[] {
  return local.codecs.flatMap((codec) => {
    const { clockRateHz, parameters } = AUDIO_CAPABILITIES[codec];
    const payloadType = payloadTypes.choose(codec);
    return payloadType === null ? [] : [{ codec, payloadType, clockRateHz, parameters }];
  });
}

/** One for each clock among the codecs (RFC 4733 §2.1). */
function offeredTelephoneEvents(formats: AudioFormat[], payloadTypes: PayloadTypes): TelephoneEventFormat[] {
  const clockRates = [...new Set(formats.map((format) => format.clockRateHz))];
  return clockRates.flatMap((clockRateHz) => {
    const payloadType = payloadTypes.choose(telephoneEventMeaning(clockRateHz));
    return payloadType === null ? [] : [{ payloadType, clockRateHz }];
  });
}

/** Null: we do not want this stream, have no ports for it, or no payload types any more. `protocol` is that of the sound. */
function offerVideo(
  local: LocalMedia,
  inForce: InForce | null,
  name: VideoStreamName,
  named: boolean,
  protocol: string,
): MediaDescription | null {
  const ours = videoStreamOf(local, name);
  const formats = ours === null ? [] : offeredVideoFormats(ours.settings, ours.stream);
  if (ours === null || formats.length === 0) return null;
  const agreed = name === 'main' ? inForce?.agreement.video : inForce?.agreement.slides;
  return describeVideo(ours.stream.ports, {
    protocol: sectionInUse(inForce, name)?.protocol ?? protocol,
    formats,
    direction: local.direction,
    rtcpMux: true,
    maxReceiveBps: ours.settings.maxReceiveBps,
    name: named ? name : null,
    crypto: offeredCrypto(local, ours.stream, agreed?.crypto?.suite ?? null),
  });
}

/**
 * Ours, and RTX where it was agreed with this phone before (RFC 3264 §8); not at first, as hardly a phone has it, and a SIP
 * message over UDP must stay short. A phone that took none of these formats is offered what it took.
 */
function offeredVideoFormats(
  settings: VideoSettings,
  { payloadTypes, agreedFormats }: LocalVideoStream,
): VideoFormat[] {
  const formats = settings.codecs.flatMap((choice): VideoFormat[] => {
    const payloadType = payloadTypes.choose(offeredMeaning(choice));
    if (payloadType === null) return [];
    const codec = choice === 'VP8' ? 'VP8' : 'H264';
    const agreed = agreedFormats.find((format) => format.payloadType === payloadType);
    const rtxPayloadType = agreed?.rtxPayloadType ?? null;
    return [
      { codec, payloadType, parameters: offeredParameters(choice, settings), rtxPayloadType, feedback: ALL_FEEDBACK },
    ];
  });
  const [first] = agreedFormats;
  const isOffered = formats.some((format) =>
    agreedFormats.some(({ payloadType }) => payloadType === format.payloadType),
  );
  return first === undefined || isOffered ? formats : [{ ...first, feedback: ALL_FEEDBACK }, ...formats];
}

/** We are the server; they open the connection. */
function offerFloorControl({ floorControl: server }: LocalMedia, inForce: InForce | null): MediaDescription | null {
  if (server === null) return null;
  const agreed = inForce?.agreement.floorControl ?? null;
  const transport = agreed?.transport ?? (server.tcpPort === null ? 'UDP' : 'TCP');
  if (portOf(transport, server) === null) return null;
  const setup = transport === 'UDP' ? null : (agreed?.setup ?? 'passive');
  return describeFloorControl(server, transport, setup, agreed !== null, STREAM_LABELS.slides);
}

/** With policy `optional` they are an option on `RTP/AVP`. The suite in use comes first, with its key. */
function offeredCrypto({ srtp }: LocalMedia, { sendKeys }: LocalStream, suiteInUse: SrtpSuite | null): SdpAttribute[] {
  if (srtp === 'off') return [];
  const suites = suiteInUse === null ? OFFERED_SUITES : [...new Set([suiteInUse, ...OFFERED_SUITES])];
  return suites.map((suite, index) => writeCryptoAttribute(index + 1, suite, sendKeys.of(suite)));
}
