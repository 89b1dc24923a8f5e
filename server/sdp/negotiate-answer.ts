import type { Agreement, CurrentDescription, StreamPlaces } from './agreement.ts';
import { answerAudio, chooseAudio } from './answer-audio.ts';
import { answerVideo, type ChosenVideo, chooseVideo } from './answer-video.ts';
import { STREAM_LABELS } from './describe-video.ts';
import { agreeFloorControl, canServe, describeFloorControl, readFloorControl } from './floor-control.ts';
import { describeSession, type LocalMedia, refuseMedia } from './local-description.ts';
import { mediaNotAcceptable, type NegotiationFailure } from './negotiation-failure.ts';
import { videoIndices } from './remote-video.ts';
import type { MediaDescription, SessionDescription } from './session-description.ts';

export interface NegotiatedAnswer {
  ok: true;
  answer: CurrentDescription;
  agreement: Agreement;
}

/**
 * Answers an offer (RFC 3264 §6) with one audio stream, at most one video stream for people and one for slides, and a
 * floor control stream; refuses all its other streams. Without an audio stream there is no call.
 *
 * `inUse` says which streams are in use until now; null in the first exchange.
 */
export function negotiateAnswer(
  offer: SessionDescription,
  local: LocalMedia,
  inUse: StreamPlaces | null,
): NegotiatedAnswer | NegotiationFailure {
  const audio = chooseAudio(offer, local, inUse?.audio ?? null);
  if (typeof audio === 'number') return mediaNotAcceptable(local.address, audio);
  const indices = videoIndices(offer);
  const main = chooseVideo(offer, indices.main, local, 'main', inUse?.main ?? null);
  const slides = chooseVideo(offer, indices.slides, local, 'slides', inUse?.slides ?? null);
  const sections = offer.media.map(refuseMedia);
  const answered = answerAudio(offer, audio, local);
  sections[audio.mediaIndex] = answered.section;
  const floor = takeFloorControl(offer, local, inUse, slides !== null, sections);
  const agreement: Agreement = {
    media: answered.media,
    video: main && takeVideo(offer, main, local, slides === null ? null : 'main', sections),
    slides: slides && takeVideo(offer, slides, local, 'slides', sections),
    floorControl: floor?.media ?? null,
  };
  const places = {
    audio: audio.mediaIndex,
    main: main?.candidate.mediaIndex ?? null,
    slides: slides?.candidate.mediaIndex ?? null,
    floorControl: floor?.mediaIndex ?? null,
  };
  return { ok: true, answer: { description: describeSession(local, offer.timing, sections), places }, agreement };
}

function takeVideo(
  offer: SessionDescription,
  chosen: ChosenVideo,
  local: LocalMedia,
  name: 'main' | 'slides' | null,
  sections: MediaDescription[],
): Agreement['video'] {
  const { section, media } = answerVideo(offer, chosen, local, name);
  sections[chosen.candidate.mediaIndex] = section;
  return media;
}

function takeFloorControl(
  offer: SessionDescription,
  { floorControl: server }: LocalMedia,
  inUse: StreamPlaces | null,
  hasSlides: boolean,
  sections: MediaDescription[],
): { mediaIndex: number; media: Agreement['floorControl'] } | null {
  if (server === null) return null;
  for (const [mediaIndex, media] of offer.media.entries()) {
    const theirs = readFloorControl(offer, media);
    if (theirs === null || media.port === 0 || !canServe(theirs, server)) continue;
    const agreed = agreeFloorControl(theirs, server);
    const existing = theirs.existing && inUse?.floorControl === mediaIndex;
    const label = hasSlides ? STREAM_LABELS.slides : null;
    sections[mediaIndex] = describeFloorControl(server, theirs.transport, agreed.setup, existing, label);
    return { mediaIndex, media: agreed };
  }
  return null;
}
