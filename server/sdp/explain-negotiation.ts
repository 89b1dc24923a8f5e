import type { AudioCodecName, MediaCrypto } from '../../mixer/protocol.ts';
import type { VideoStreamName } from '../../mixer/video-protocol.ts';
import type { StreamPlaces } from './agreement.ts';
import type { InForce } from './create-offer.ts';
import { explainAudioFormats } from './explain-audio-formats.ts';
import { explainVideoFormats } from './explain-video-formats.ts';
import { readFloorControl } from './floor-control.ts';
import type { LocalMedia } from './local-description.ts';
import type { ExplainedStream, NegotiationExplanation } from './negotiation-explanation.ts';
import { readRemoteAudio } from './remote-audio.ts';
import { isReachable, type RemoteStream } from './remote-stream.ts';
import { readRemoteVideo, videoIndices } from './remote-video.ts';
import type { MediaDescription, SessionDescription } from './session-description.ts';
import { chooseCrypto, isPlainProfile, isSecureProfile } from './srtp-policy.ts';
import { commonVideoFormats } from './video-formats.ts';

export interface NegotiationSurroundings {
  readonly theirs: 'offer' | 'answer';
  readonly local: LocalMedia;
  /** Null: nothing was agreed. */
  readonly inForce: InForce | null;
}

/** Why a description of theirs led to what was agreed: for people who look for the codec that they expected. */
export function explainNegotiation(
  description: SessionDescription,
  { theirs, local, inForce }: NegotiationSurroundings,
): NegotiationExplanation {
  const named = new Set<AudioCodecName>();
  const slides = new Set(videoIndices(description).slides);
  const streams = description.media.map((media, index): ExplainedStream => {
    if (media.media === 'audio') return explainAudio(description, media, index, local, inForce, named);
    if (media.media !== 'video') return explainOther(description, media, index, local, inForce);
    return explainVideo(description, media, index, slides.has(index) ? 'slides' : 'main', local, inForce);
  });
  return { theirs, streams, notNamed: local.codecs.filter((codec) => !named.has(codec)) };
}

function explainAudio(
  description: SessionDescription,
  media: MediaDescription,
  index: number,
  local: LocalMedia,
  inForce: InForce | null,
  named: Set<AudioCodecName>,
): ExplainedStream {
  const audio = readRemoteAudio(description, media);
  for (const { codec } of audio.codecs) named.add(codec);
  const taken = isTaken(inForce, 'audio', index);
  const agreed = taken ? inForce!.agreement.media : null;
  const nothing = inForce === null ? 'no codec of it is one of ours' : ANOTHER;
  const reason = agreed === null ? (refusedBecause(media, audio, local) ?? nothing) : takenBecause(agreed.crypto);
  return { ...headOf(media), taken, reason, formats: explainAudioFormats(media, audio, agreed, local.codecs) };
}

function explainVideo(
  description: SessionDescription,
  media: MediaDescription,
  index: number,
  name: VideoStreamName,
  local: LocalMedia,
  inForce: InForce | null,
): ExplainedStream {
  const video = readRemoteVideo(description, media);
  const taken = isTaken(inForce, name, index);
  const agreement = inForce?.agreement;
  const agreed = (taken && (name === 'main' ? agreement?.video : agreement?.slides)) || null;
  const reason = (): string => {
    if (local.video === null) return 'video is not wanted in this call';
    if (name === 'slides' && !local.video.slides) return 'a second video, for slides, is not taken here';
    const refused = refusedBecause(media, video, local);
    if (refused !== null) return refused;
    if (commonVideoFormats(video.videoFormats, local.video).length === 0) return 'no codec of it is one of ours';
    return (inForce?.current.places[name] ?? null) === null ? 'there was no video mixer for it' : ANOTHER;
  };
  return {
    ...headOf(media),
    taken,
    reason: agreed === null ? reason() : takenBecause(agreed.crypto),
    // Of a closed stream they mean nothing.
    formats: media.port === 0 ? [] : explainVideoFormats(media, video, agreed, local.video),
  };
}

function explainOther(
  description: SessionDescription,
  media: MediaDescription,
  index: number,
  local: LocalMedia,
  inForce: InForce | null,
): ExplainedStream {
  const taken = isTaken(inForce, 'floorControl', index);
  const reason = (): string => {
    const floor = readFloorControl(description, media);
    if (floor === null) return 'only audio, video and floor control (BFCP over TCP or UDP) are taken';
    if (taken) return 'taken, for who shows slides';
    if (media.port === 0) return SWITCHED_OFF;
    if (!floor.isClient) return 'we are the floor control server, and they would not be its client';
    return local.floorControl === null ? 'there is no floor control in this call' : `not over ${floor.transport} here`;
  };
  return { ...headOf(media), taken, reason: reason(), formats: [] };
}

const ANOTHER = 'another stream was taken; there is one for each call';
const SWITCHED_OFF = 'they have switched it off (port 0)';

function headOf({ media, protocol }: MediaDescription): Pick<ExplainedStream, 'media' | 'protocol'> {
  return { media, protocol };
}

function isTaken(inForce: InForce | null, name: keyof StreamPlaces, index: number): boolean {
  return inForce?.current.places[name] === index;
}

function takenBecause(crypto: MediaCrypto | null | undefined): string {
  return crypto == null ? 'taken, without encryption' : `taken, encrypted with ${crypto.suite}`;
}

/** Null: nothing of the stream itself, but for its formats. */
function refusedBecause(media: MediaDescription, stream: RemoteStream, { srtp, address }: LocalMedia): string | null {
  if (media.port === 0) return SWITCHED_OFF;
  const { protocol } = media;
  if (!isPlainProfile(protocol) && !isSecureProfile(protocol)) return `we do not do ${protocol}`;
  if (chooseCrypto(media, srtp) === false) {
    if (srtp === 'off') return 'it is encrypted, and `srtp` is off here';
    return isSecureProfile(protocol)
      ? 'none of its a=crypto lines has a suite of ours'
      : 'it is not encrypted, and `srtp` is required here';
  }
  return isReachable(stream, address) ? null : 'its address is of another family than ours';
}
