import type { VideoMedia, VideoStreamName } from '../../mixer/video-protocol.ts';
import { settleAudio } from './accept-audio.ts';
import { acceptStream } from './accept-stream.ts';
import { settleVideo } from './accept-video.ts';
import type { Agreement, CurrentDescription } from './agreement.ts';
import { agreeFloorControl, canServe, type FloorControlMedia, readFloorControl } from './floor-control.ts';
import { type LocalMedia, videoStreamOf } from './local-description.ts';
import { badDescription, mediaNotAcceptable, type NegotiationFailure } from './negotiation-failure.ts';
import { readRemoteAudio } from './remote-audio.ts';
import { readRemoteVideo } from './remote-video.ts';
import type { SessionDescription } from './session-description.ts';

/** Our offer with the places of those streams alone that the answer took. */
export interface AcceptedAnswer {
  ok: true;
  current: CurrentDescription;
  agreement: Agreement;
}

/**
 * Takes the answer to an offer of ours (RFC 3264 §7). Without the audio stream it fails; the others may be refused.
 *
 * Each direction has payload types of its own: we send with the answer's and receive with our offer's (§5.1). Formats of
 * the answer that were not offered are passed over; a stream with no others is of no use.
 *
 * Deviation: an answer may have fewer streams than the offer; those are refused. RFC 3264 §6 wants them with port 0, but
 * phones that know of sound alone may leave them out.
 */
export function acceptAnswer(
  offer: CurrentDescription,
  answer: SessionDescription,
  local: LocalMedia,
): AcceptedAnswer | NegotiationFailure {
  const { description, places } = offer;
  const ourStream = description.media[places.audio]!;
  const theirStream = answer.media[places.audio];
  if (theirStream === undefined || answer.media.length > description.media.length) {
    return badDescription(local.address, 488, 'The answer has not as many media descriptions as the offer');
  }
  const audio = acceptStream(ourStream, theirStream, local, (media) => readRemoteAudio(answer, media));
  if (typeof audio === 'number') return mediaNotAcceptable(local.address, audio);
  const media = settleAudio(description, ourStream, audio, local);
  if (media === null) return mediaNotAcceptable(local.address, 305);
  const video = acceptVideo(offer, answer, local, 'main');
  const slides = acceptVideo(offer, answer, local, 'slides');
  const floorControl = acceptFloorControl(offer, answer, local);
  const accepted = {
    audio: places.audio,
    main: video && places.main,
    slides: slides && places.slides,
    floorControl: floorControl && places.floorControl,
  };
  return {
    ok: true,
    current: { description, places: accepted },
    agreement: { media, video, slides, floorControl },
  };
}

function acceptVideo(
  { description, places }: CurrentDescription,
  answer: SessionDescription,
  local: LocalMedia,
  name: VideoStreamName,
): VideoMedia | null {
  const place = places[name];
  const ours = videoStreamOf(local, name);
  if (place === null || ours === null) return null;
  const ourStream = description.media[place]!;
  const accepted = acceptStream(ourStream, answer.media[place], local, (media) => readRemoteVideo(answer, media));
  if (typeof accepted === 'number') return null;
  return settleVideo([description, ourStream], [answer, answer.media[place]!], accepted, local, ours.settings);
}

function acceptFloorControl(
  { places }: CurrentDescription,
  answer: SessionDescription,
  { floorControl: server }: LocalMedia,
): FloorControlMedia | null {
  const place = places.floorControl;
  const media = place === null ? undefined : answer.media[place];
  if (server === null || media === undefined || media.port === 0) return null;
  const theirs = readFloorControl(answer, media);
  return theirs !== null && canServe(theirs, server) ? agreeFloorControl(theirs, server) : null;
}
